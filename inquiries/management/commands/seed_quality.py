"""`manage.py seed_quality N`: made-up history, so that the quality page can be looked at without waiting for months."""

from __future__ import annotations

import random
from argparse import ArgumentParser, ArgumentTypeError
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from inquiries.models import Analysis, Category, Correction, Inquiry, Message, Outcome, Usage, User
from inquiries.states import AnalysisState, DraftUse, MessageKind, Sentiment, Status

DAYS = 90
BATCH = 500
SEED = 7  # the same history each time
FALLBACK_TEXTS = ("Hola, necesito ayuda con mi último pedido.", "Buenas tardes, ¿me pueden orientar con una consulta?")
NAMES = (
    "Ana Ruiz",
    "Luis Ospina",
    "Rocío Mamani",
    "Diego Sosa",
    "Carla Núñez",
    "Joaquín Vera",
    "Marta Gil",
    "Iván Paz",
)
DRAFT = (
    "Hola: gracias por escribirnos. Ya estamos revisando su consulta y le responderemos hoy mismo. Saludos cordiales."
)
MONEY_IN, MONEY_OUT = Decimal("0.00000025"), Decimal("0.000002")  # for a token


@dataclass(frozen=True, slots=True)
class Reader:
    """An engine in made-up history: how much better than the other it reads, and what an analysis takes."""

    engine: str
    model: str
    versions: tuple[str, str]  # the later one from the middle of the span on
    lead: float
    milliseconds: int
    tokens_in: int = 0
    tokens_out: int = 0


EMBEDDED = Reader("embedded", "use-m3", ("embedded-1", "embedded-1"), 0.0, 22)
OPENAI = Reader("openai", "gpt-5-mini", ("2026-09-1", "2026-11-2"), 0.05, 1_900, 1_350, 210)


@dataclass(slots=True)
class Made:
    """The rows of one answered inquiry; `correction` only where a person set or confirmed the category."""

    inquiry: Inquiry
    analysis: Analysis
    answer: Message
    outcome: Outcome
    correction: Correction | None


class Command(BaseCommand):
    help = "Fill an empty desk with N made-up answered inquiries of the last 90 days, for looking at the quality page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=_positive, metavar="N")
        parser.add_argument("--force", action="store_true", help="also where the desk holds inquiries already")

    def handle(self, *args: Any, **options: Any) -> None:
        if Inquiry.objects.exists() and not options["force"]:
            raise CommandError("This desk holds inquiries, and made-up ones would mix with them; --force does it.")
        history = History(list(Category.objects.live()), User.objects.filter(is_active=True).order_by("pk").first())
        done, total = 0, options["count"]
        while done < total:
            size = min(BATCH, total - done)
            history.save([history.make((done + index) / total) for index in range(size)])
            done += size
            is_over_written = self.stdout.isatty() and done < total
            self.stdout.write(f"{done} / {total}", ending="\r" if is_over_written else "\n")
            self.stdout.flush()


def _positive(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise ArgumentTypeError("a number from 1 to 1000000")
    return int(text)


class History:
    """Makes inquiries that engines read ever better; some categories stay harder than others."""

    def __init__(self, categories: list[Category], actor: User | None) -> None:
        if not categories:
            raise CommandError("There is no active category: `manage.py setup` loads the default ones.")
        self.categories, self.actor = categories, actor
        self.texts = {row.pk: row.example_lines() or FALLBACK_TEXTS for row in categories}
        self.chance = random.Random(SEED)  # noqa: S311 (samples, not secrets)
        self.now = timezone.now()

    def make(self, progress: float) -> Made:
        """Make one inquiry; `progress` runs from 0, the oldest, to 1, the newest."""
        place = self._weighted_place()
        reader = OPENAI if self.chance.random() < 0.35 + 0.4 * progress else EMBEDDED
        is_right = self.chance.random() < 0.97 - 0.05 * (place % 5) - 0.12 * (1 - progress) + reader.lead
        held = self.categories[place]
        # The one before it in the list is what a category is mostly taken for.
        said = held if is_right else self.categories[place - self.chance.choice((1, 1, 1, 2)) % len(self.categories)]
        answered = self.now - timedelta(days=(DAYS - 1) * (1 - progress))
        inquiry = self._inquiry(held, answered, reader, is_right=is_right)
        analysis = self._analysis(inquiry, said, reader, progress)
        outcome = self._outcome(inquiry, analysis, held, progress)
        answer = Message(
            inquiry=inquiry,
            kind=MessageKind.ANSWER,
            body=inquiry.reply or "",
            author=self.actor,
            created_at=answered,
            published_at=answered,
        )
        return Made(inquiry, analysis, answer, outcome, self._correction(outcome) if outcome.category_touched else None)

    def _weighted_place(self) -> int:
        weights = [1 / (place + 1.5) for place in range(len(self.categories))]
        return self.chance.choices(range(len(self.categories)), weights)[0]

    def _inquiry(self, held: Category, answered: datetime, reader: Reader, *, is_right: bool) -> Inquiry:
        name = self.chance.choice(NAMES)
        received = answered - timedelta(minutes=self.chance.randint(4, 600))
        return Inquiry(
            customer_name=name,
            email=f"cliente{self.chance.randint(1, 99_999)}@example.com",
            message=self.chance.choice(self.texts[held.pk]),
            status=Status.ANSWERED,
            category=held,
            category_by_person=not is_right or self.chance.random() < 0.2,
            sentiment=self.chance.choice(Sentiment.values),
            suggested_reply=DRAFT,
            reply=DRAFT,
            ai_state=AnalysisState.DONE,
            engine=reader.engine,
            model=reader.model,
            confidence=round(min(max(self.chance.gauss(0.84 if is_right else 0.63, 0.13), 0.05), 0.99), 3),
            language="es",
            analysed_at=received + timedelta(seconds=3),
            created_at=received,
            updated_at=answered,
            answered_at=answered,
        )

    def _analysis(self, inquiry: Inquiry, said: Category, reader: Reader, progress: float) -> Analysis:
        mood = inquiry.sentiment if self.chance.random() < 0.86 + 0.08 * progress else Sentiment.NEUTRAL
        tokens_in = int(reader.tokens_in * self.chance.uniform(0.7, 1.4))
        tokens_out = int(reader.tokens_out * self.chance.uniform(0.6, 1.5))
        return Analysis(
            inquiry=inquiry,
            state=AnalysisState.DONE,
            due_at=None,
            attempts=1,
            engine=reader.engine,
            model=reader.model,
            prompt_version=reader.versions[progress >= 0.5],
            category=said.name,
            category_row=said,
            sentiment=mood or "",
            language="es",
            reply=DRAFT,
            claimed_confidence=inquiry.confidence,
            confidence=inquiry.confidence,
            abstained=bool(inquiry.category_by_person and self.chance.random() < 0.08),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=tokens_in * MONEY_IN + tokens_out * MONEY_OUT,
            duration_ms=int(reader.milliseconds * self.chance.lognormvariate(0, 0.35)),
            created_at=inquiry.created_at,
            started_at=inquiry.created_at,
            finished_at=inquiry.analysed_at,
        )

    def _outcome(self, inquiry: Inquiry, analysis: Analysis, held: Category, progress: float) -> Outcome:
        weights = (0.26 + 0.24 * progress, 0.42, 0.24 - 0.14 * progress, 0.05)
        use = self.chance.choices((DraftUse.UNCHANGED, DraftUse.EDITED, DraftUse.DISCARDED, DraftUse.NONE), weights)[0]
        distances = {
            DraftUse.UNCHANGED: 0.0,
            DraftUse.EDITED: self.chance.betavariate(1.6, 5 + 3 * progress) * 0.6,
            DraftUse.DISCARDED: self.chance.uniform(0.6, 0.95),
        }
        return Outcome(
            inquiry=inquiry,
            analysis=analysis,
            engine=analysis.engine,
            model=analysis.model,
            prompt_version=analysis.prompt_version,
            ai_category="" if analysis.abstained else analysis.category,
            category=held.name,
            category_touched=inquiry.category_by_person,
            ai_sentiment=analysis.sentiment,
            sentiment=inquiry.sentiment or "",
            sentiment_touched=analysis.sentiment != inquiry.sentiment,
            claimed_confidence=analysis.claimed_confidence,
            confidence=analysis.confidence,
            draft_use=use,
            edit_distance=distances.get(use),
            actor=self.actor,
            created_at=inquiry.answered_at or self.now,
        )

    def _correction(self, outcome: Outcome) -> Correction:
        return Correction(
            inquiry=outcome.inquiry,
            field=Correction.Field.CATEGORY,
            ai_value=outcome.ai_category,
            human_value=outcome.category,
            previous_value=outcome.ai_category,
            actor=self.actor,
            engine=outcome.engine,
            model=outcome.model,
            prompt_version=outcome.prompt_version,
            created_at=outcome.created_at,
        )

    @transaction.atomic
    def save(self, made: list[Made]) -> None:
        """Write the rows and book what the analyses took on their days."""
        rows: tuple[list[Model], ...] = (
            [each.inquiry for each in made],
            [each.analysis for each in made],
            [each.answer for each in made],
            [each.outcome for each in made],
            [each.correction for each in made if each.correction],
        )
        for group in rows:
            if group:
                type(group[0])._default_manager.bulk_create(group)
        for key, added in _usage(made):
            Usage.objects.get_or_create(day=key[0], engine=key[1], model=key[2])
            more: dict[str, Any] = {name: F(name) + value for name, value in added.items()}
            Usage.objects.filter(day=key[0], engine=key[1], model=key[2]).update(**more)


def _usage(made: list[Made]) -> Iterator[tuple[tuple[date, str, str], dict[str, Any]]]:
    """Sum up what the analyses took, by day, engine and model."""
    by_key: dict[tuple[date, str, str], list[Analysis]] = defaultdict(list)
    for each in made:
        day = timezone.localdate(each.analysis.created_at, timezone.get_default_timezone())
        by_key[day, each.analysis.engine, each.analysis.model].append(each.analysis)
    for key, analyses in by_key.items():
        yield (
            key,
            {
                "calls": len(analyses),
                "tokens_in": sum(analysis.tokens_in for analysis in analyses),
                "tokens_out": sum(analysis.tokens_out for analysis in analyses),
                "cost": sum((analysis.cost or Decimal(0) for analysis in analyses), Decimal(0)),
                "milliseconds": sum(analysis.duration_ms or 0 for analysis in analyses),
            },
        )
