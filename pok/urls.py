"""The address book. Paths are fixed Spanish words, names are English."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from pok import health, prometheus

handler400 = "inquiries.views.errors.bad_request"
handler403 = "inquiries.views.errors.permission_denied"
handler404 = "inquiries.views.errors.not_found"
handler500 = "inquiries.views.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", prometheus.metrics, name="metrics"),
    path("", include("inquiries.urls")),
]
