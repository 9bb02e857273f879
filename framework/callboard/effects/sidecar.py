"""One sidecar under one name: look, decide whose it is, record, write, read back."""

from __future__ import annotations

import os
import threading
from typing import Literal

import msgspec
from msgspec import Struct

from callboard.effects import xmp
from callboard.effects.atomic import Changed, Folder, Found, sha256
from callboard.effects.document import is_document
from callboard.effects.ledger import Ledger, Memory, Version, Written, remember, version_of
from callboard.effects.names import Subject
from callboard.effects.temps import is_temp, temp_name
from callboard.effects.xmpmodel import Wish
from callboard.errors import EffectConflict
from callboard.failpoints import failpoint

_TURNS = tuple(threading.Lock() for _ in range(64))
"""Two media that want one name, such as ``clip.en.srt``, take turns; 64 keep the others from waiting."""


class Outcome(Struct, frozen=True):
    """What became of a sidecar."""

    name: bytes
    state: Literal["written", "unchanged", "conflict", "undone", "kept", "failed"]
    digest: str = ""
    note: str = ""


class Kept(Struct, frozen=True):
    """The name holds somebody else's bytes; they stay, ours must go elsewhere."""

    name: bytes
    note: str


class Sidecar:
    """A name in an open folder, with the row that says it is ours, if it is."""

    def __init__(
        self, folder: Folder, name: bytes, role: str, row: Written | None, subject: Subject, ledger: Ledger
    ) -> None:
        self.folder, self.name, self.role, self.row = folder, name, role, row
        self.subject, self.ledger = subject, ledger

    def _look(self) -> tuple[Found | None, Version | None]:
        """Read what is there, and which version of ours it is; remove what a dead process left."""
        if self.row is not None and is_temp(remember(self.row).temp):
            self.folder.discard(remember(self.row).temp)
        found = self.folder.read(self.name)
        if found is None:
            return None, None
        version = version_of(self.row, found.digest) if self.row else None
        if version is None and self.role == "json" and is_document(found.data):
            version = Version(digest=found.digest)
        return found, version

    def put(self, data: bytes) -> Outcome | Kept:
        """Make *data* the sidecar, if the name is free or holds what we wrote.

        Raises:
            Changed: somebody wrote it meanwhile; try again.
        """
        found, version = self._look()
        digest = sha256(data)
        if found is not None and found.digest == digest:
            if version is not None:
                self._settle(Version(digest=digest), found)
            return Outcome(self.name, "unchanged", digest)
        if found is None or version is not None:
            return self._write(data, found, version, Version(digest=digest))
        if self.row is None:
            return Kept(self.name, "exists and is not ours")
        if remember(self.row).now.digest == digest:
            return Outcome(self.name, "kept", found.digest, "edited by a person since; theirs is kept")
        if self.role != "json":
            self.ledger.forget(self.row.path)
        return Kept(self.name, f"{os.fsdecode(self.name)} was edited by a person since; theirs is kept")

    def merge(self, wanted: Wish | None) -> Outcome:
        """Bring an XMP file in line with *wanted*."""
        found, version = self._look()
        last = version or (remember(self.row).now if self.row else None)
        exact = version is not None and version.exact
        merged = xmp.merge(found.data if found else None, wanted, last, unchanged=exact)
        if merged.data is None:
            return self._unlink(found)
        after = msgspec.structs.replace(merged.version, digest=sha256(merged.data))
        if found is not None and found.data == merged.data:
            if wanted is None:
                return self._release(found)
            self._settle(after, found)
            return Outcome(self.name, "unchanged", found.digest)
        if found is not None and not exact and wanted and xmp.same_meaning(found.data, merged.data):
            return Outcome(self.name, "unchanged", found.digest)
        before = _as_found(found, last) if found is not None and not exact else version
        done = self._write(merged.data, found, before, after)
        return self._release(Found(merged.data, done.digest, 0, (0, 0))) if wanted is None else done

    def withdraw_xmp(self) -> Outcome:
        """Take what is ours out of an XMP file; remove the file if nothing else is in it and we made it."""
        found, _ = self._look()
        return self._unlink(None) if found is None else self.merge(None)

    def remove(self) -> Outcome:
        """Remove the sidecar if it is what we wrote."""
        found, version = self._look()
        if found is not None and version is None:
            self._forget()
            return Outcome(self.name, "kept", found.digest, "edited by a person since; theirs is kept")
        return self._unlink(found)

    def _release(self, found: Found) -> Outcome:
        """Nothing in the file is ours any more."""
        self._forget()
        return Outcome(self.name, "undone", found.digest)

    def _unlink(self, found: Found | None) -> Outcome:
        if found is not None:
            failpoint("sidecar.before_remove")
            temp = temp_name()
            if self.row is not None:
                going = Memory(now=remember(self.row).now, temp=temp)
                self.ledger.intend(self._row(going, len(found.data)), self.subject.media)
            self.folder.remove(self.name, found, temp)
            failpoint("sidecar.after_remove")
        self._forget()
        return Outcome(self.name, "undone")

    def _forget(self) -> None:
        if self.row is not None:
            self.ledger.forget(self.row.path)

    def _write(self, data: bytes, found: Found | None, before: Version | None, after: Version) -> Outcome:
        """Record, write, read back, record."""
        path = os.path.join(self.folder.path, self.name)
        with _TURNS[hash(path) % len(_TURNS)]:
            owner = self.ledger.owner(path)
            if owner is not None and owner != self.row:
                raise Changed
            temp = temp_name()
            failpoint("sidecar.before_intend")
            self.ledger.intend(self._row(Memory(now=after, before=before, temp=temp), len(data)), self.subject.media)
            failpoint("sidecar.after_intend")
            try:
                self.folder.replace(self.name, data, found, temp)
                back = self.folder.read(self.name)
                if back is None or back.digest != after.digest:
                    raise Changed
            except (OSError, Changed, EffectConflict):
                self._restore(path)
                raise
            failpoint("sidecar.before_settle")
            self.ledger.settle(self._row(Memory(now=after), len(data)), self.subject.media)
        return Outcome(self.name, "written", back.digest)

    def _restore(self, path: bytes) -> None:
        """Nothing of ours is there: the ledger says again what it said."""
        if self.row is None:
            self.ledger.forget(path)
        else:
            self.ledger.settle(self.row, self.subject.media)

    def _settle(self, version: Version, found: Found) -> None:
        written = self._row(Memory(now=version), len(found.data))
        if written != self.row:
            self.ledger.settle(written, self.subject.media)

    def _row(self, memory: Memory, size: int) -> Written:
        return Written(
            path=os.path.join(self.folder.path, self.name),
            role=self.role,
            asset=self.subject.asset.digest,
            digest=memory.now.digest,
            size=size,
            previous=msgspec.json.encode(memory),
        )


def _as_found(found: Found, last: Version | None) -> Version:
    """Remember a file that others changed, should we die before ours takes its place."""
    last = last or Version(digest="", created=False)
    return msgspec.structs.replace(last, digest=found.digest, splices=(), exact=False)


__all__ = ["Kept", "Outcome", "Sidecar"]
