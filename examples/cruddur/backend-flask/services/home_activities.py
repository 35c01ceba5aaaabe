from datetime import datetime, timedelta, timezone


class HomeActivities:
    def run():
        now = datetime.now(timezone.utc).astimezone()
        return [
            {
                "uuid": "6f0b5a4e-6a43-4f0e-9c55-1a8f6b8f3b10",
                "handle": "Ada Brown",
                "message": "The cloud is just somebody else's computer.",
                "created_at": (now - timedelta(days=2)).isoformat(),
                "expires_at": (now + timedelta(days=5)).isoformat(),
                "likes_count": 5,
            },
            {
                "uuid": "0d9c7a55-8f62-4a3e-8a39-2c5f5f0e7a21",
                "handle": "Worf",
                "message": "I am out of prune juice.",
                "created_at": (now - timedelta(days=7)).isoformat(),
                "expires_at": (now + timedelta(days=9)).isoformat(),
                "likes_count": 0,
            },
        ]
