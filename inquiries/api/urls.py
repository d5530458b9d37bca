"""Addresses below /api/."""

from __future__ import annotations

from django.urls import path, re_path
from django.views.decorators.cache import cache_page

from inquiries.api import docs, errors, views

# The description of the API changes with the program only, and takes tenths of a second to make.
schema = cache_page(3_600, cache="local")(docs.Schema.as_view())

urlpatterns = [
    path("inquiries/create", views.CreateInquiry.as_view(), name="api_create"),
    # Many clients add a slash, or leave it out; these twins are not in the description.
    path("inquiries/create/", views.CreateInquiry.as_view(schema=None)),
    path("inquiries", views.ListInquiries.as_view(schema=None)),
    path("inquiries/", views.ListInquiries.as_view(), name="api_list"),
    path("inquiries/<int:pk>", views.RetrieveInquiry.as_view(schema=None)),
    path("inquiries/<int:pk>/", views.RetrieveInquiry.as_view(), name="api_detail"),
    path("schema/", schema, name="api_schema"),
    path("docs/", docs.Docs.as_view(), name="api_docs"),
    re_path(r"^(?P<path>.*)$", errors.not_found),
]
