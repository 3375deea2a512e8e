# SPDX-License-Identifier: Apache-2.0
"""Appointments, in Django. The handlers were written for errors that have an answer."""
import os
import sys

import requests
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], DEBUG=False)


def slots(request, day):
    try:
        answer = requests.get(f"{os.environ['PEER']}/slots/{day}", timeout=1)
        answer.raise_for_status()
    except requests.RequestException as exc:
        return JsonResponse({"error": exc.response.text}, status=502)
    return JsonResponse(answer.json())


urlpatterns = [path("slots/<int:day>", slots)]
execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{os.environ['PORT']}"])
