"""What comes in and what goes out; names and their order are the contract of the API.

The serializers have no docstrings: drf-spectacular would publish them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from inquiries import validation
from inquiries.models import Inquiry
from inquiries.models.inquiry import MESSAGE_LENGTH, NAME_LENGTH
from inquiries.states import AnalysisState, Sentiment, Source, Status

SHOWN_NAME = 60
SHOWN_UNKNOWN = 10


class CleanText(serializers.CharField):
    """A JSON string under the rules that the public form has too; nothing is turned into a string."""

    default_error_messages = {
        "required": gettext_lazy("This field is required."),
        "blank": gettext_lazy("This field is required."),
        "null": gettext_lazy("This field is required."),
        "invalid": gettext_lazy("This must be a text."),
    }

    def __init__(self, clean: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self.clean = clean

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Past CharField's own step, which would call str() on whatever came.
        return serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return self.clean(data)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from error


class NewInquirySerializer(serializers.Serializer[dict[str, str]]):
    customer_name = CleanText(validation.clean_name, max_length=NAME_LENGTH)
    email = CleanText(validation.clean_email, max_length=validation.EMAIL_LENGTH)
    message = CleanText(validation.clean_message, max_length=MESSAGE_LENGTH)

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = self._unknown(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= dict(error.detail)  # type: ignore[arg-type]
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def _unknown(self, data: Any) -> dict[str, Any]:
        names = [name for name in data if name not in self.fields]
        return {name[:SHOWN_NAME]: [_("There is no such field.")] for name in names[:SHOWN_UNKNOWN]}


class TextOrNull(serializers.CharField):
    """A text that the table keeps empty and the API calls null while it is not known."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return str(value) if value else None


class Moment(serializers.DateTimeField):
    """ISO 8601 in UTC, whatever zone the reader lives in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, default_timezone=UTC, **options)


class InquirySerializer(serializers.ModelSerializer[Inquiry]):
    id = serializers.IntegerField(read_only=True)
    category = serializers.CharField(source="category.name", read_only=True, allow_null=True)
    sentiment = serializers.ChoiceField(choices=Sentiment.choices, read_only=True, allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices, read_only=True)
    ai_state = serializers.ChoiceField(choices=AnalysisState.choices, read_only=True)
    ai_error = TextOrNull(source="get_ai_error_display", help_text=gettext_lazy("Why there is no analysis."))
    engine = TextOrNull()
    provisional = serializers.BooleanField(source="is_provisional", read_only=True)
    language = TextOrNull()
    source = serializers.ChoiceField(choices=Source.choices, read_only=True)  # type: ignore[assignment]
    assignee = serializers.CharField(source="assignee.username", read_only=True, allow_null=True)
    created_at = Moment()
    analysed_at = Moment(allow_null=True)
    answered_at = Moment(allow_null=True)
    status_url = serializers.URLField(read_only=True)

    class Meta:
        model = Inquiry
        fields = (
            "id",
            "customer_name",
            "email",
            "message",
            "category",
            "sentiment",
            "suggested_reply",
            "reply",
            "status",
            "ai_state",
            "ai_error",
            "engine",
            "confidence",
            "needs_review",
            "provisional",
            "language",
            "source",
            "assignee",
            "created_at",
            "analysed_at",
            "answered_at",
            "status_url",
        )
        read_only_fields = fields


class PublicInquirySerializer(serializers.ModelSerializer[Inquiry]):
    id = serializers.IntegerField(read_only=True)
    status = serializers.SerializerMethodField()
    created_at = Moment()
    status_url = serializers.URLField(read_only=True)

    class Meta:
        model = Inquiry
        fields = ("id", "customer_name", "email", "message", "status", "created_at", "status_url")
        read_only_fields = fields

    def get_status(self, inquiry: Inquiry) -> Status:
        # A sender of spam does not learn that we know.
        return Status.NEW if inquiry.status == Status.SPAM else Status(inquiry.status)


class ErrorSerializer(serializers.Serializer[dict[str, str]]):
    detail = serializers.CharField()
