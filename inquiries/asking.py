"""What an engine is told about an inquiry, and what is made of its answer before anybody sees it.

Before a text leaves this machine personal data are hidden; what comes back is checked, cut and filled in again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inquiries import learning, similar
from inquiries.ai.engine import AnalysisRequest, AnalysisResult, CompanyProfile, ShownExample, Turn
from inquiries.ai.guard import Flag, check_draft, is_suspicious
from inquiries.ai.masking import Masked, mask_all
from inquiries.ai.masking.spans import Kind
from inquiries.ai.prompts import newest_turns, within_budget
from inquiries.categories import recent
from inquiries.engines import OPENAI
from inquiries.models import Inquiry, PromptVersion, SiteSettings
from inquiries.states import MessageKind

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


def prepare(inquiry: Inquiry, engine: str, prompt: PromptVersion | None = None, *, with_thread: bool = True) -> Asked:
    """Return what `engine` is asked. Only a service outside gets marks and examples in place of what they hide."""
    prompt = prompt or PromptVersion.current()
    thread = thread_of(inquiry) if with_thread else ()
    shown = newest_turns(thread)
    base = AnalysisRequest(
        text=inquiry.message,
        customer_name=inquiry.customer_name,
        categories=recent.get(),
        company=profile_of(prompt),
        thread=shown,
        left_out=len(thread) - len(shown),
    )
    suspicious = _gives_orders(base)
    if engine != OPENAI:
        return Asked(base, prompt, inquiry.email, is_suspicious=suspicious)
    site = SiteSettings.current()
    hidden, masked = _hidden(base, inquiry.email) if site.masking else (base, None)
    return Asked(replace(hidden, examples=shown_examples(inquiry, site)), prompt, inquiry.email, masked, suspicious)


def thread_of(inquiry: Inquiry) -> tuple[Turn, ...]:
    """Return what was written after the first message, up to the customer's newest; nothing where they did not again.

    An answer that can still be taken back is in it: by the time the draft is sent, the customer has it.
    """
    if inquiry.followed_up_at is None:
        return ()
    rows = inquiry.messages.filter(kind__in=[MessageKind.CUSTOMER, MessageKind.ANSWER]).order_by("id")
    turns = [Turn(body, kind == MessageKind.CUSTOMER) for kind, body in rows.values_list("kind", "body")]
    while turns and not turns[-1].is_customers:
        turns.pop()
    return tuple(turns)


def _gives_orders(request: AnalysisRequest) -> bool:
    """Look at each of the customer's texts with their name, and at all together: an order may be split between them."""
    texts = [request.text, *(turn.text for turn in request.thread if turn.is_customers)]
    whole = ["\n".join(texts)] if len(texts) > 1 else []
    return any(is_suspicious(f"{request.customer_name}\n{text}") for text in [*texts, *whole])


def _hidden(request: AnalysisRequest, email: str) -> tuple[AnalysisRequest, Masked]:
    """Return the request with marks for personal data, the same ones in every text of it."""
    texts = [request.text, *(turn.text for turn in request.thread)]
    masked, (first, *later) = mask_all(texts, request.customer_name, email)
    thread = tuple(replace(turn, text=text) for turn, text in zip(request.thread, later, strict=True))
    return replace(request, text=first, customer_name=masked.customer_name, thread=thread), masked


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
    if not site.few_shot or not site.few_shot_tokens or not similar.has_examples():
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
