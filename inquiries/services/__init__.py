"""The verbs: what people, customers and integrators can do to an inquiry. Each is one transaction."""

from __future__ import annotations

from inquiries.services import comparisons, prompts
from inquiries.services.follow_up import TooManyFollowUps, follow_up
from inquiries.services.intake import IdempotencyConflict, Replay, Submission, submit
from inquiries.services.labels import NothingToUndo, correct_category, correct_sentiment, undo_correction
from inquiries.services.machine import dismiss, pause_analysis, resume_analysis
from inquiries.services.mail import queue_answer, queue_receipt, send_again, settle
from inquiries.services.reply import (
    AlreadySent,
    EmptyReply,
    LeftoverMarks,
    ReplyConflict,
    TooLate,
    save_reply,
    send_answer,
    start_from_answer,
    undo_send,
    use_draft,
)
from inquiries.services.review import remark_doubtful
from inquiries.services.status import close, mark_spam, reopen, retry, retry_failed, unmark_spam

__all__ = [
    "AlreadySent",
    "EmptyReply",
    "IdempotencyConflict",
    "LeftoverMarks",
    "NothingToUndo",
    "Replay",
    "ReplyConflict",
    "Submission",
    "TooLate",
    "TooManyFollowUps",
    "close",
    "comparisons",
    "correct_category",
    "correct_sentiment",
    "dismiss",
    "follow_up",
    "mark_spam",
    "pause_analysis",
    "prompts",
    "queue_answer",
    "queue_receipt",
    "remark_doubtful",
    "reopen",
    "resume_analysis",
    "retry",
    "retry_failed",
    "save_reply",
    "send_again",
    "send_answer",
    "settle",
    "start_from_answer",
    "submit",
    "undo_correction",
    "undo_send",
    "unmark_spam",
    "use_draft",
]
