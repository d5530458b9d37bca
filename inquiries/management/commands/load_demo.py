"""`manage.py load_demo`: sample inquiries through the real pipeline, then what a team did to some of them."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import F
from django.test.utils import override_settings

from inquiries import services
from inquiries.models import Analysis, Category, Correction, Inquiry, InquiryEvent, Message, User
from inquiries.roles import AGENTS
from inquiries.states import LIVE, Sentiment, Source

SAMPLES = Path(__file__).resolve().parent.parent / "demo.json"
AGENT_NAMES = {"lucia": "Lucía", "mateo": "Mateo"}
Sample = dict[str, Any]


class Command(BaseCommand):
    help = "Load the sample inquiries of `make demo` into a demo's data folder; each only once."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for the worker before acting")

    def handle(self, *args: Any, **options: Any) -> None:
        samples = json.loads(SAMPLES.read_text(encoding="utf-8"))
        refuse_real_data(samples)
        lucia, mateo = (make_agent(name) for name in AGENT_NAMES)
        with override_settings(HAS_MAIL=False):  # none of these people exists: they get no email
            sent = submit_missing(samples)
            wait_for_analyses(list(sent), options["wait"])
            for pk, sample in sent.items():
                act(pk, sample, mateo if pk % 3 else lucia)
                grow_old(pk, timedelta(hours=sample["hours_ago"]))
        if not sent:
            return
        done = Inquiry.objects.filter(pk__in=sent).exclude(ai_state__in=LIVE).count()
        self.stdout.write(f"POK: the demo has {len(sent)} new sample inquiries, {done} of them analysed.")


def refuse_real_data(samples: list[Sample]) -> None:
    """Raise CommandError outside a demo: the accounts have known passwords, the customers do not exist."""
    if settings.DATA_DIR.name != "demo":
        raise CommandError("Samples belong in a data folder of their own: use `make demo`.")
    is_first = not Inquiry.objects.filter(email=samples[0]["email"]).exists()
    if is_first and Inquiry.objects.exists():
        raise CommandError("This database holds real inquiries; samples are not mixed with them.")


def make_agent(name: str) -> User:
    """Return the demo agent, made with a known password where it is not there yet."""
    person, made = User.objects.get_or_create(username=name, defaults={"first_name": AGENT_NAMES[name]})
    if made:
        person.set_password(f"demo-{name}")
        person.save(update_fields=["password"])
        person.groups.add(Group.objects.get(name=AGENTS))
    return person


def submit_missing(samples: list[Sample]) -> dict[int, Sample]:
    """Send every sample that an earlier call did not; return them by the new inquiry's id."""
    there = set(Inquiry.objects.values_list("email", "message"))
    missing = [sample for sample in samples if (sample["email"], sample["message"]) not in there]
    return {_submit(sample).pk: sample for sample in missing}


def _submit(sample: Sample) -> Inquiry:
    return services.submit(
        customer_name=sample["customer_name"],
        email=sample["email"],
        message=sample["message"],
        source=Source(sample["source"]),
    ).inquiry


def wait_for_analyses(ids: list[int], seconds: float) -> None:
    """Return when the worker has read all of them, or after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and Inquiry.objects.filter(pk__in=ids, ai_state__in=LIVE).exists():
        time.sleep(0.5)


def act(pk: int, sample: Sample, actor: User) -> None:
    """Do what the sample says that the team did."""
    inquiry = Inquiry.objects.for_detail().get(pk=pk)
    if name := sample.get("correct"):
        inquiry = _correct(inquiry, name, actor)
    if (mood := sample.get("sentiment")) and mood != inquiry.sentiment:
        inquiry = services.correct_sentiment(inquiry, actor=actor, sentiment=Sentiment(mood))
    if text := sample.get("edit"):
        services.save_reply(inquiry, actor=actor, text=text, version=inquiry.reply_version)
    if text := sample.get("answer"):
        services.send_answer(inquiry, actor=actor, text=text, version=inquiry.reply_version)
    if reason := sample.get("close"):
        services.close(inquiry, actor=actor, reason=reason)
    if sample.get("spam"):
        services.mark_spam(inquiry, actor=actor)


def _correct(inquiry: Inquiry, name: str, actor: User) -> Inquiry:
    category = Category.objects.live().filter(name=name).first()
    if category is None or category == inquiry.category:
        return inquiry
    return services.correct_category(inquiry, actor=actor, category=category)


@transaction.atomic
def grow_old(pk: int, age: timedelta) -> None:
    """Move an inquiry into the past, so that the desk looks lived in; people act a while after it came."""
    arrived, acted = age, age * 0.9
    inquiry = Inquiry.objects.filter(pk=pk).exclude(ai_state__in=LIVE)
    moved = inquiry.touch(
        created_at=F("created_at") - arrived,
        ai_started_at=F("ai_started_at") - arrived,
        analysed_at=F("analysed_at") - arrived,
        answered_at=F("answered_at") - acted,
    )
    if not moved:
        return
    Analysis.objects.filter(inquiry=pk).update(
        created_at=F("created_at") - arrived,
        started_at=F("started_at") - arrived,
        finished_at=F("finished_at") - arrived,
    )
    InquiryEvent.objects.filter(inquiry=pk).update(
        created_at=F("created_at") - acted, updated_at=F("updated_at") - acted
    )
    then = F("created_at") - acted
    Correction.objects.filter(inquiry=pk).update(created_at=then)
    Message.objects.filter(inquiry=pk).update(created_at=then, published_at=then)
