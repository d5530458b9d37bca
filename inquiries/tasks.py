"""Huey tasks: ids only; what they do stands in the modules they call.

Those are imported late: a web process knows the tasks only to ring for them, and needs no engine for that.
"""

from __future__ import annotations

from huey.contrib.djhuey import db_task, on_shutdown, on_startup


@db_task()  # type: ignore[untyped-decorator]
def analyse(analysis_id: int) -> None:
    """Do one attempt of an analysis."""
    from inquiries import analysis

    analysis.run(analysis_id)


@db_task()  # type: ignore[untyped-decorator]
def send_password_link(user_id: int) -> None:
    """Send a person of the team the link to a new password."""
    from inquiries import passwords

    passwords.send_link(user_id)


@on_startup()  # type: ignore[untyped-decorator]
def start_threads() -> None:
    from inquiries import learner, postman, sweeper

    sweeper.start()
    postman.start()
    learner.start()


@on_shutdown()  # type: ignore[untyped-decorator]
def say_goodbye() -> None:
    from inquiries import learner, postman, sweeper

    learner.leave()
    postman.leave()
    sweeper.leave()
