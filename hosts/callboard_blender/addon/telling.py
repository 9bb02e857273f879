"""Which media the open project uses, as the board was told, and the pictures that the board has of it."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .inbox import Ask, Row

_REST_SECONDS = 0.5
"""After the last change of the project, before it is read again."""
_LATEST_SECONDS = 3.0
"""After the first change, at the latest: somebody who works never rests."""
_SHARE = 0.05
"""Of the application's time that reading the project may take while somebody works, at most."""
_AGAIN_SECONDS = 5.0
"""After the board did not take it."""
_STRANGE_SECONDS = 20.0
"""After the board did not know some of the files."""
_PAGE_BYTES = 32 * 1024
_WIDTH = 192
_PICTURES = 512
"""That are asked for in one session; each stays in memory."""


class Telling:
    """Tells the board of the project's uses.

    Args:
        ask: Asks the board.
        answered: Called when the board has said which of the media it knows.
    """

    def __init__(self, ask: Ask, answered: Callable[[], None]) -> None:
        self._ask, self._answered = ask, answered
        self.known: dict[str, str] = {}
        """Ref of each use to its media's digest, as far as the board knows it."""
        self.places: dict[str, dict[str, Any]] = {}
        """Each use by its ref, as it was told last."""
        self.pictures: deque[tuple[str, bytes]] = deque()
        """Thumbnails that came, each with the row's ``picture`` and as a JPEG file, for the application to take."""
        self._pictured: set[str] = set()
        self._missed: set[str] = set()
        self._told = ""
        self._turn = 0
        self._due = self._since = self._cost = 0.0

    @property
    def strange(self) -> tuple[int, int]:
        """How many of the project's files the board does not know, and of how many."""
        digests: dict[str, str] = {}
        for ref, digest in self.known.items():
            path = str(self.places.get(ref, {}).get("path", ""))
            if path:
                digests[path] = digest
        return sum(not digest for digest in digests.values()), len(digests)

    def dirty(self) -> None:
        """Note that the project may have changed."""
        now = time.monotonic()
        self._since = self._since or now
        rare = self._cost / _SHARE
        self._due = min(now + max(_REST_SECONDS, rare), max(self._since + max(_LATEST_SECONDS, rare), now))

    def again(self) -> None:
        """Tell everything again at once: the board may be another one, or have forgotten. Ask for what did not come."""
        self._pictured -= self._missed
        self._missed.clear()
        self._told, self._due = "", time.monotonic()

    def forget(self) -> None:
        """Forget what a board said."""
        self.known, self.places, self._told = {}, {}, ""
        self._pictured.clear()
        self._missed.clear()
        self._turn += 1

    def due(self) -> bool:
        """Say whether it is time to read the project."""
        return 0.0 < self._due <= time.monotonic()

    def read(self, application: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Read which media the project uses, and remember how long that takes."""
        began = time.monotonic()
        found = application()
        self._cost = time.monotonic() - began
        return found

    def tell(self, host: str, project: str, uses: list[dict[str, Any]]) -> None:
        """Tell which media the project uses, if that is not what was told last."""
        self._due = self._since = 0.0
        self.places = {str(use.get("ref", "")): use for use in uses}
        told = json.dumps([project, uses], sort_keys=True)
        if told == self._told:
            return
        self._told = told
        known: dict[str, str] = {}
        turn = self._turn

        def then(value: Any, problem: str) -> None:
            if turn != self._turn:
                return  # it is of the project that was open before
            if problem:
                self._told, self._due = "", time.monotonic() + _AGAIN_SECONDS
            elif isinstance(value, Mapping):
                known.update(value.get("known") or {})
                self.known = dict(known)
                if self.strange[0] and not self._due:  # the board may be about to look at them
                    self._told, self._due = "", time.monotonic() + _STRANGE_SECONDS
                self._answered()

        parted = pages(uses)
        for number, page in enumerate(parted):
            data = {"host": host, "project": project, "uses": page, "page": number, "pages": len(parted)}
            self._ask("uses", data, then)

    def ask_picture(self, rows: Iterable[Row]) -> None:
        """Ask for one thumbnail that a row needs and nobody asked for yet."""
        if len(self._pictured) >= _PICTURES:
            return
        row = next((one for one in rows if one.picture and one.picture not in self._pictured), None)
        if row is None:
            return
        key = row.picture
        self._pictured.add(key)
        use = next((self.places[ref] for ref in row.refs if ref in self.places), {})
        middle = float(use.get("source_in", 0.0)) + float(use.get("duration", 0.0)) * float(use.get("speed", 1.0)) / 2
        which = {"digest": row.digest} if row.digest else {"path": row.path or str(use.get("path", ""))}

        def then(value: Any, problem: str) -> None:
            try:
                jpeg = base64.b64decode(value["jpeg"]) if not problem else b""
            except (TypeError, KeyError, ValueError, binascii.Error):
                jpeg = b""
            if jpeg:
                self.pictures.append((key, jpeg))
            else:
                self._missed.add(key)

        self._ask("thumbnail", {**which, "width": _WIDTH, "seconds": max(middle, 0.0)}, then)


def pages(uses: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Part uses into pages that fit into a message each; an empty project has one empty page."""
    found: list[list[dict[str, Any]]] = [[]]
    room = _PAGE_BYTES
    for use in uses:
        size = len(json.dumps(use))
        if size > room and found[-1]:
            found.append([])
            room = _PAGE_BYTES
        found[-1].append(use)
        room -= size
    return found
