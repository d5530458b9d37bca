"""`manage.py seed_bench N`: N made-up inquiries of two years, a million in minutes, to measure POK by."""

from __future__ import annotations

import base64
import hashlib
import random
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone
from tqdm import tqdm

from inquiries import search
from inquiries.management.bulk import Table, reset_numbers
from inquiries.management.made_up import RARE_EVERY, RARE_WORD, Writer, draft_for
from inquiries.models import Analysis, Category, Inquiry, InquiryEvent, Message, Outcome, User
from inquiries.states import (
    WAITING,
    AIReason,
    AnalysisState,
    DraftUse,
    EventKind,
    MessageKind,
    Sentiment,
    Source,
    SpamReason,
    Status,
)

TOKEN_MARK = "bench-"  # noqa: S105 - what tells a seeded inquiry from a real one
WEEKS = 104
BATCH = 10_000
MOST = 20_000_000
# An inquiry's hour of the week: quiet nights, half of it on Saturdays and Sundays.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 16, 14, 15, 17, 18, 16, 12, 9, 7, 5, 3, 2)
WEEK = tuple(accumulate(share / (2 if day > 4 else 1) for day in range(7) for share in HOURS))
# Most of what is old is done with; a few stay waiting for ever.
RECENT = 0.95
STATUSES = (Status.NEW, Status.OPEN, Status.ANSWERED, Status.CLOSED, Status.SPAM)
STATUS_SHARES = {True: tuple(accumulate((16, 24, 38, 16, 6))), False: tuple(accumulate((1, 4, 300, 640, 55)))}
SENTIMENTS = (Sentiment.NEUTRAL, Sentiment.NEGATIVE, Sentiment.POSITIVE)
SENTIMENT_SHARES = tuple(accumulate((55, 32, 13)))
DOUBT = 0.5
HISTORY_SHARE = 0.25  # of the finished ones have their thread, their history and their analysis
READERS = (("embedded", "use-m3", "embedded-1", 22), ("openai", "gpt-5-mini", "2026-11-2", 1_900))
Row = dict[str, Any]


class Command(BaseCommand):
    help = (
        "Add N made-up inquiries of the last two years, with analyses, answers and history for a share of them."
        " The same seed makes the same ones. For measuring: never on a desk that people work with."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=_count, metavar="N")
        parser.add_argument("--seed", type=int, default=7, help="another number makes other inquiries (default: 7)")
        parser.add_argument("--yes", action="store_true", help="also where there are inquiries that are not made up")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"] and Inquiry.objects.exclude(public_token__startswith=TOKEN_MARK).exists():
            raise CommandError("This desk holds real inquiries, and made-up ones would mix with them; --yes does it.")
        maker = Maker(options["count"], options["seed"])
        is_most = maker.count >= Inquiry.objects.count()
        with search.paused(connection) if is_most else nullcontext():
            self._fill(maker)
            self.stdout.write("Tidying up: search, statistics.")
        self._analyze()
        self.stdout.write(f"{maker.count} made-up inquiries are added.")

    def _fill(self, maker: Maker) -> None:
        has_bar = self.stderr.isatty()
        # tqdm redraws its line itself, while Django's wrapper would end each drawing with a new line.
        with tqdm(total=maker.count, file=sys.stderr, disable=not has_bar, unit="inq", dynamic_ncols=True) as bar:
            for start in range(0, maker.count, BATCH):
                size = min(BATCH, maker.count - start)
                maker.batch(start, size).save()
                bar.update(size)

    def _analyze(self) -> None:
        """Do what PostgreSQL's own vacuum would do only later; SQLite has its figures (`inquiries.planner`)."""
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            for model in (Inquiry, Analysis, Message, InquiryEvent, Outcome):
                cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(model._meta.db_table)}")


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"a number from 1 to {MOST}")
    return int(text)


@dataclass(slots=True)
class Batch:
    """Rows of all tables that belong together, ready to be written."""

    inquiries: list[Row] = field(default_factory=list)
    analyses: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    outcomes: list[Row] = field(default_factory=list)

    @transaction.atomic
    def save(self) -> None:
        """Write them, all or none."""
        Table(Inquiry).write(self.inquiries)
        Table(Analysis).write(self.analyses)
        Table(Message).write(self.messages)
        Table(InquiryEvent).write(self.events)
        Table(Outcome).write(self.outcomes)
        reset_numbers(Inquiry, Analysis)


class Maker:
    """Makes the inquiries of a desk in the order in which they came."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.seed = seed
        self.first = Table(Inquiry).next_id()
        # Those that are added to a desk are others than the ones before them.
        self.chance = random.Random(f"{seed}:{self.first}")  # noqa: S311 (samples, not secrets)
        self.categories = list(Category.objects.live())
        if not self.categories:
            raise CommandError("There is no active category: `manage.py setup` loads the default ones.")
        sentences = [row.example_lines() or (f"Tengo una consulta sobre {row.name}.",) for row in self.categories]
        self.shares = tuple(accumulate(1 / (place + 1.5) for place in range(len(self.categories))))
        self.writer = Writer(self.chance, sentences)
        self.actor = User.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True).first()
        self.now = timezone.now()
        self.times = self._times()
        self.next_analysis = Table(Analysis).next_id()

    def _times(self) -> list[float]:
        """When each came, in seconds before now, the oldest first: more by day than by night."""
        chance = self.chance
        hours = chance.choices(range(len(WEEK)), cum_weights=WEEK, k=self.count)
        ages = [int(WEEKS * chance.random()) * 604_800 + (hour + chance.random()) * 3_600 for hour in hours]
        ages.sort(reverse=True)
        return ages

    def batch(self, start: int, size: int) -> Batch:
        """Make those from the place `start` on."""
        made = Batch()
        for place in range(start, start + size):
            inquiry = self._inquiry(place)
            made.inquiries.append(inquiry)
            is_waiting = inquiry["status"] in WAITING
            if is_waiting or self.chance.random() < HISTORY_SHARE:
                self._add_history(made, inquiry)
        return made

    def _inquiry(self, place: int) -> Row:
        chance = self.chance
        topic = chance.choices(range(len(self.categories)), cum_weights=self.shares)[0]
        status = chance.choices(STATUSES, cum_weights=STATUS_SHARES[place >= self.count * RECENT])[0]
        customer = self.writer.customer(max(self.count // 3, 1))
        message = self.writer.message(topic)
        if place % RARE_EVERY == min(RARE_EVERY, self.count) - 1:
            message = f"{message} ¿Tienen un {RARE_WORD}?"
        received = self.now - timedelta(seconds=self.times[place])
        row = {
            "id": self.first + place,
            "customer_name": customer.name,
            "email": customer.email,
            "message": message,
            "source": Source.API if chance.random() < 0.2 else Source.FORM,
            "public_token": self._token(self.first + place),
            "status": status,
            "spam_reason": SpamReason.HONEYPOT if status == Status.SPAM else "",
            "created_at": received,
        }
        return row | self._reading(status, topic, received) | self._reply(row)

    def _token(self, number: int) -> str:
        """As scattered over the index as a real one; whoever knows the seed can guess it."""
        digest = hashlib.blake2b(f"{self.seed}:{number}".encode(), digest_size=18).digest()
        return TOKEN_MARK + base64.urlsafe_b64encode(digest).decode()

    def _reading(self, status: Status, topic: int, received: datetime) -> Row:
        """What the AI made of it, and what a person corrected."""
        chance = self.chance
        state, error = self._state(status)
        is_read = state == AnalysisState.DONE
        engine, model, _, milliseconds = READERS[chance.random() < 0.6]
        confidence = round(chance.betavariate(7, 2), 3) if is_read else None
        is_sure = confidence is not None and confidence >= DOUBT
        is_waiting = status in WAITING
        return {
            "category_id": self.categories[topic].pk if is_read and (is_sure or not is_waiting) else None,
            "category_by_person": is_read and not is_waiting and chance.random() < 0.12,
            "sentiment": chance.choices(SENTIMENTS, cum_weights=SENTIMENT_SHARES)[0] if is_read else None,
            "sentiment_by_person": is_read and not is_waiting and chance.random() < 0.05,
            "ai_state": state,
            "ai_error": error,
            "engine": engine if is_read else "",
            "model": model if is_read else "",
            "confidence": confidence,
            "needs_review": is_read and is_waiting and not is_sure,
            "is_provisional": is_read and chance.random() < 0.02,
            "language": "es" if is_read else "",
            "ai_started_at": received if is_read else None,
            "analysed_at": received + timedelta(milliseconds=milliseconds) if is_read else None,
        }

    def _state(self, status: Status) -> tuple[AnalysisState, str]:
        if status == Status.SPAM:
            return AnalysisState.SKIPPED, AIReason.SPAM
        draw = self.chance.random()
        if draw < 0.006:
            return AnalysisState.FAILED, self.chance.choice((AIReason.BAD_ANSWER, AIReason.REFUSED, AIReason.CRASHED))
        if draw < 0.01:
            return AnalysisState.SKIPPED, AIReason.DISABLED
        if status == Status.NEW and draw < 0.15:
            return AnalysisState.QUEUED, ""
        return AnalysisState.DONE, ""

    def _reply(self, row: Row) -> Row:
        """The draft, and the answer where one was sent."""
        status, received = row["status"], row["created_at"]
        draft = None if status == Status.SPAM else draft_for(row["customer_name"])
        is_answered = status in {Status.ANSWERED, Status.CLOSED} and self.chance.random() < 0.9
        answered = received + timedelta(minutes=4 + 900 * self.chance.random() ** 3) if is_answered else None
        return {
            "suggested_reply": draft,
            "reply": draft if is_answered else None,
            "reply_version": int(is_answered),
            "reply_by_id": self.actor if is_answered else None,
            "answered_at": answered,
            "updated_at": answered or received,
            "row_version": 2 + 2 * is_answered,
        }

    def _add_history(self, made: Batch, inquiry: Row) -> None:
        analysis = self._analysis(inquiry)
        made.analyses.append(analysis)
        if inquiry["answered_at"]:
            made.messages.append(self._answer(inquiry))
            made.outcomes.append(self._outcome(inquiry, analysis))
        if inquiry["status"] != Status.NEW:
            made.events.extend(self._events(inquiry))

    def _analysis(self, inquiry: Row) -> Row:
        is_over = inquiry["ai_state"] != AnalysisState.QUEUED
        is_read = inquiry["ai_state"] == AnalysisState.DONE
        milliseconds = READERS[inquiry["engine"] == "openai"][3] * self.chance.lognormvariate(0, 0.35)
        row = {
            "id": self.next_analysis,
            "inquiry_id": inquiry["id"],
            "state": inquiry["ai_state"],
            "error": inquiry["ai_error"],
            "due_at": None if is_over else inquiry["created_at"],
            "attempts": int(is_over),
            "engine": inquiry["engine"],
            "model": inquiry["model"],
            "prompt_version": READERS[inquiry["engine"] == "openai"][2] if is_read else "",
            "category_row_id": inquiry["category_id"],
            "sentiment": inquiry["sentiment"] or "",
            "language": inquiry["language"],
            "reply": inquiry["suggested_reply"] or "" if is_read else "",
            "claimed_confidence": inquiry["confidence"],
            "confidence": inquiry["confidence"],
            "is_provisional": inquiry["is_provisional"],
            "duration_ms": int(milliseconds) if is_read else None,
            "created_at": inquiry["created_at"],
            "started_at": inquiry["created_at"] if is_over else None,
            "finished_at": inquiry["created_at"] + timedelta(milliseconds=milliseconds) if is_over else None,
        }
        self.next_analysis += 1
        return row

    def _answer(self, inquiry: Row) -> Row:
        when = inquiry["answered_at"]
        return {
            "inquiry_id": inquiry["id"],
            "kind": MessageKind.ANSWER,
            "body": inquiry["reply"],
            "author_id": self.actor,
            "created_at": when,
            "published_at": when,
        }

    def _outcome(self, inquiry: Row, analysis: Row) -> Row:
        use = self.chance.choice((DraftUse.UNCHANGED, DraftUse.UNCHANGED, DraftUse.EDITED, DraftUse.DISCARDED))
        distances = {DraftUse.UNCHANGED: 0.0, DraftUse.EDITED: 0.2, DraftUse.DISCARDED: 0.8}
        return {
            "inquiry_id": inquiry["id"],
            "analysis_id": analysis["id"],
            "engine": inquiry["engine"],
            "model": inquiry["model"],
            "prompt_version": analysis["prompt_version"],
            "category_touched": inquiry["category_by_person"],
            "ai_sentiment": inquiry["sentiment"] or "",
            "sentiment": inquiry["sentiment"] or "",
            "sentiment_touched": inquiry["sentiment_by_person"],
            "claimed_confidence": inquiry["confidence"],
            "confidence": inquiry["confidence"],
            "draft_use": use,
            "edit_distance": distances[use],
            "actor_id": self.actor,
            "created_at": inquiry["answered_at"],
        }

    def _events(self, inquiry: Row) -> Iterator[Row]:
        """The moves that led to its status."""
        moves = [(Status.NEW, Status.OPEN)]
        if inquiry["answered_at"]:
            moves.append((Status.OPEN, Status.ANSWERED))
        if inquiry["status"] == Status.CLOSED:
            moves.append((moves[-1][1], Status.CLOSED))
        if inquiry["status"] == Status.SPAM:
            moves = [(Status.NEW, Status.SPAM)]
        for old, new in moves:
            yield {
                "inquiry_id": inquiry["id"],
                "kind": EventKind.STATUS,
                "actor_id": self.actor,
                "old": old,
                "new": new,
                "created_at": inquiry["updated_at"],
                "updated_at": inquiry["updated_at"],
            }
