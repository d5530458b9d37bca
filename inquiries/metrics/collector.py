"""The tables' figures for Prometheus, read when it asks.

Counters are sums over the table of usage, which nobody empties: they survive every restart. They fall when a backup
is restored, which Prometheus takes for a restart. What the tables cannot count cheaply over all time is a gauge of the
last hour. Only `pok.meters` imports this module: the library is loaded where somebody is scraping.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.models import Max, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inquiries.metrics.heartbeats import workers
from inquiries.metrics.last_hour import SPAN, pace
from inquiries.metrics.mails import mail
from inquiries.metrics.outside import Light, ai_service, backup, mail_service
from inquiries.metrics.waiting import backlog, queue
from inquiries.models import Delivery, Inquiry, SiteSettings, Usage
from inquiries.models.inquiry import COUNT_CAP
from inquiries.states import AnalysisState, DeliveryState

MOST_MODELS = 50
CAPPED = f"counted up to {COUNT_CAP + 1}"
Gauge = GaugeMetricFamily


class TablesCollector(Collector):
    """Everything that the tables and the queue know; only that they are away while they are."""

    def describe(self) -> list[Metric]:
        """Name nothing: asked at registration, an answer would read the tables."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read it all, or nothing where the database does not answer."""
        yield from _queue()
        try:
            families = [*_backlog(), *_pace(), *_usage(), *_mail(), *_workers(), *_services()]
        except (DatabaseError, ImproperlyConfigured, OSError):
            yield Gauge("pok_database_up", "Whether the database answers.", 0)
            return
        yield Gauge("pok_database_up", "Whether the database answers.", 1)
        yield from families


def _queue() -> Iterator[Metric]:
    found = queue()
    yield Gauge("pok_queue_up", "Whether the queue can be reached.", found.is_up)
    if found.depth is not None:
        yield Gauge("pok_queue_entries", "Signals to the workers that wait in Redis to be heard.", found.depth)


def _backlog() -> Iterator[Metric]:
    states = Gauge("pok_inquiries", f"Inquiries by the state of their analysis, each {CAPPED}.", labels=["ai_state"])
    for state in AnalysisState:
        states.add_metric([state.value], Inquiry.objects.filter(ai_state=state).capped_count())
    yield states
    found = backlog()
    yield Gauge("pok_analyses_stuck", f"Analyses that nobody took up for over a minute, {CAPPED}.", found.stuck)
    yield Gauge("pok_inquiries_failed_unread", f"Failed ones that wait for a person, {CAPPED}.", found.failed)
    age = found.oldest.total_seconds() if found.oldest else 0.0
    yield Gauge("pok_oldest_waiting_seconds", "Age of the oldest inquiry whose analysis is not done; 0: none.", age)
    is_paused = SiteSettings.current().is_analysis_paused
    yield Gauge("pok_analysis_paused", "Whether a supervisor has paused the analysis.", is_paused)


def _pace() -> Iterator[Metric]:
    found = pace()
    ended = Gauge(
        "pok_analyses_last_hour",
        "Analyses that ended in the last hour, by engine where one answered and by reason where none did.",
        labels=["outcome", "engine", "reason"],
    )
    for engine, count in found.engines.items():
        ended.add_metric(["done", engine, ""], count)
    for reason, count in found.reasons.items():
        ended.add_metric(["failed", "", reason], count)
    yield ended
    yield Gauge("pok_analyses_repeated_last_hour", "Those of them that needed more than one attempt.", found.repeated)
    times = {"waiting": found.total.waiting, "reading": found.total.reading}
    for name, quantiles in times.items():
        family = Gauge(
            f"pok_analysis_{name}_seconds_last_hour", f"The {name} of these, by quantile.", labels=["quantile"]
        )
        for label, milliseconds in (("0.5", quantiles.median), ("0.95", quantiles.p95)):
            if milliseconds is not None:
                family.add_metric([label], milliseconds / 1_000)
        yield family


def _usage() -> Iterator[Metric]:
    labels = ["engine", "model"]
    calls = CounterMetricFamily("pok_ai_calls", "Answers of an engine, of use or not.", labels=labels)
    tokens = CounterMetricFamily("pok_ai_tokens", "Tokens, by direction.", labels=[*labels, "direction"])
    cost = CounterMetricFamily("pok_ai_cost", "Money, by the prices of the settings.", labels=labels)
    spent = CounterMetricFamily("pok_ai_seconds", "Seconds that the answers took.", labels=labels)
    for row in _usage_by_model():
        names = [row["engine"], row["model"]]
        calls.add_metric(names, row["n"])
        tokens.add_metric([*names, "in"], row["sent"])
        tokens.add_metric([*names, "out"], row["received"])
        cost.add_metric(names, float(row["money"]))
        spent.add_metric(names, row["time"] / 1_000)
    yield from (calls, tokens, cost, spent)


def _usage_by_model() -> list[dict[str, Any]]:
    """One row for each engine and model that was ever used, the last used first: the table has one a day for each."""
    sums = Usage.objects.values("engine", "model").annotate(
        n=Sum("calls"),
        sent=Sum("tokens_in"),
        received=Sum("tokens_out"),
        money=Sum("cost"),
        time=Sum("milliseconds"),
        last=Max("day"),
    )
    return [dict(row) for row in sums.order_by("-last", "engine", "model")[:MOST_MODELS]]


def _mail() -> Iterator[Metric]:
    found = mail()
    states = Gauge("pok_emails", f"Emails to customers by state, each {CAPPED}.", labels=["state"])
    for name, count in (("queued", found.queued), ("failed", found.failed), ("unknown", found.unknown)):
        states.add_metric([name], count)
    yield states
    ended = (
        Delivery.objects.filter(finished_at__gt=Now() - SPAN).order_by("-finished_at").values_list("state", flat=True)
    )
    sent = sum(state == DeliveryState.SENT for state in ended[: COUNT_CAP + 1])
    yield Gauge("pok_emails_sent_last_hour", f"Emails that the mail server took in the last hour, {CAPPED}.", sent)


def _workers() -> Iterator[Metric]:
    alive = [worker for worker in workers() if worker.is_alive]
    yield Gauge("pok_workers_alive", "Worker processes with a heartbeat.", len(alive))
    threads = sum(worker.threads for worker in alive)
    yield Gauge("pok_worker_threads", "Analyses that these can do at a time.", threads)


def _services() -> Iterator[Metric]:
    up = Gauge("pok_service_up", "Whether an outside service that is set up answers.", labels=["service"])
    for name, service in (("openai", ai_service()), ("mail", mail_service())):
        if service is not None and service.light != Light.OFF:
            up.add_metric([name], service.light != Light.RED)
    yield up
    newest = backup()
    if newest.at is not None:
        age = max((timezone.now() - newest.at).total_seconds(), 0.0)
        yield Gauge("pok_backup_age_seconds", "Age of the newest backup; absent where there is none.", age)
