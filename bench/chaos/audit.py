"""The count at the end: what the clients were told against what the tables and the mail server hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count
from django.db.models.functions import Now

from bench.chaos.clients import Ledger, number_of, text_of
from bench.chaos.outside import MoodyOpenAI, Postbox
from bench.chaos.people import Agent
from inquiries.jobs import MAX_CRASHES
from inquiries.models import Analysis, Delivery, IdempotencyKey, Inquiry, InquiryEvent, Message
from inquiries.states import LIVE, AnalysisState, DeliveryKind, DeliveryState, EventKind, MessageKind


@dataclass
class Audit:
    """`counts` inform, `faults` must all be 0."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was lost, doubled or left behind."""
        return not any(self.faults.values())


def is_settled() -> bool:
    """Tell whether no job is left to do and no answer can be taken back any more."""
    waiting = (Analysis.objects.live(), Delivery.objects.live(), Message.objects.pending())
    return not any(rows.exists() for rows in waiting)


def take(ledger: Ledger, agent: Agent, openai: MoodyOpenAI, postbox: Postbox) -> Audit:
    """Count everything."""
    audit = Audit()
    _intake(audit, ledger)
    _analyses(audit, openai)
    _answers(audit, agent)
    _emails(audit, postbox)
    return audit


def _intake(audit: Audit, ledger: Ledger) -> None:
    stored = dict(IdempotencyKey.objects.values_list("key", "inquiry_id"))
    texts = Counter(Inquiry.objects.values_list("message", flat=True))
    audit.counts |= {
        "inquiries accepted": len(ledger.accepted),
        "tries of the clients": ledger.answers.total(),
        **{f"  answer {answer}": count for answer, count in sorted(ledger.answers.items())},
        "clients that gave up": len(ledger.given_up),
    }
    audit.faults |= {
        "accepted inquiries lost": sum(stored.get(key) != pk for key, pk in ledger.accepted.items()),
        "accepted messages without a row": sum(text_of(number_of(key)) not in texts for key in ledger.accepted),
        "inquiries doubled": sum(count - 1 for count in texts.values()),
        "keys answered with two inquiries": ledger.contradictions,
    }


def _analyses(audit: Audit, openai: MoodyOpenAI) -> None:
    done = Analysis.objects.readings().filter(state=AnalysisState.DONE)
    crashed = Analysis.objects.filter(state=AnalysisState.FAILED, crashes__gte=MAX_CRASHES)
    audit.counts |= {
        "inquiries analysed": Inquiry.objects.filter(ai_state=AnalysisState.DONE).count(),
        "given up after three crashes": crashed.count(),
        "calls of the AI": openai.counts.total(),
        "of these repeated": openai.counts.total() - len(openai.counts),
        "of these failed by the AI itself": openai.failures,
    }
    audit.faults |= {
        "analyses stuck": Inquiry.objects.filter(ai_state__in=LIVE).count() + Analysis.objects.live().count(),
        "analyses failed": Analysis.objects.filter(state=AnalysisState.FAILED).count() - crashed.count(),
        "inquiries analysed twice": done.values("inquiry").annotate(results=Count("pk")).filter(results__gt=1).count(),
        "inquiries neither analysed nor given up": Inquiry.objects.exclude(ai_state=AnalysisState.DONE)
        .exclude(analyses__in=crashed)
        .count(),
    }


def _answers(audit: Audit, agent: Agent) -> None:
    answers = Message.objects.filter(kind=MessageKind.ANSWER)
    by_inquiry = Counter(answers.values_list("inquiry", flat=True))
    undone = set(InquiryEvent.objects.filter(kind=EventKind.WITHDRAWN).values_list("inquiry", flat=True))
    audit.counts |= {
        "answers sent by a person": len(agent.sent),
        "of these taken back": len(undone),
        "answers that could not be sent": len(agent.given_up),
    }
    audit.faults |= {
        "answers lost": len(agent.sent - undone - set(by_inquiry)),
        "answers doubled": sum(count - 1 for count in by_inquiry.values()),
        "answers without an email": answers.filter(delivery__isnull=True).count(),
        "answers not published": answers.filter(published_at__gt=Now()).count(),
    }


def _emails(audit: Audit, postbox: Postbox) -> None:
    states = Counter(Delivery.objects.values_list("state", flat=True))
    sent = Delivery.objects.filter(state=DeliveryState.SENT).values_list("mail_id", flat=True)
    undone = Delivery.objects.filter(state=DeliveryState.CANCELLED).values_list("mail_id", flat=True)
    addresses = Inquiry.objects.values("email").distinct().count()
    receipts = Delivery.objects.filter(kind=DeliveryKind.RECEIPT)
    audit.counts |= {
        "emails to send": states.total(),
        "emails sent": states[DeliveryState.SENT],
        "emails left to a person (unknown)": states[DeliveryState.UNKNOWN],
        "emails taken by the mail server": len(postbox.taken),
        "failures of the mail server": postbox.failures,
    }
    audit.faults |= {
        "emails stuck": Delivery.objects.live().count(),
        "emails failed": states[DeliveryState.FAILED],
        "emails sent that never arrived": sum(mail_id not in postbox.taken for mail_id in sent),
        "emails taken twice": sum(count - 1 for count in postbox.taken.values()),
        "emails unknown without a reason": Delivery.objects.filter(state=DeliveryState.UNKNOWN, error="").count(),
        "emails taken though the answer was taken back": sum(mail_id in postbox.taken for mail_id in undone),
        "addresses without a receipt": addresses - receipts.values("recipient").distinct().count(),
        "receipts too many in the hour": sum(count - 1 for count in postbox.receipts.values()),
    }
