# SPDX-License-Identifier: Apache-2.0
"""A shop on Django and Celery in one file: an order is written to PostgreSQL and handed to a worker, which
writes the bill. `celery -A django_shop worker` and `gunicorn django_shop:application` are its two processes."""
import os

import django
import redis
from celery import Celery
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import JsonResponse
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of a scenario", INSTALLED_APPS=[],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["DATABASE_HOST"],
                           "USER": "postgres", "NAME": "postgres", "OPTIONS": {"connect_timeout": 2}}})
django.setup()
queue = Celery("django_shop", broker=os.environ["REDIS_URL"])
queue.conf.task_acks_late = True
queue.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 1}
bills = redis.Redis.from_url(os.environ["REDIS_URL"], db=1, socket_timeout=1)


@queue.task(name="django_shop.bill", autoretry_for=(redis.RedisError,), max_retries=3, default_retry_delay=1)
def bill(number):
    bills.incr("bills")
    return number


def orders(request):
    if request.method == "POST":
        with connection.cursor() as c:
            c.execute("insert into orders default values returning id")
            number = c.fetchone()[0]
        bill.delay(number)
        return JsonResponse({"order": number}, status=201)
    with connection.cursor() as c:
        c.execute("select count(*) from orders")
        return JsonResponse({"orders": c.fetchone()[0]})


urlpatterns = [path("orders", orders)]
application = get_wsgi_application()
if os.environ.get("MAKE_TABLES"):
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists orders (id serial primary key)")
    connection.close()
