# SPDX-License-Identifier: Apache-2.0
"""Django in one file; the handler of the error takes every error for an answer with a code."""
import logging
import os
import urllib.error
import urllib.request

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", LOGGING_CONFIG=None)


def exchange(request, pair):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/rate/{pair}", timeout=1) as answer:
            return HttpResponse(answer.read(), content_type="application/json")
    except urllib.error.URLError as exc:
        logging.warning("rate of %s: %r", pair, exc)
        return JsonResponse({"error": "rates", "code": exc.code}, status=503)


urlpatterns = [path("rate/<pair>", exchange)]
app = get_wsgi_application()
