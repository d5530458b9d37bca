"""`python -m bench.chaos --database sqlite|postgres`: break POK for a while, then count.

`--short` is the form of `make test`. The table goes to standard output, with `--json` into a file too; the exit code
is 1 where anything was lost, doubled or stuck.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from bench.chaos.clients import Clients, Ledger
from bench.chaos.faults import Faults
from bench.chaos.fleet import Fleet
from bench.chaos.outside import MoodyOpenAI, Postbox, mail_server
from bench.chaos.people import Agent
from bench.chaos.servers import NotInstalled, OwnServers
from bench.installation import Installation, Sqlite, Stores, answers, free_port, wait_until

if TYPE_CHECKING:
    from bench.chaos.audit import Audit

NOT_INSTALLED = 77  # the exit code by which test runners know a test that was skipped
SET_UP = """
from inquiries.models import SiteSettings
SiteSettings.objects.update_or_create(pk=1, defaults={"daily_public_inquiries": None})
"""


@dataclass(frozen=True)
class Plan:
    """How much of everything. Times are in seconds."""

    inquiries: int
    rate: float  # posts a second
    kills: int
    pause: float  # between two faults
    settle: float  # for everything to be finished afterwards
    latency: float = 0.3  # of the AI
    seed: int = 1


LONG = Plan(inquiries=1_100, rate=11.0, kills=24, pause=3.2, settle=150.0)
SHORT = Plan(inquiries=60, rate=6.0, kills=5, pause=0.6, settle=90.0, latency=0.2)


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description="Break POK for a while, then count.")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--short", action="store_true", help="a few dozen inquiries and four kills")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    parser.add_argument("--json", type=Path, help="write the counts to this file too")
    options = parser.parse_args()
    plan = Plan(**asdict(SHORT if options.short else LONG) | {"seed": options.seed})
    try:
        stores: Stores = OwnServers() if options.database == "postgres" else Sqlite()
    except NotInstalled as missing:
        sys.stdout.write(f"chaos on PostgreSQL and Redis skipped: {missing}.\n")
        return NOT_INSTALLED
    audit = run(stores, plan)
    sys.stdout.write(as_table(stores.name, audit))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"stores": stores.name, "plan": asdict(plan)} | asdict(audit), indent=2))
    return 0 if audit.is_clean else 1


def run(stores: Stores, plan: Plan) -> Audit:
    """Start everything, break it while clients post, wait until it has settled, count."""
    postbox, openai = Postbox(seed=plan.seed), MoodyOpenAI(latency=plan.latency, seed=plan.seed)
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(openai)
        mail = mail_server(postbox)
        mail.start()
        stack.callback(mail.stop)
        variables = {
            "OPENAI_BASE_URL": openai.base_url,
            "POK_AI_DEADLINE": "4",
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        }
        box = stack.enter_context(Installation(stores, **variables))
        box.shell(SET_UP)
        use_database_of(box)
        from bench.chaos import audit

        port, ledger = free_port(), Ledger()
        fleet = Fleet(box, port)
        stack.callback(fleet.rest)
        fleet.start()
        wait_until(lambda: answers(port), "the web server to answer")
        faults, agent = Faults(box, fleet, plan.seed), Agent(port, box.environment["POK_ADMIN_PASSWORD"], plan.seed)
        clients = Clients(port, plan.inquiries, plan.rate, addresses=max(10, plan.inquiries // 8))
        _break(clients, agent, ledger, faults, plan)
        ended = time.monotonic()
        settled = wait_settled(audit.is_settled, plan.settle)
        found = audit.take(ledger, agent, openai, postbox)
        found.counts |= {"kills": faults.kills, **dict(sorted(faults.struck.items()))}
        found.counts |= {"seconds of chaos": round(ended - started), "seconds to settle": round(settled)}
        return found


def _break(clients: Clients, agent: Agent, ledger: Ledger, faults: Faults, plan: Plan) -> None:
    """Post, answer and break at once, until all was posted, answered and broken."""
    stop, no_more_come = Event(), Event()
    breaking = Thread(target=faults.strike_until, args=(plan.kills, plan.pause, stop))
    answering = Thread(target=agent.work, args=(ledger, no_more_come))
    breaking.start()
    answering.start()
    try:
        clients.run(ledger, plan.seed)
        breaking.join(plan.kills * plan.pause * 4)
    finally:
        stop.set()
        no_more_come.set()
        breaking.join()
        answering.join()


def use_database_of(box: Installation) -> None:
    """Set Django up in this process on the installation's database."""
    os.environ |= box.environment | {"DJANGO_SETTINGS_MODULE": "pok.settings"}
    import django

    django.setup()


def wait_settled(is_settled: object, seconds: float) -> float:
    """Wait until no job is left; the seconds that it took, at most so many."""
    started = time.monotonic()
    try:
        wait_until(is_settled, "everything to be finished", seconds, pause=0.5)  # type: ignore[arg-type]
    except TimeoutError:
        sys.stderr.write("chaos: not everything was finished in time\n")
    return time.monotonic() - started


def as_table(name: str, audit: Audit) -> str:
    """The counts as lines; what must be 0 stands last."""
    lines = [f"chaos on {name}", *(f"{count:>8}  {what}" for what, count in audit.counts.items()), "must be 0:"]
    lines += [f"{count:>8}  {what}{'  <-- !' if count else ''}" for what, count in audit.faults.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
