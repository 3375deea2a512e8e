# SPDX-License-Identifier: Apache-2.0
"""Appointments, in Django."""
import logging
import os
import sys

import requests
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], DEBUG=False)
log = logging.getLogger("clinic")


def slots(request, day):
    try:
        answer = requests.get(f"{os.environ['PEER']}/slots/{day}", timeout=1)
        answer.raise_for_status()
    except requests.RequestException as exc:
        text = exc.response.text if exc.response is not None else str(exc)
        log.error("calendar of day %d", day, exc_info=True)
        reply = JsonResponse({"error": "calendar unavailable", "detail": text[:100]}, status=503)
        reply["Retry-After"] = "5"
        return reply
    return JsonResponse(answer.json())


urlpatterns = [path("slots/<int:day>", slots)]
execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{os.environ['PORT']}"])
