"""What agents post from the detail page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from inquiries.models import Category, Correction
from inquiries.states import Sentiment
from inquiries.validation import clean_reply

LARGEST_VERSION = 2_147_483_647
LARGEST_NUMBER = 2**63 - 1


class CategoryForm(forms.Form):
    """A category by its name, out of those in use."""

    category = forms.ModelChoiceField(Category.objects.live(), to_field_name="name")


class SentimentForm(forms.Form):
    sentiment = forms.ChoiceField(choices=Sentiment.choices)


class UndoForm(forms.Form):
    field = forms.ChoiceField(choices=Correction.Field.choices)


class ReplyForm(forms.Form):
    """The editor's text and the version of the reply that it started from."""

    text = forms.CharField(required=False, strip=False, label=_("Reply"))
    version = forms.IntegerField(min_value=0, max_value=LARGEST_VERSION)

    def clean_text(self) -> str:
        return clean_reply(str(self.cleaned_data["text"]))


class StartFromForm(ReplyForm):
    """The editor's text, and the number of the past inquiry whose answer is to take its place."""

    example = forms.IntegerField(min_value=1, max_value=LARGEST_NUMBER)


class AnswerForm(forms.Form):
    """The number of the answer to take back: a page that is older than another answer must not take that one."""

    answer = forms.IntegerField(min_value=1, max_value=LARGEST_NUMBER)


class DeliveryForm(forms.Form):
    """The number of the email to decide about."""

    delivery = forms.IntegerField(min_value=1, max_value=LARGEST_NUMBER)


class CloseForm(forms.Form):
    reason = forms.CharField(required=False, max_length=200, label=_("Reason"))
