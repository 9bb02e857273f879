"""Translation by a service that a project has configured: off unless it says so, and everything sent is counted."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from callboard.errors import Blocked, JobError, UsageError
from callboard.spending import DAY, Ledger, Limit
from msgspec import Struct

from callboard_localize.engines import Hints, Line, Method
from callboard_localize.engines.dialogue import answers, request
from callboard_localize.engines.post import Place, Post, place_of
from callboard_localize.engines.sent import audit

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Parameters

_AGAIN: Final = 2
"""Times that a request is made where the answer is not JSON: at a temperature of 0 more would not help."""
_sent: Final[dict[str, float]] = {}
_lock: Final = threading.Lock()
"""When each endpoint was last asked, by all jobs of this process."""


class Settings(Struct, frozen=True, kw_only=True):
    """What a project says of its service; an empty url is none."""

    url: str = ""
    model: str = ""
    key_file: str = ""
    seconds: float = 120.0
    requests_per_minute: int = 30
    requests_per_day: int = 1000
    characters_per_day: int = 1_000_000


def settings_of(parameters: Parameters) -> Settings:
    """Take the parameters ``service_…`` of the plugin."""
    names = Settings.__struct_fields__
    given = {name: parameters[f"service_{name}"] for name in names if f"service_{name}" in parameters}
    return msgspec.convert(given, Settings, strict=False)


def find(source: str, target: str, context: Context) -> Service | None:
    """Make the engine where a service is configured, and say aloud that texts leave the machine.

    Raises:
        JobError: what is configured cannot be used.
        Blocked: the key cannot be read, or there is nowhere to count what is sent.
    """
    settings = settings_of(context.parameters)
    if not settings.url:
        return None
    try:
        place = place_of(settings.url)
    except UsageError as error:
        raise JobError(error.message, error.hint) from None
    if not settings.model:
        raise JobError("service_url is set and service_model is not", "Name the model as the service does.")
    folder = context.folder
    if folder is None:
        raise Blocked("there is no folder to count in what is sent to a service", "Run this in a project.")
    where = "a program on this machine" if place.local else "another machine: text leaves this one"
    context.log.warning("captions are sent to %s, %s", place.shown, where)
    return Service((source, target), place, settings, folder, getattr(context, "cancelled", None))


def read_key(path: str) -> str:
    """Read a key: the first line of a file that only its owner can read.

    Raises:
        Blocked: it is not there, empty, or open to others.
    """
    if not path:
        return ""
    file = Path(path).expanduser()
    try:
        mode = file.stat().st_mode
        key = file.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Blocked(f"the key for the translation service cannot be read from {file}: {error}") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Blocked(f"others can read the key in {file}", f"chmod 600 {file}")
    if not key or not key.isascii() or not key.isprintable():
        raise Blocked(f"{file} holds no key in its first line")
    return key


class Service:
    """Asks a model behind an HTTP address."""

    method: Method = "service"
    batch = 20
    separate = False

    def __init__(
        self,
        pair: tuple[str, str],
        place: Place,
        settings: Settings,
        folder: Path,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Take the languages, where it is, how it may be used, where that is counted, and who may call it off."""
        self._pair, self._place, self._settings = pair, place, settings
        self._folder, self._ledger = folder, Ledger(folder)
        limited = {"requests": settings.requests_per_day, "characters": settings.characters_per_day}
        self._limits = [
            Limit(what=what, most=most, window=DAY, setting=f"service_{what}_per_day") for what, most in limited.items()
        ]
        self._cancelled = cancelled or threading.Event()

    @property
    def name(self) -> str:
        """The model and where it is."""
        return f"{self._settings.model} at {self._place.shown}"

    def mark(self, number: int) -> str:
        """Give ``⟦0⟧`` and so on."""
        return f"⟦{number}⟧"

    def translate(self, lines: Sequence[Line], hints: Hints) -> list[str]:
        """Ask for all lines in one request; the answers are found by their numbers, and missing ones are empty.

        Raises:
            Blocked: the service cannot be reached or the day's budget is spent.
            JobError: it refuses these lines, does not answer as it is asked to, or they are more than a day allows.
        """
        if not lines:
            return []
        source, target = self._pair
        body = request(self._settings.model, source, target, lines, hints)
        for left in reversed(range(_AGAIN)):
            try:
                return answers(self._send(body, len(lines)), len(lines))
            except JobError:
                if not left or self._cancelled.is_set():
                    raise
        raise AssertionError

    def _send(self, body: bytes, lines: int) -> bytes:
        characters = len(body.decode())
        post = Post(self._place, read_key(self._settings.key_file), self._settings.seconds, self._wait)

        def on_try() -> None:
            self._pace()
            self._ledger.spend({"requests": 1, "characters": characters}, self._limits)

        outcome = "refused"
        try:
            answer = post.send(body, on_try)
            outcome = "answered"
            return answer
        except Blocked as error:
            outcome = f"blocked: {error.message}"
            raise
        except JobError as error:
            outcome = f"refused: {error.message}"
            raise
        finally:
            where, model = self._place.shown, self._settings.model
            audit(self._folder, where, model, body, lines=lines, characters=characters, outcome=outcome[:200])

    def _pace(self) -> None:
        """Wait until the next request may be made."""
        every = 60.0 / self._settings.requests_per_minute
        with _lock:
            now = time.monotonic()
            due = max(now, _sent.get(self._place.shown, now - every) + every)
            _sent[self._place.shown] = due
        if due > now:
            self._wait(due - now)

    def _wait(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise JobError("the job was cancelled")


__all__ = ["Service", "Settings", "find", "read_key", "settings_of"]
