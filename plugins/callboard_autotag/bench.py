"""One asset on its way through the analysers: who is at work on it, what was found, what had to be left undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from callboard.errors import ModelMissing
from callboard_schemas import Sequence as Numbers

from callboard_autotag.analyser import Found, Shot
from callboard_autotag.technical import describe_streams

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import MediaFacts


class Part(NamedTuple):
    """A line in the table of analysers."""

    name: str
    """As ``facts["skipped"]`` calls it."""
    switch: str
    """The parameter that turns it on."""
    kind: str
    """``watch``, ``look`` or ``listen``: which protocol of ``callboard_autotag.analyser`` it implements."""
    make: Callable[[Bench], Any]
    """Makes it for one asset; ``None`` where it has nothing to do there."""
    dense: bool = False
    """Whether it needs every frame; of films past the budget it sees none."""
    optional: tuple[str, ...] = ()
    """Packs that need not be here: without them this part is left out."""


class Bench:
    """The state of one job."""

    def __init__(self, context: Context, facts: MediaFacts, sequence: Numbers | None) -> None:
        self.context, self.facts, self.sequence = context, facts, sequence
        self.tags, self.numbers = describe_streams(facts, sequence)
        self.skipped: list[str] = []
        self.shots: Sequence[Shot] = ()
        """Known once every frame was seen."""
        self.moving = not facts.still and bool(facts.video)

    def wants(self, switch: str) -> bool:
        """Say whether the settings ask for it."""
        return bool(self.context.parameters[switch])

    def number(self, name: str) -> float:
        """Give a parameter that is a number."""
        return float(cast("float", self.context.parameters[name]))

    def model(self, name: str) -> str:
        """Give the digest of a pack; empty where the job was made without it."""
        return self.context.models.get(name, "")

    def take(self, found: Found) -> None:
        """Add what an analyser found."""
        self.tags += found[0]
        self.numbers.update(found[1])

    def skip(self, what: str) -> None:
        """Note what is not done, and why."""
        if what not in self.skipped:
            self.skipped.append(what)

    def progress(self, low: float, high: float, time: float, note: str) -> None:
        """Say how far it is: from *low* to *high* as *time* goes through the media."""
        share = min(max(time / self.facts.duration, 0.0), 1.0) if self.facts.duration else 0.0
        self.context.progress(low + (high - low) * share, note)


class Crew:
    """The analysers of one kind that are at work; one that cannot go on is noted, and the others do."""

    def __init__(self, bench: Bench, parts: Sequence[Part]) -> None:
        self._bench = bench
        self.members: list[tuple[Part, Any]] = []
        for part in parts:
            if not bench.wants(part.switch):
                continue
            lacking = [pack for pack in part.optional if not bench.model(pack)]
            if lacking:
                bench.skip(f"{part.name}: model {lacking[0]!r} is not here; callboard models pull {lacking[0]}")
                continue
            self._try(part, partial(self._enlist, part))

    def __bool__(self) -> bool:
        return bool(self.members)

    @property
    def dense(self) -> bool:
        """Whether one of them needs every frame."""
        return any(part.dense for part, _ in self.members)

    def do(self, work: Callable[[Any], None]) -> None:
        """Let each one do its work."""
        for part, member in list(self.members):
            self._try(part, partial(work, member))

    def finish(self) -> None:
        """Take what they found, in order."""
        self.do(lambda member: self._bench.take(member.finish()))

    def dismiss(self, part: Part, why: str) -> None:
        """Let one go, and say why."""
        self._bench.skip(f"{part.name}: {why}")
        self.members = [(other, member) for other, member in self.members if other is not part]

    def _enlist(self, part: Part) -> None:
        member = part.make(self._bench)
        if member is not None:
            self.members.append((part, member))

    def _try(self, part: Part, work: Callable[[], None]) -> None:
        try:
            work()
        except ModelMissing as error:
            self.dismiss(part, f"{error.message}; {error.hint}" if error.hint else error.message)
        except ImportError as error:
            self.dismiss(part, f"{error.name} is not installed")


__all__ = ["Bench", "Crew", "Part"]
