"""One asset on its way through the analysers: who is at work on it, what was found, what had to be left undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from callboard.errors import CallboardError, ModelMissing
from callboard_schemas import AnyResult
from callboard_schemas import Sequence as Numbers
from msgspec.structs import replace

from callboard_autotag.analyser import Found, Picture, Shot
from callboard_autotag.technical import describe_streams

if TYPE_CHECKING:
    import numpy as np
    from callboard.context import Context
    from callboard.media import Frame, MediaFacts


class Part(NamedTuple):
    """A line in the table of analysers."""

    name: str
    """As ``facts["skipped"]`` calls it."""
    switch: str
    """The parameter that turns it on."""
    make: Callable[[Bench], Any]
    """Makes it for one asset; ``None`` where it has nothing to do there."""
    watches: Literal["", "some", "every", "if every"] = ""
    """Which frames it watches: ``some`` is content with a few, ``every`` is the reason for decoding all of them,
    ``if every`` watches all or none."""
    looks: bool = False
    """Whether it looks at the chosen pictures."""
    needs: tuple[str, ...] = ()
    """Optional packs without which it is left out."""
    must: tuple[str, ...] = ()
    """Packs without which the job waits: those that the manifest lists under ``models``."""


class Bench:
    """The state of one job."""

    def __init__(self, context: Context, facts: MediaFacts, sequence: Numbers | None) -> None:
        self.context, self.facts, self.sequence = context, facts, sequence
        self.tags, self.numbers = describe_streams(facts, sequence)
        self.skipped: list[str] = []
        self.vectors: list[tuple[str, Picture, np.ndarray[Any, Any]]] = []
        """What pictures were embedded as: space, picture without its pixels, vector."""
        self.results: list[AnyResult] = []
        """What was made beside the tags."""
        self.shots: Sequence[Shot] = ()
        """Known once every frame was seen."""
        self.frames = 0
        """Number of the last frame that was seen, plus one."""
        self.sentence = ""
        """What a model says the asset shows; empty where none does."""
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

    def lack(self, what: str, *packs: str) -> None:
        """Note what is not done for want of optional packs, and the command that brings them."""
        named = ", ".join(map(repr, packs))
        are = "model {} is" if len(packs) == 1 else "models {} are"
        self.skip(f"{what}: {are.format(named)} not here; callboard models pull {' '.join(packs)}")

    def embedded(self, space: str, picture: Picture, vector: np.ndarray[Any, Any]) -> None:
        """Keep the vector of a picture, so that it is not embedded again for its print."""
        self.vectors.append((space, replace(picture, pixels=vector[:0]), vector))

    def progress(self, low: float, high: float, time: float, note: str) -> None:
        """Say how far it is: from *low* to *high* as *time* goes through the media."""
        share = min(max(time / self.facts.duration, 0.0), 1.0) if self.facts.duration else 0.0
        self.context.progress(low + (high - low) * share, note)


class Crew:
    """The analysers of pictures at work; one that cannot go on is noted, and the others do.

    Only a pack that must be there ends the work of all: the job waits for it.
    """

    def __init__(self, bench: Bench, parts: Sequence[Part], why_not_every: str = "") -> None:
        """Make the analysers that the settings ask for.

        Args:
            bench: That they work for.
            parts: The table.
            why_not_every: Why not every frame will come; who needs them all is left out.

        Raises:
            ModelMissing: a pack that one of them must have is not here or not intact.
        """
        self._bench, self._every = bench, not why_not_every
        self.members: list[tuple[Part, Any]] = []
        for part in parts:
            if not bench.wants(part.switch):
                continue
            lacking = [pack for pack in part.needs if not bench.model(pack)]
            if lacking:
                bench.lack(part.name, *lacking)
            elif part.watches == "every" and why_not_every and not part.looks:
                bench.skip(f"{part.name}: {why_not_every}")
            else:
                for pack in part.must:  # before anything is decoded: a job that waits is tried again each minute
                    bench.context.runtime.call(pack, {}, metadata=True)
                self._try(part, partial(self._enlist, part))

    @property
    def needs_every(self) -> bool:
        """Whether one of them needs every frame."""
        return any(part.watches == "every" for part, _ in self.members)

    @property
    def looks(self) -> bool:
        """Whether one of them looks at chosen pictures."""
        return any(part.looks for part, _ in self.members)

    def find(self, name: str) -> Any:
        """Give the analyser of that name; ``None`` where it is not at work."""
        return next((member for part, member in self.members if part.name == name), None)

    def watch(self, frame: Frame) -> None:
        """Show a small frame to those who watch."""
        for part, member in list(self.members):
            if part.watches == "some" or (part.watches and self._every):
                self._try(part, partial(member.add, frame))

    def look(self, picture: Picture) -> None:
        """Show a chosen picture to those who look."""
        for part, member in list(self.members):
            if part.looks:
                self._try(part, partial(member.look, picture))

    def finish(self) -> None:
        """Take what they found, in the order of the table."""
        for part, member in list(self.members):
            self._try(part, partial(self._finish, member))

    def _finish(self, member: Any) -> None:
        self._bench.take(member.finish())

    def _enlist(self, part: Part) -> None:
        member = part.make(self._bench)
        if member is not None:
            self.members.append((part, member))

    def _try(self, part: Part, work: Callable[[], None]) -> None:
        try:
            work()
        except ModelMissing as error:
            if error.model in part.must:
                raise
            self._dismiss(part, f"{error.message}; {error.hint}" if error.hint else error.message)
        except ImportError as error:
            self._dismiss(part, f"{error.name} is not installed")
        except CallboardError:
            raise
        except Exception as error:  # an analyser that strange media breaks must not cost the others
            self._bench.context.log.warning("%s failed", part.name, exc_info=True)
            self._dismiss(part, f"failed ({type(error).__name__}: {error})"[:300])

    def _dismiss(self, part: Part, why: str) -> None:
        self._bench.skip(f"{part.name}: {why}")
        self.members = [(other, member) for other, member in self.members if other is not part]


__all__ = ["Bench", "Crew", "Part"]
