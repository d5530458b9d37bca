"""The three calls of the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics, status
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inquiries import services
from inquiries.api import schema, waiting
from inquiries.api.errors import Conflict
from inquiries.api.idempotency import replay_of
from inquiries.api.keys import ApiKeyAuthentication, key_of
from inquiries.api.pagination import InquiryPagination
from inquiries.api.permissions import CanCreateInquiries
from inquiries.api.serializers import InquirySerializer, NewInquirySerializer, PublicInquirySerializer
from inquiries.api.throttling import CallerThrottle
from inquiries.filters import InquiryFilter
from inquiries.models import Inquiry
from inquiries.states import Source
from pok.logging import name_inquiry

# One of each for all calls: a serializer copies its fields when it is made, which takes longer than its work.
BODY = NewInquirySerializer()
RECEIPT = PublicInquirySerializer()


class CustomerData(APIView):
    """What all calls share: answers are for the caller alone, and a wrong method is told before a missing key."""

    throttle_classes = [CallerThrottle]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(status=status.HTTP_204_NO_CONTENT)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex"
        return answer


class CreateInquiry(CustomerData):
    """`POST /api/inquiries/create`.

    No session counts here: a signed-in agent's browser is a caller like any other, so that no CSRF token is needed.
    """

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [CanCreateInquiries]

    @schema.CREATE
    def post(self, request: Request) -> Response:
        key = key_of(request)
        given = BODY.run_validation(request.data)
        try:
            made = services.submit(**given, source=Source.API, replay=replay_of(request), has_key=key is not None)
        except services.IdempotencyConflict as error:
            raise Conflict(str(error)) from error
        name_inquiry(made.inquiry.pk)
        headers = {} if made.created else {"Idempotent-Replayed": "true"}
        if key is None:
            return _created(RECEIPT.to_representation(made.inquiry), made.inquiry.status_url, headers)
        return _whole(request, made.inquiry.pk, headers)


def _whole(request: Request, pk: int, headers: dict[str, str]) -> Response:
    """Answer a key, after the analysis where the caller wants to wait for it."""
    seconds = waiting.wanted_seconds(request.headers.get("Prefer", ""))
    if seconds and waiting.hold(pk, seconds):
        headers["Preference-Applied"] = f"wait={seconds}"
    inquiry = Inquiry.objects.for_detail().get(pk=pk)
    return _created(InquirySerializer(inquiry).data, settings.BASE_URL + reverse("api_detail", args=[pk]), headers)


def _created(data: Any, location: str, headers: dict[str, str]) -> Response:
    return Response(data, status=status.HTTP_201_CREATED, headers={"Location": location, **headers})


class ReadableInquiries(CustomerData, generics.GenericAPIView[Inquiry]):
    """Every inquiry for a key, the visible ones for a person."""

    queryset = Inquiry.objects.none()
    serializer_class = InquirySerializer

    def get_queryset(self) -> QuerySet[Inquiry]:
        found = Inquiry.objects.for_detail()
        return found if key_of(self.request) else found.visible_to(self.request.user)


class ListInquiries(ReadableInquiries, generics.ListAPIView[Inquiry]):
    """`GET /api/inquiries/`."""

    pagination_class = InquiryPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = InquiryFilter

    @schema.LIST
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class RetrieveInquiry(ReadableInquiries, generics.RetrieveAPIView[Inquiry]):
    """`GET /api/inquiries/{id}/`."""

    def get_object(self) -> Inquiry:
        inquiry = super().get_object()
        name_inquiry(inquiry.pk)
        return inquiry

    @schema.RETRIEVE
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)
