"""Apertium: translation by rules in processes of its own, directly or over languages in between."""

from __future__ import annotations

import functools
import logging
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from callboard.errors import Blocked
from msgspec import Struct

from callboard_localize.engines import Hints, Line, Method, Text
from callboard_localize.engines.languages import fit, parse
from callboard_localize.engines.pipeline import SHELL_WRITER, Pipeline, PipelineBroken
from callboard_localize.engines.stream import Answer, Garbled, decode, encode, marks

LINKS: Final = 3
"""Modes in a chain at most: each adds its own mistakes."""
_MODE: Final = re.compile(r"^([a-z]{2,3})-([a-z]{2,3}(?:_[A-Za-z0-9_]+)?)$")
"""Others are stages of a mode, made for its authors."""
_SECONDS: Final = 20.0
_CHARACTERS_PER_SECOND: Final = 200
"""What a line may take; a machine with two cores does about 15 000 a second."""
_START: Final = 60.0
"""Seconds that the first line may take more: a dozen programs start and read dictionaries, on a busy machine too."""
_DEBIAN: Final = (
    "afr-nld arg-cat bel-rus br>fr cat-ita cat>srd dan-nor en-gl eng-cat eng-spa eo-ca eo-en es>eo:eo-es fr>eo:eo-fr "
    "es-gl es-pt ro>es:es-ro eu>en eu>es fr-es fra-cat fra-frp hbs-eng hbs-mkd hbs-slv ind-zlm isl>eng isl-swe mkd-bul "
    "mkd>eng nno-nob oc-ca oc-es oci-fra pol-szl por-cat pt-gl rus-ukr spa-arg spa>ast spa-cat spa-ita ita>srd:srd-ita "
    "swe-dan swe-nor urd-hin"
)
"""Language pairs that Debian 12 packages, as ``apertium-A-B``; ``>`` where there is one direction only."""


class Mode(Struct, frozen=True, order=True):
    """An installed mode: a way from one language to another."""

    name: str
    source: str
    """ISO 639-3."""
    target: str
    """ISO 639-3, with the variant that it writes, as in ``cat_valencia``."""
    path: str

    @property
    def shown(self) -> str:
        """Its languages by ISO 639-3, whatever the mode is called."""
        return f"{self.source}-{self.target}"


def data_folder() -> Path | None:
    """Find where the modes are; ``None`` where Apertium is not installed."""
    program = shutil.which("apertium")
    if program is None or shutil.which(SHELL_WRITER) is None:
        return None
    named = os.environ.get("APERTIUM_DATADIR")
    folder = Path(named) if named else Path(program).resolve().parent.parent / "share" / "apertium"
    return folder if (folder / "modes").is_dir() else None


def installed(folder: Path | None = None) -> tuple[Mode, ...]:
    """List the installed modes, as ``apertium -l`` does, without those made for testing a stage."""
    folder = folder or data_folder()
    found = []
    for path in sorted((folder / "modes").glob("*.mode")) if folder is not None else ():
        match = _MODE.match(path.stem)
        if match is not None:
            first, (second, _, variant) = parse(match[1]).language, match[2].partition("_")
            target = parse(second).language + (f"_{variant}" if variant else "")
            found.append(Mode(path.stem, first, target, str(path)))
    return tuple(found)


def route(source: str, target: str, modes: Iterable[Mode]) -> tuple[Mode, ...]:
    """Find the shortest way between two BCP 47 tags; nothing where there is none.

    Of several as short, one over Spanish is taken, whose dictionaries are the fullest, else the first by name. Between
    the ends only plain modes are taken; the last is the one whose variant is nearest to *target*.
    """
    first, last = parse(source), parse(target)
    modes = sorted(modes, key=lambda mode: (mode.target != "spa", mode))
    starts = sorted({mode.source for mode in modes if fit(first, mode.source) is not None})
    waiting: deque[tuple[str, tuple[Mode, ...]]] = deque((start, ()) for start in starts)
    seen = set(starts)
    while waiting:
        here, way = waiting.popleft()
        ends = [(far, mode) for mode in modes if mode.source == here and (far := fit(last, mode.target)) is not None]
        if ends:
            return (*way, min(ends)[1])
        if len(way) + 1 < LINKS:
            for mode in modes:
                if mode.source == here and "_" not in mode.target and mode.target not in seen:
                    seen.add(mode.target)
                    waiting.append((mode.target, (*way, mode)))
    return ()


def packages(source: str, target: str) -> tuple[str, ...]:
    """Name the Debian packages by which there would be a way between two tags; nothing where there is none."""
    offered = []
    for entry in _DEBIAN.split():
        pair, _, name = entry.partition(":")
        first, arrow, second = re.split(r"([->])", pair)
        package = f"apertium-{name or pair.replace('>', '-')}"
        for one, other in ((first, second), (second, first))[: 2 if arrow == "-" else 1]:
            offered.append(Mode(package, parse(one).language, parse(other).language, ""))
    return tuple(mode.name for mode in route(source, target, offered))


def find(source: str, target: str, log: logging.Logger) -> Apertium | None:
    """Make the engine for a pair; ``None`` where no installed modes lead from one to the other."""
    way = route(source, target, installed())
    return Apertium(way, log) if way else None


@functools.cache
def version() -> str:
    """Say which Apertium is installed."""
    try:
        done = subprocess.run(["apertium", "-V"], capture_output=True, timeout=60, check=False, text=True)
    except (OSError, subprocess.SubprocessError):
        return "of unknown version"
    return done.stdout.strip().rpartition(" ")[2] or "of unknown version"


class Apertium:
    """Translates through one mode, or through several in turn; their processes stay open until ``close``."""

    method: Method = "rules"
    batch = 64
    separate = True

    def __init__(
        self, way: Sequence[Mode], log: logging.Logger, seconds: float = _SECONDS, start: float = _START
    ) -> None:
        """Take a way that ``route`` found.

        Args:
            way: One mode or more.
            log: Hears of lines that could not be translated, without their words.
            seconds: What a line may take at least; long ones get more.
            start: Seconds that the first line after processes were started may take more.
        """
        self._way, self._log, self._seconds, self._start = tuple(way), log, seconds, start
        self._open: dict[str, Pipeline] = {}
        self._requests = 0

    @property
    def name(self) -> str:
        """Such as ``apertium eng-spa > spa-por (3.8.3)``."""
        return f"apertium {' > '.join(mode.shown for mode in self._way)} ({version()})"

    @property
    def links(self) -> int:
        """Modes that a text goes through."""
        return len(self._way)

    def mark(self, number: int) -> str:
        """Give ``⟦0⟧`` and so on; ``stream`` says what becomes of them."""
        return f"⟦{number}⟧"

    def translate(self, lines: Sequence[Line], hints: Hints) -> list[Text]:
        """Translate each line by itself; one that a mode hangs or dies on comes back empty.

        Raises:
            Blocked: a mode cannot be started.
        """
        return [self._line(line.text) for line in lines]

    def _line(self, text: str) -> Text:
        if not text.strip():
            return Text(text)
        unknown: dict[str, None] = {}
        words = max(1, len(text.split()))
        for mode in self._way:
            answer = self._through(mode, text)
            if answer is None:
                return Text("")
            text = answer.text
            unknown.update(dict.fromkeys(answer.unknown))
        return Text(text, unknown=tuple(unknown), confidence=max(0.0, 1.0 - len(unknown) / words))

    def _through(self, mode: Mode, text: str) -> Answer | None:
        """Ask once, again with marks as blanks where one was lost, and once more where the processes died."""
        wanted, problem = marks(text), ""
        for blank in (False, True):
            try:
                answer = self._ask(mode, text, blank=blank)
            except (PipelineBroken, Garbled) as error:
                self._close(mode)
                problem = str(error)
                self._probe(mode)
                continue
            if marks(answer.text) == wanted or blank:
                return answer
        self._log.warning("a line of %d characters is left out: %s", len(text), problem)
        return None

    def _probe(self, mode: Mode) -> None:
        """See whether the mode itself works, or only that line does not."""
        try:
            self._ask(mode, "a", blank=False)
        except (PipelineBroken, Garbled) as error:
            self._close(mode)
            raise Blocked(str(error), "Install its language pair again; 'apertium -l' lists the modes.") from None

    def _ask(self, mode: Mode, text: str, *, blank: bool) -> Answer:
        pipeline, seconds = self._open.get(mode.name), self._seconds + len(text) / _CHARACTERS_PER_SECOND
        if pipeline is None:
            pipeline = self._open[mode.name] = Pipeline(mode.name, Path(mode.path))
            seconds += self._start
        self._requests += 1
        request = encode(text, self._requests, blank=blank).encode(errors="replace")
        return decode(pipeline.ask(request, seconds).decode(errors="replace"), text, self._requests)

    def _close(self, mode: Mode) -> None:
        pipeline = self._open.pop(mode.name, None)
        if pipeline is not None:
            pipeline.close()

    def close(self) -> None:
        """End the processes; they are started again when they are needed."""
        for mode in self._way:
            self._close(mode)


__all__ = ["LINKS", "Apertium", "Mode", "data_folder", "find", "installed", "packages", "route", "version"]
