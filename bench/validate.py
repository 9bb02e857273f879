"""What judging a message costs: the codec beside bare msgspec and json.loads, for good and for hostile messages.

Goals: reading a message as our own writers make it takes at most twice what bare msgspec takes, which checks types
only; refusing takes no longer than reading a good message of its size.

Processor time of this thread, taken in turns and small batches, so that a busy machine counts little; each figure is
the median over the rounds, in microseconds, and each ratio the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from callboard import codec
from callboard.bus import MAX_MESSAGE
from callboard.errors import MessageRefused
from callboard_schemas import Asset, Captions, Cue, Envelope, MediaSettled, Place, Word
from rich.console import Console
from rich.table import Table

ROUNDS = 60


def messages() -> dict[str, bytes]:
    """Make a 1 KiB event and four minutes of captions with word times."""
    place = Place(root="footage", path="day 03/A-cam/" + "take " * 60 + "/clip_0001.mov")
    asset = Asset(digest="sha256:" + "a" * 64, place=place, kind="video", size=123456789, mtime_ns=1767600000123456789)
    settled = MediaSettled(asset=asset, settle_seconds=2.25, plugins=("autotag", "caption"))
    pick = random.Random(1)
    cues = []
    for number in range(60):
        at = number * 4.0
        words = tuple(
            Word(
                text=pick.choice(["night", "stage", "falls", "everyone", "a"]),
                start=round(at + 0.31 * word, 3),
                end=round(at + 0.31 * word + 0.25, 3),
                confidence=round(pick.random(), 4),
            )
            for word in range(9)
        )
        line = " ".join(word.text for word in words)
        cues.append(Cue(id=number, start=at, end=at + 2.9, lines=(line,), confidence=0.8731, words=words))
    captions = Captions(language="en", cues=tuple(cues), confidence=0.87, duration=240.0)
    when = datetime(2026, 1, 5, 9, 30, 0, 250000, tzinfo=UTC)
    return {
        "event": codec.encode(codec.make("media.settled", settled, source="callboard:watch", subject="x", time=when)),
        "captions": codec.encode(codec.make("result.captions", captions, source="callboard:board", time=when)),
    }


def variants(body: bytes) -> dict[str, bytes]:
    """Make good and hostile messages of about the same size as *body*."""
    last = b'"settle_seconds":' if b'"settle_seconds":' in body else b'"duration":'
    return {
        "good: spaced by another writer": json.dumps(json.loads(body)).encode(),
        "good: a field of a later minor": body.replace(b'"data":{', b'"data":{"later":1,', 1),
        "second key in the data": body.replace(last, last + b"1.0," + last, 1),
        "second key in the envelope": body.replace(b'"id":"', b'"id":"x","id":"', 1),
        "wrong type, last field": body.replace(last, last + b'"x",' + b'"was":', 1),
        "cut short": body[:-1],
        "unknown type": body.replace(b'"type":"', b'"type":"un', 1),
        "newer major": body.replace(b':1.0"', b':2.0"', 1),
        "bad UTF-8": body[:-4] + b"\xff" + body[-4:],
        "deep, never closed": b'{"specversion":' + b"[" * (len(body) - 16),
        "deep, closed": body[:-1] + b',"later":' + b"[" * 40 + b"]" * 40 + b"}",
        "deep, mixed": b'{"data":' + b'[{"a":' * ((len(body) - 8) // 6),
        "one byte over the limit": b" " * (MAX_MESSAGE + 1),
    }


def judged(body: bytes) -> str:
    """Say what becomes of a message."""
    try:
        codec.decode(body)
    except MessageRefused as refused:
        return refused.reason
    return "read"


def measure(contestants: dict[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Time each in turn, *count* calls at once, and give microseconds a call for each round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, call in contestants.items():
            started = time.thread_time()
            for _ in range(count):
                call()
            times[name].append((time.thread_time() - started) / count * 1e6)
    return times


def main() -> None:
    """Print one table a message."""
    console = Console(width=110)
    envelope_of = msgspec.json.Decoder(Envelope).decode
    for name, body in messages().items():
        struct = MediaSettled if name == "event" else Captions
        data_of = msgspec.json.Decoder(struct).decode

        def bare(body: bytes = body, data_of: Callable[[msgspec.Raw], object] = data_of) -> object:
            return data_of(envelope_of(body).data)

        contestants: dict[str, Callable[[], object]] = {
            "bare msgspec": bare,
            "json.loads": lambda body=body: json.loads(body),  # type: ignore[misc]  # mypy cannot infer a lambda's default
            "codec": lambda body=body: judged(body),  # type: ignore[misc]  # as above
        }
        hostile = variants(body)
        for label, other in hostile.items():
            contestants[label] = lambda other=other: judged(other)  # type: ignore[misc]  # as above
        times = measure(contestants, 100 if name == "event" else 2)
        table = Table(
            "message", "becomes", "µs", "x bare msgspec", "x reading it good", title=f"{name}, {len(body)} bytes"
        )
        for label, taken in times.items():
            by_bare, by_good = (
                statistics.median(mine / other for mine, other in zip(taken, times[base], strict=True))
                for base in ("bare msgspec", "codec")
            )
            becomes = judged(hostile[label]) if label in hostile else ""
            table.add_row(label, becomes, f"{statistics.median(taken):.1f}", f"{by_bare:.2f}", f"{by_good:.2f}")
        console.print(table)


if __name__ == "__main__":
    main()
