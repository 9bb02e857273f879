"""What a root says: each event is journalled first, then known."""

from __future__ import annotations

from typing import Literal

from callboard_schemas import MediaGone, MediaRenamed, MediaSettled, Place, RootState, encode_path

from callboard.sources.facts import Emit, Note, Refresh, Seen, SourceEvent
from callboard.sources.ledger import Ledger

Reason = Literal["new", "changed", "found"]


class Voice:
    """Speaks for one root.

    Args:
        name: The root's name on the bus.
        ledger: Updated once the journal has an event.
        emit: Journals.
        note: Tells what ``callboard explain`` shows.
        refresh: Told of a new stat of a known file whose content is the same.
    """

    def __init__(self, name: str, ledger: Ledger, emit: Emit, note: Note, refresh: Refresh) -> None:
        self._name = name
        self._ledger = ledger
        self.emit = emit
        self.note = note
        self._refresh = refresh

    async def settled(self, seen: Seen, reason: Reason, seconds: float) -> None:
        """Say that a file is whole, *seconds* after its last change."""
        data = MediaSettled(asset=seen.asset(self._name), reason=reason, settle_seconds=max(0.0, seconds))
        await self.emit(SourceEvent(type="media.settled", data=data, seen=seen))
        self._ledger.put(seen)
        self.note(seen.path, "settled", f"{reason}, {seen.digest}, {seconds:.1f} s after its last change")

    async def renamed(self, old: Seen, seen: Seen) -> None:
        """Say that a settled file has another path."""
        place = Place(root=self._name, path=encode_path(old.path))
        data = MediaRenamed(asset=seen.asset(self._name), old=place)
        await self.emit(SourceEvent(type="media.renamed", data=data, seen=seen))
        if self._ledger.seen.get(old.path) is old:
            self._ledger.drop(old.path)
        self._ledger.put(seen)
        self.note(seen.path, "renamed", f"was {place.path}")

    async def gone(self, seen: Seen) -> None:
        """Say that a settled file is no longer there."""
        data = MediaGone(place=Place(root=self._name, path=encode_path(seen.path)), digest=seen.digest)
        await self.emit(SourceEvent(type="media.gone", data=data, seen=seen))
        self._ledger.drop(seen.path)
        self.note(seen.path, "gone", "is no longer there")

    async def offline(self, reason: str) -> None:
        """Say that the root is away."""
        await self.emit(SourceEvent(type="root.offline", data=RootState(root=self._name, reason=reason)))

    async def online(self, reason: str) -> None:
        """Say that the root is back."""
        await self.emit(SourceEvent(type="root.online", data=RootState(root=self._name, reason=reason)))

    def unchanged(self, seen: Seen) -> None:
        """Know a file's new stat; its content is what it was, so nothing is said."""
        self._ledger.put(seen)
        self._refresh(seen)
        self.note(seen.path, "unchanged", "was touched, its content is the same")
