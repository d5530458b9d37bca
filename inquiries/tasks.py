"""Huey tasks: ids only; what they do stands in the modules they call."""

from __future__ import annotations

from huey.contrib.djhuey import db_task, on_shutdown, on_startup

from inquiries import analysis, sweeper


@db_task()  # type: ignore[untyped-decorator]
def analyse(analysis_id: int) -> None:
    """Do one attempt of an analysis."""
    analysis.run(analysis_id)


@on_startup()  # type: ignore[untyped-decorator]
def start_sweeper() -> None:
    sweeper.start()


@on_shutdown()  # type: ignore[untyped-decorator]
def say_goodbye() -> None:
    sweeper.leave()
