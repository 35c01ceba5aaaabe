import os

from flask import Flask
from flask_cors import CORS

from services.home_activities import HomeActivities
from services.notifications_activities import NotificationsActivities

app = Flask(__name__)

frontend = os.getenv("FRONTEND_URL", "*")
cors = CORS(
    app,
    resources={r"/api/*": {"origins": [frontend]}},
    expose_headers="location,link",
    allow_headers="content-type,if-modified-since",
    methods="OPTIONS,GET,HEAD,POST",
)


@app.route("/api/activities/home", methods=["GET"])
def data_home():
    return HomeActivities.run(), 200


@app.route("/api/activities/notifications", methods=["GET"])
def data_notifications():
    return NotificationsActivities.run(), 200


if __name__ == "__main__":
    app.run(debug=True)
