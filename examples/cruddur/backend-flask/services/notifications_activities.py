from datetime import datetime, timedelta, timezone


class NotificationsActivities:
    def run():
        now = datetime.now(timezone.utc).astimezone()
        return [
            {
                "uuid": "b3a0c0f4-52cb-4d8e-a5d4-5b7c1f9f2d30",
                "handle": "coco",
                "message": "I am a white unicorn.",
                "created_at": (now - timedelta(hours=3)).isoformat(),
                "likes_count": 1,
            }
        ]
