from celery import Celery

app = Celery("shop", broker="redis://queue:6379/0", include=["shop.tasks"])


@app.task
def pack(item):
    return item
