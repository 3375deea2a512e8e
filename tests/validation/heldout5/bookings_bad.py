# SPDX-License-Identifier: Apache-2.0
"""Bookings of a class-based view of Django; what fails in it is left to Django."""
import os
import urllib.request

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views import View

settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False,
                   MIDDLEWARE=[])


class Booking(View):
    source = os.environ["PEER"]

    def get(self, request, number):
        with urllib.request.urlopen(f"{self.source}/booking/{number}", timeout=2) as answer:
            return JsonResponse({"number": number, "bytes": len(answer.read())})


urlpatterns = [path("booking/<int:number>", Booking.as_view())]
app = get_wsgi_application()
