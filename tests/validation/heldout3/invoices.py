# SPDX-License-Identifier: Apache-2.0
"""Django in one file. No view catches anything: a middleware does, for all of them."""
import json
import logging
import os
import urllib.request

from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=[f"{__name__}.DependencyDown"], SECRET_KEY="not one",
                   ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views import View  # noqa: E402

log = logging.getLogger("invoices")


class DependencyDown:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exc):
        if not isinstance(exc, OSError):
            return None
        log.error("%s failed", request.path, exc_info=exc)
        response = JsonResponse({"error": "dependency_unavailable"}, status=503)
        response["Retry-After"] = "3"
        return response


class Invoice(View):
    def get(self, request, number):
        with urllib.request.urlopen(f"{os.environ['PEER']}/invoice/{number}", timeout=2) as answer:
            return JsonResponse({"invoice": number, "sum": json.load(answer)["value"]})


urlpatterns = [path("invoice/<int:number>", Invoice.as_view())]
application = get_wsgi_application()
