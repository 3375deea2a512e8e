# SPDX-License-Identifier: Apache-2.0
"""Permits: Django, with a middleware that lets twelve requests in at a time."""
import json
import logging
import os
import threading
import urllib.error
import urllib.request

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(DEBUG=False, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
                   MIDDLEWARE=[__name__ + ".Gate"])
django.setup()


class Gate:
    room = threading.BoundedSemaphore(12)

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/health":
            return self.get_response(request)
        if not self.room.acquire(blocking=False):
            response = JsonResponse({"error": "too busy"}, status=503)
            response["Retry-After"] = "2"
            return response
        try:
            return self.get_response(request)
        finally:
            self.room.release()


def permit(request, number):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/permit/{number}", timeout=5) as answer:
            return JsonResponse({"number": number, "value": json.load(answer)["value"]})
    except (OSError, urllib.error.URLError) as exc:
        logging.warning("registry %s: %r", os.environ["PEER"], exc)
        return JsonResponse({"error": "registry is down"}, status=503)


def health(request):
    return HttpResponse("ok")


urlpatterns = [path("permit/<int:number>", permit), path("health", health)]
app = get_wsgi_application()
