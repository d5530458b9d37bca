"""What the OpenAPI page says beyond what can be read from the code."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)

from inquiries.api.idempotency import LENGTH
from inquiries.api.serializers import (
    ErrorSerializer,
    InquirySerializer,
    NewInquirySerializer,
    PublicInquirySerializer,
)
from inquiries.api.waiting import LONGEST

TAG = "inquiries"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header of our keys; drf-spectacular finds this class by itself."""

    target_class = "inquiries.api.keys.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": _("The text “Api-Key”, a blank and the key: Authorization: Api-Key pok_…"),
        }


def _error(text: Any) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description=text)


BAD_INPUT = OpenApiResponse(
    {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
    },
    description=_("Bad data: {field: [texts]}, or {“detail”: text} where the body cannot be read."),
)
UNAUTHORIZED = _error(_("The key is missing, wrong or revoked."))
FORBIDDEN = _error(_("The key or the person may not do this."))
NOT_FOUND = _error(_("There is no such inquiry."))
THROTTLED = _error(_("Too many requests; the header Retry-After says for how many seconds to wait."))
UNAVAILABLE = _error(_("The database does not answer; try again after Retry-After seconds."))

CREATE = extend_schema(
    operation_id="create_inquiry",
    tags=[TAG],
    summary=_("Send an inquiry"),
    description=_(
        "Takes an inquiry in and answers at once; the analysis follows in the background. "
        "With a key the answer is the whole inquiry, without one only what a customer may see."
    ),
    request={"application/json": NewInquirySerializer},
    auth=[{"ApiKey": []}, {}],  # type: ignore[list-item]  # as OpenAPI writes "a key or nothing"
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": LENGTH},
            OpenApiParameter.HEADER,
            description=_(
                "Makes a repeated call harmless for 24 hours: the same body gives the same inquiry "
                "(with the header Idempotent-Replayed: true), another body gives 409."
            ),
        ),
        OpenApiParameter(
            "Prefer",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description=_(
                "wait=N holds the answer until the analysis is over, N seconds at most (up to %(longest)d; "
                "only with a key). Preference-Applied in the answer says that it was done."
            )
            % {"longest": LONGEST},
            examples=[OpenApiExample("wait", value="wait=5")],
        ),
    ],
    examples=[
        OpenApiExample(
            "create",
            request_only=True,
            value={
                "customer_name": "Juan Pérez",
                "email": "juan@example.com",
                "message": "Hola, no puedo entrar a mi cuenta desde ayer.",
            },
        )
    ],
    responses={
        201: PolymorphicProxySerializer(
            component_name="CreatedInquiry",
            serializers=[InquirySerializer, PublicInquirySerializer],
            resource_type_field_name=None,
        ),
        400: BAD_INPUT,
        401: UNAUTHORIZED,
        403: FORBIDDEN,
        409: _error(_("The idempotency key was used before with another body.")),
        413: _error(_("The body is larger than 256 kB.")),
        415: _error(_("The body is not JSON in UTF-8.")),
        429: THROTTLED,
        503: UNAVAILABLE,
    },
)
READ_ERRORS = {401: UNAUTHORIZED, 403: FORBIDDEN, 429: THROTTLED, 503: UNAVAILABLE}
LIST = extend_schema(
    operation_id="list_inquiries",
    tags=[TAG],
    summary=_("List inquiries"),
    description=_("Newest first, in pages: follow “next” until it is null."),
    responses={200: InquirySerializer(many=True), 400: BAD_INPUT, **READ_ERRORS},
)
RETRIEVE = extend_schema(
    operation_id="retrieve_inquiry",
    tags=[TAG],
    summary=_("Read an inquiry"),
    description=_("The whole inquiry, with its analysis as soon as there is one."),
    responses={200: InquirySerializer, 404: NOT_FOUND, **READ_ERRORS},
)
