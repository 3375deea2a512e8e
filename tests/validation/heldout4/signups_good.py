# SPDX-License-Identifier: Apache-2.0
"""Sign-ups: Django, which hands the welcome to celery."""
import json
import logging
import os
import threading

import django
import kombu.exceptions
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
tasks.conf.update(task_ignore_result=True, broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1,
                                                                  "max_retries": 1, "interval_start": 0, "interval_max": 0.1},
                  task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1})
lock = threading.Lock()


@tasks.task(name="signups.welcome")
def welcome(name):
    return name


def hand_over(name):
    try:
        welcome.apply_async((name,), retry=False)
    except (kombu.exceptions.OperationalError, OSError) as exc:
        logging.warning("broker %s is not there, kept for later: %r", os.environ["REDIS_URL"], exc)
        with lock, open(os.path.join(os.environ["DATA"], "outbox"), "a", encoding="utf-8") as out:
            out.write(json.dumps(name) + "\n")
            out.flush()
            os.fsync(out.fileno())


def sign_up(request, name):
    hand_over(name)
    return JsonResponse({"name": name}, status=202)


urlpatterns = [path("signup/<str:name>", sign_up)]
app = get_wsgi_application()
