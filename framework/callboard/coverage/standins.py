"""Knows what holds a shot's place: by its name, by what lies beside it or in it, or by the project's catalog."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from callboard_schemas import Placeholder, Proposal
from msgspec import Struct

from callboard import marks
from callboard.coverage.cut import Item
from callboard.coverage.headers import Headers
from callboard.coverage.numbered import Folders
from callboard.shots.naming import PLACEHOLDER

_SIDECAR: Final = 1 << 20
"""Bytes of a sidecar that are looked at; one of ours has some thousands."""
_MADE: Final = re.compile(
    rb"digitalsourcetype\s*(?:=\s*[\"']|/|>)\s*(?:https?:[^\"'<>\s]*/)?"
    rb"(?:algorithmicMedia|trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia)\b",
    re.IGNORECASE,
)
"""IPTC's word for media that was generated, as XMP writes it: an attribute, an element, or a resource."""


class Known(Struct, frozen=True):
    """How something is known to hold a shot's place."""

    by: str
    proposal: str = ""
    why: str = ""


class StandIns:
    """Tells stand-ins from shots.

    Args:
        made: Proposals of placeholders that the project knows.
        folder: The project's, which their paths count from.
        headers: Looks into files, to spare those whose content cannot be a stand-in's.
        closely: Also compare contents, which reads files of a stand-in's size whole.
    """

    def __init__(
        self,
        made: Sequence[Proposal] = (),
        folder: Path | None = None,
        headers: Headers | None = None,
        *,
        closely: bool = False,
    ) -> None:
        self._headers, self._closely = headers, closely
        self._by_path: dict[str, str] = {}
        self._by_digest: dict[str, str] = {}
        self._sizes: set[int] = set()
        self._shapes: set[tuple[int, int]] = set()
        self._seen: dict[str, Known | None] = {}
        self._digests: dict[str, str] = {}
        self._folders = Folders()
        for one in made:
            if isinstance(one.body, Placeholder):
                self._remember(one.id, one.body, folder)

    def of(self, item: Item) -> Known | None:
        """Say how an item is known to be a stand-in; nothing where it is none, as far as can be told."""
        if item.state == "stand-in":
            return Known(item.by or "cut", item.stands)
        path = item.numbered.pattern if item.numbered is not None else item.media
        if not path:
            return None
        if PLACEHOLDER.search(os.path.basename(path)) or PLACEHOLDER.search(item.name):
            return Known("name", self._by_path.get(os.path.realpath(self._first(item) or path), ""))
        if not item.how:
            return None
        if path not in self._seen:
            self._seen[path] = self._look(path, self._first(item))
        return self._seen[path]

    def _remember(self, ident: str, body: Placeholder, folder: Path | None) -> None:
        self._by_digest[body.digest] = ident
        path = os.path.realpath((folder or Path()) / body.file)
        self._by_path[path] = ident
        try:
            self._sizes.add(os.stat(path).st_size)
        except OSError:
            self._shapes.add((body.width, body.height))

    def _look(self, path: str, first: str) -> Known | None:
        proposal = self._by_path.get(os.path.realpath(first or path))
        if proposal is not None:
            return Known("catalog", proposal)
        marked = self._marked(first)
        if marked is not None:
            return marked
        digest = self._content(first)
        if digest in self._by_digest:
            why = "is, byte for byte, a stand-in under another name"
            return Known("catalog", self._by_digest[digest], why)
        return None

    def _marked(self, path: str) -> Known | None:
        """Say what the sidecar beside a file, or its content credentials, tell of it."""
        if not path or any(os.path.lexists(one) and not os.path.isfile(one) for one in _beside(path)):
            return None  # a pipe beside a film would be waited for
        mark = marks.read(Path(path))
        if mark is not None and mark.by == "credentials":
            return Known("credentials", why=f"its content credentials call it a placeholder for {mark.shot}")
        if mark is not None:
            if self._closely and mark.digest and mark.digest != self._digest(path):
                return None  # a shot took its name since, and the sidecar was left behind
            return Known("sidecar", self._by_digest.get(mark.digest, ""), f"its sidecar calls it {mark.shot}'s")
        sidecar = _generated(path)
        return Known("sidecar", why=f"{sidecar} says that it was generated") if sidecar else None

    def _first(self, item: Item) -> str:
        """Give the file that a sidecar lies beside: a film itself, of a sequence the first picture."""
        if item.numbered is None:
            return item.media
        numbers = self._folders.numbers(item.numbered)
        one = item.numbered
        return f"{one.folder}/{one.prefix}{numbers[0]:0{one.padding}d}{one.suffix}" if numbers else ""

    def _content(self, path: str) -> str:
        """Give the digest of a file that may be one of ours; empty where it cannot be."""
        if not (self._closely and self._by_digest):
            return ""
        try:
            may_be = os.stat(path).st_size in self._sizes
        except OSError:
            return ""
        return self._digest(path) if may_be or self._shaped(path) else ""

    def _digest(self, path: str) -> str:
        """Give the digest of a file, or of the sequence that a picture is in; empty where it cannot be read."""
        if path not in self._digests:
            self._digests[path] = _digest_of(path)
        return self._digests[path]

    def _shaped(self, path: str) -> bool:
        """Say whether a film has the size of a picture that a stand-in had whose file is gone."""
        stream = self._headers.stream(path) if self._headers is not None and self._shapes else None
        return stream is not None and (stream.width, stream.height) in self._shapes


def _digest_of(path: str) -> str:
    from callboard.sources.digest import Changed, digest_fd, open_file, read_sequence
    from callboard.sources.sequences import group, parse

    folder, name = os.path.split(os.fsencode(path))
    try:
        if parse(name) is not None:
            for one in group(os.listdir(folder))[0]:
                frames = [frame.name for frame in one.frames]
                if name in frames:
                    return read_sequence([os.path.join(folder, frame) for frame in frames], follow=True).digest
        fd = open_file(os.fsencode(path), follow=True)
        try:
            return digest_fd(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
    except (OSError, Changed):
        return ""


def _beside(path: str) -> tuple[str, str]:
    """Give the names that a file's sidecar may have."""
    return f"{path}.xmp", f"{os.path.splitext(path)[0]}.xmp"


def _generated(path: str) -> str:
    """Give the sidecar that says that a file was generated, by whatever program; empty where none does."""
    for sidecar in _beside(path):
        try:
            with open(sidecar, "rb") as file:
                if _MADE.search(file.read(_SIDECAR)):
                    return os.path.basename(sidecar)
        except (OSError, ValueError):
            continue
    return ""


__all__ = ["Known", "StandIns"]
