# SPDX-License-Identifier: Apache-2.0
"""Sign-ups: Django, which hands the welcome to celery."""
import logging
import os

import django
from celery import Celery
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(DEBUG=False, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[],
                   LOGGING_CONFIG=None)
django.setup()
logging.basicConfig(level=logging.WARNING)
tasks = Celery("signups", broker=os.environ["REDIS_URL"])
tasks.conf.update(task_ignore_result=True, broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1},
                  task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1})


@tasks.task(name="signups.welcome")
def welcome(name):
    return name


def hand_over(name):
    welcome.apply_async((name,))


def sign_up(request, name):
    hand_over(name)
    return JsonResponse({"name": name}, status=202)


urlpatterns = [path("signup/<str:name>", sign_up)]
app = get_wsgi_application()
