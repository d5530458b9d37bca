"""`manage.py fake_openai`: a Chat Completions server to try POK against, without a key or a network."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inquiries.ai.fake_server import SCENARIOS, FakeOpenAI


class Command(BaseCommand):
    help = "Run a fake OpenAI server; set OPENAI_BASE_URL to the address it prints."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9099, help="0 takes a free one")
        parser.add_argument("--scenario", default="ok", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
        parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")

    def handle(self, *args: Any, **options: Any) -> None:
        server = FakeOpenAI(options["host"], options["port"], scenario=options["scenario"], latency=options["latency"])
        self.stdout.write(f"OPENAI_BASE_URL={server.base_url}")
        self.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            server.stopping.set()
            server.server_close()
