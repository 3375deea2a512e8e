# SPDX-License-Identifier: Apache-2.0
"""Bookings of a class-based view of Django; a middleware decides about what fails."""
import logging
import os
import urllib.request

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views import View

settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False,
                   MIDDLEWARE=[__name__ + ".Trouble"])


class Trouble:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exc):
        if isinstance(exc, OSError):
            logging.error("%s: %r", request.path, exc)
            return JsonResponse({"error": "no bookings now"}, status=503)


class Booking(View):
    source = os.environ["PEER"]

    def get(self, request, number):
        with urllib.request.urlopen(f"{self.source}/booking/{number}", timeout=2) as answer:
            return JsonResponse({"number": number, "bytes": len(answer.read())})


urlpatterns = [path("booking/<int:number>", Booking.as_view())]
app = get_wsgi_application()
