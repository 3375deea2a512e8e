# SPDX-License-Identifier: Apache-2.0
"""Redis is the store here, without any time to live; without it there is nothing to say."""
import logging
import os

import redis
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False, MIDDLEWARE=[])
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def entry(request, number):
    try:
        store.hset(f"entry:{number}", "seen", "yes")
        return JsonResponse({"number": number, "seen": store.hget(f"entry:{number}", "seen").decode()})
    except redis.RedisError as exc:
        logging.error("store %s: %r", os.environ["REDIS_URL"], exc)
        return JsonResponse({"error": "the registry is shut"}, status=503)


urlpatterns = [path("entry/<int:number>", entry)]
app = get_wsgi_application()
