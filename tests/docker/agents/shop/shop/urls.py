from django.http import JsonResponse
from django.urls import path

from .tasks import pack


def item(request, item_id):
    pack.delay(item_id)
    return JsonResponse({"item": item_id})


urlpatterns = [path("items/<int:item_id>", item)]
