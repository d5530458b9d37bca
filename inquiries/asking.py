"""What an engine is told about an inquiry, and what is made of its answer before anybody sees it.

Before a text leaves this machine personal data are hidden; what comes back is checked, cut and filled in again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inquiries import learning, similar
from inquiries.ai.engine import AnalysisRequest, AnalysisResult, CompanyProfile, ShownExample
from inquiries.ai.guard import Flag, check_draft, is_suspicious
from inquiries.ai.masking import Masked, mask
from inquiries.ai.masking.spans import Kind
from inquiries.ai.prompts import within_budget
from inquiries.categories import live_categories
from inquiries.engines import OPENAI
from inquiries.models import Inquiry, PromptVersion, SiteSettings

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as an engine gets it, and what is needed to read the answer. Never logged."""

    request: AnalysisRequest
    prompt: PromptVersion
    email: str = ""
    masked: Masked | None = None
    is_suspicious: bool = False

    @property
    def hidden(self) -> dict[str, int]:
        """How many personal data of each kind were hidden; the name that goes beside the message counts as well."""
        if self.masked is None:
            return {}
        counts = dict(self.masked.counts)
        if self.masked.customer_name:
            counts[Kind.NOMBRE.value] = counts.get(Kind.NOMBRE.value, 0) + 1
        return counts


def prepare(inquiry: Inquiry, engine: str, prompt: PromptVersion | None = None) -> Asked:
    """Return what `engine` is asked. Only a service outside gets marks and examples in place of what they hide."""
    prompt = prompt or PromptVersion.current()
    # Together, because an order may be split between the two.
    suspicious = is_suspicious(f"{inquiry.customer_name}\n{inquiry.message}")
    base = AnalysisRequest(
        text=inquiry.message,
        customer_name=inquiry.customer_name,
        categories=live_categories(),
        company=profile_of(prompt),
    )
    if engine != OPENAI:
        return Asked(base, prompt, inquiry.email, is_suspicious=suspicious)
    site = SiteSettings.current()
    masked = mask(inquiry.message, inquiry.customer_name, inquiry.email) if site.masking else None
    hidden = replace(base, text=masked.text, customer_name=masked.customer_name) if masked else base
    return Asked(replace(hidden, examples=shown_examples(inquiry, site)), prompt, inquiry.email, masked, suspicious)


def profile_of(prompt: PromptVersion) -> CompanyProfile:
    """Return the company as a version of the instructions describes it."""
    return CompanyProfile(
        name=SiteSettings.current().company_name,
        facts=prompt.facts,
        tone=prompt.tone,
        signature=prompt.signature,
        style=prompt.style,
        forbidden=prompt.forbidden_lines(),
    )


def shown_examples(inquiry: Inquiry, site: SiteSettings) -> tuple[ShownExample, ...]:
    """Return the nearest corrected or answered inquiries within the supervisor's budget of tokens."""
    if not site.few_shot or not site.few_shot_tokens:
        return ()
    vector = learning.keep_vector(inquiry)
    if vector is None:
        return ()
    near = similar.neighbours(similar.unpack(vector), MOST_EXAMPLES, without=inquiry.pk)
    shown = [
        ShownExample(
            text=found.example.text,
            category=found.example.category.name if found.example.category else "",
            sentiment=found.example.sentiment,
            answer=found.example.answer,
        )
        for found in near
    ]
    return within_budget(shown, site.few_shot_tokens)


def checked(asked: Asked, result: AnalysisResult) -> tuple[AnalysisResult, list[str]]:
    """Return the answer with a draft that is safe to show, and the warnings that go with it.

    Marks are filled in before the draft is checked: an address that a stranger smuggled into the message must not
    come back under cover of its mark. The only contact of the customer's that may stay is the one they gave.
    """
    company, reply, flags = asked.request.company, result.reply, []
    if asked.masked is not None:
        restored = asked.masked.restore(reply)
        reply = restored.text
        flags += [Flag.PLACEHOLDER_CUT.value] if restored.unknown else []
    allowed = "\n".join([company.facts, company.signature, company.name, asked.email])
    draft = check_draft(reply, allowed=allowed, forbidden=company.forbidden)
    flags += [flag.value for flag in draft.flags]
    flags += [Flag.SUSPICIOUS.value] if asked.is_suspicious else []
    return replace(result, reply=draft.text, reason=_readable(asked, result.reason)), _unique(flags)


def _readable(asked: Asked, reason: str) -> str:
    return asked.masked.restore(reason).text if asked.masked is not None else reason


def _unique(flags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(flags))
