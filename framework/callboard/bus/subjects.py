"""Subjects: which stream one belongs to, what a message on it may be, and how wildcards match."""

from __future__ import annotations

import re

from callboard.bus import INTAKE, MAX_MESSAGE, OUTBOX
from callboard.errors import MessageRefused

IN, OUT = "CB_IN", "CB_OUT"
"""The two streams, as NATS names them."""

MAX_SUBJECT = 512
"""Bytes of a subject; the server's own limit for a whole protocol line is 4096."""

_PART = r"[^\s.*>\x00-\x1f\x7f]+"
_PLAIN = re.compile(rf"{_PART}(\.{_PART})*")
_PATTERN = re.compile(rf"({_PART}|\*)(\.({_PART}|\*))*(\.>)?|>")


def stream_of(subject: str) -> str:
    """Name the stream that *subject*, a wildcard or a prefix belongs to; empty when it is no stream's."""
    for prefix, stream in ((INTAKE, IN), (OUTBOX, OUT)):
        if subject == prefix or subject.startswith(prefix + "."):
            return stream
    return ""


def check_subject(subject: str, *, wildcards: bool = False) -> None:
    """Refuse what no broker would take, before it reaches the protocol.

    Raises:
        MessageRefused: the subject is empty, too long, or holds spaces, control characters or wildcards.
    """
    rule = _PATTERN if wildcards else _PLAIN
    if len(subject.encode("utf-8", "replace")) > MAX_SUBJECT or not rule.fullmatch(subject):
        raise MessageRefused("subject", f"{subject[:80]!r} is not a subject")


def check_body(subject: str, body: bytes) -> None:
    """Refuse a body longer than a message may be.

    Raises:
        MessageRefused: it is longer than ``MAX_MESSAGE`` bytes.
    """
    if len(body) > MAX_MESSAGE:
        raise MessageRefused(
            "too-long", f"{subject}: {len(body)} bytes, at most {MAX_MESSAGE} go in a message; send a reference instead"
        )


def check_stored(subject: str, body: bytes) -> str:
    """Check a message for a stream and name that stream.

    Raises:
        MessageRefused: the body is too long, or the subject is not a stream's.
    """
    check_subject(subject)
    check_body(subject, body)
    stream = stream_of(subject)
    if not stream or subject in (INTAKE, OUTBOX):
        raise MessageRefused("subject", f"{subject!r} is under neither {INTAKE} nor {OUTBOX}, so nothing stores it")
    return stream


def matches(pattern: str, subject: str) -> bool:
    """Say whether *subject* matches *pattern*: ``*`` is one token, ``>`` the rest, at least one."""
    want, have = pattern.split("."), subject.split(".")
    for index, part in enumerate(want):
        if part == ">":
            return len(have) > index
        if index >= len(have) or part not in ("*", have[index]):
            return False
    return len(want) == len(have)
