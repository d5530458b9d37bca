"""What supervisors post about the AI's instructions and their trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from inquiries.models import PromptVersion
from inquiries.validation import clean_reply

LARGEST_ID = 2**63 - 1
MODEL_LENGTH = 80


class PlainText(forms.CharField):
    """A text with line breaks counted as people count them and without characters that cannot be shown."""

    def to_python(self, value: Any) -> str:
        return clean_reply(str(super().to_python(value)))


class PromptForm(forms.ModelForm):  # type: ignore[type-arg]
    """The texts of a new version; it is saved by `services.prompts.save_version`, never by the form."""

    class Meta:
        model = PromptVersion
        fields = ("facts", "tone", "style", "signature", "forbidden", "note")
        field_classes = dict.fromkeys(("facts", "style", "signature", "forbidden", "note"), PlainText)
        widgets = {
            "facts": forms.Textarea(attrs={"rows": 10}),
            "signature": forms.Textarea(attrs={"rows": 3}),
            "forbidden": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {"note": _("One line for the list of versions.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # A browser cuts what is pasted at the limit without a word; the server says how much there is too much.
            field.widget.attrs.pop("maxlength", None)
            field.widget.attrs["class"] = "form-select" if name == "tone" else "form-control"


class PreviewForm(forms.Form):
    """The number of an inquiry to try a version on; empty, the newest ones are taken."""

    number = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        label=_("Inquiry number"),
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"}),
    )


class VersionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A version by its number and what its author wrote about it."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} · {obj.note}" if obj.note else str(obj)


class ComparisonForm(forms.Form):
    """Instructions, engine and model to try, and on how many inquiries."""

    prompt = VersionField(
        PromptVersion.objects.defer("facts", "forbidden", "signature"),
        label=_("Instructions"),
        required=False,
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    engine = forms.ChoiceField(label=_("Engine"), widget=forms.Select(attrs={"class": "form-select"}))
    model = forms.CharField(
        required=False,
        max_length=MODEL_LENGTH,
        label=_("Model"),
        validators=[RegexValidator(r"\A[!-~]+\Z", _("Write the model's name as the service does, without spaces."))],
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
    )
    size = forms.TypedChoiceField(
        label=_("On the last"), coerce=int, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(
        self, *args: Any, engines: Sequence[tuple[str, str]], sizes: Sequence[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["engine"].choices = engines  # type: ignore[attr-defined]
        self.fields["size"].choices = sizes  # type: ignore[attr-defined]

    def clean_model(self) -> str:
        return str(self.cleaned_data["model"]) or str(settings.OPENAI_MODEL)
