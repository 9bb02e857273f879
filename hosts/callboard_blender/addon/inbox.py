"""What waits for a person, ready to be drawn: rows, what is in the one that is open, and what was left out of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from . import words

Then = Callable[[Any, str], None]
Ask = Callable[[str, dict[str, Any], Then], None]
"""``ask(verb, data, then)``; ``then(value, problem)`` is called later, *problem* empty when well."""

PAGE = 50
"""Items that the board is asked for at once."""
ROWS = 5
"""Rows on a page of the panel."""
SHOWN_PARTS = 12
"""Cues or tags of an open row that are listed; more would push the buttons out of the sidebar."""
_REFUSED = re.compile(r"^message refused \([^)]*\): ")
"""How the board's errors begin, which says nothing to an artist."""
_SETTLE_SECONDS = 8.0
"""After which a decision that the board has and did not follow is given back to the person."""


class Row(NamedTuple):
    """A proposal, as the panel shows it."""

    id: str
    result: str
    icon: str
    name: str
    line: str
    text: str
    refs: tuple[str, ...]
    flags: tuple[str, ...]
    digest: str = ""
    path: str = ""
    """Of a placeholder's film, which is no media of the project."""
    open: bool = True
    """It waits for a decision; else it tells that a request was refused, and why."""

    @property
    def picture(self) -> str:
        """What its thumbnail is kept under."""
        return self.digest or self.path or (self.refs[0] if self.refs else "")


class Part(NamedTuple):
    """A cue or a tag of the open proposal; ``key`` names it in a decision."""

    key: str
    text: str
    why: tuple[str, ...] = ()
    grave: bool = False
    """It must not ship before somebody has looked at it."""
    at: float = -1.0
    """Seconds of the media; negative where it has no time."""


class Inbox:
    """Holds what the board last said, and what the person does with it.

    Args:
        ask: Asks the board.
        changed: Called when there is something else to draw.
    """

    def __init__(self, ask: Ask, changed: Callable[[], None]) -> None:
        self._ask, self._changed = ask, changed
        self.rows: list[Row] = []
        self.known = False
        """The board has answered at least once."""
        self.page_number = 0
        self.opened = ""
        self.parts: list[Part] = []
        self.summary = ""
        self.loading = False
        self.without: set[str] = set()
        self.decided: dict[str, float] = {}
        """Ids that the person decided on, with when; the board may not know yet."""
        self.refused: set[str] = set()
        """Ids that came back although they were decided on."""
        self.hidden: set[str] = set()
        """Ids that the person has read and does not want to see again."""
        self._asking = False
        self._found: list[Row] = []
        self._turn = 0

    def refresh(self, host: str, project: str, settled: bool) -> None:
        """Ask what waits; *settled* says that the board has all decisions."""
        if not self._asking:
            self._asking, self._found = True, []
            self._page(host, project, "", settled)

    def _page(self, host: str, project: str, after: str, settled: bool) -> None:
        turn = self._turn

        def then(value: Any, problem: str) -> None:
            if turn != self._turn:
                return  # it is of the project that was open before
            if problem or not isinstance(value, Mapping):
                self._asking = False
                return
            items = value.get("items")
            self._found += [row(item) for item in items or () if isinstance(item, Mapping)]
            more = str(value.get("after") or "")
            if more and more != after and items:
                self._page(host, project, more, settled)
            else:
                self._take(settled)

        self._ask("inbox", {"host": host, "project": project, "after": after, "limit": PAGE}, then)

    def _take(self, settled: bool) -> None:
        self._asking, now = False, time.monotonic()
        present = {one.id for one in self._found}
        for ident, when in list(self.decided.items()):
            if ident not in present:
                del self.decided[ident]
            elif settled and now - when > _SETTLE_SECONDS:
                del self.decided[ident]
                self.refused.add(ident)
        self.refused &= present
        rows = [one for one in self._found if one.id not in self.decided and one.id not in self.hidden]
        changed = rows != self.rows or not self.known
        self.rows, self.known = rows, True
        self.page_number = min(self.page_number, self.pages - 1)
        if self.opened and self.opened not in {one.id for one in rows}:
            self.close()
        if changed:
            self._changed()

    @property
    def waiting(self) -> int:
        """How many wait for a decision."""
        return sum(one.open for one in self.rows)

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(-(-len(self.rows) // ROWS), 1)

    def page(self) -> list[Row]:
        """List the rows of the page that is shown."""
        first = min(self.page_number, self.pages - 1) * ROWS
        return self.rows[first : first + ROWS]

    def turn(self, by: int) -> None:
        """Show the page that is *by* further on; there is nothing beyond the first and the last."""
        self.page_number = min(max(self.page_number + by, 0), self.pages - 1)
        self.close()

    def row(self, ident: str) -> Row | None:
        """Find a row by its proposal's id."""
        return next((one for one in self.rows if one.id == ident), None)

    def open(self, ident: str) -> None:
        """Show what is in a proposal; its parts come when the board has sent them."""
        self.close()
        self.opened, self.loading = ident, True
        texts: list[str] = []

        def then(value: Any, problem: str) -> None:
            if self.opened != ident:
                return
            if problem or not isinstance(value, Mapping):
                self.loading, self.summary = False, problem or "Callboard did not say what is in it."
                self._changed()
                return
            texts.append(str(value.get("text", "")))
            if len(texts) < int(value.get("parts", 1) or 1):
                self._ask("proposal", {"id": ident, "part": len(texts)}, then)
                return
            self.loading = False
            self.parts, self.summary = contents("".join(texts))
            self._changed()

        self._ask("proposal", {"id": ident, "part": 0}, then)
        self._changed()

    def close(self) -> None:
        """Show no proposal's parts any more."""
        self.opened, self.parts, self.summary, self.loading = "", [], "", False
        self.without = set()

    def decide(self, ident: str) -> None:
        """Take a row away that the person has decided on."""
        self.decided[ident] = time.monotonic()
        self.refused.discard(ident)
        self.rows = [one for one in self.rows if one.id != ident]
        if self.opened == ident:
            self.close()
        self._changed()

    def hide(self, ident: str) -> None:
        """Show a row no more; the board is not told."""
        self.hidden.add(ident)
        self.rows = [one for one in self.rows if one.id != ident]
        self._changed()

    def forget(self) -> None:
        """Show nothing: the board, or the project, is another one now."""
        self.close()
        self.rows, self.known, self._asking, self._found = [], False, False, []
        self.refused.clear()
        self._turn += 1


def row(item: Mapping[str, Any]) -> Row:
    """Make a row of what the board says of a proposal."""
    flags = tuple(str(one) for one in item.get("flags") or ())
    line = words.kind(item)
    if item.get("state") == "refused":
        line = f"{line}: not possible"
    elif item.get("result") != "placeholder":  # how sure somebody is of what they made says nothing
        line = f"{line} · {words.sureness(item.get('confidence'))}"
    return Row(
        id=str(item.get("id", "")),
        result=str(item.get("result", "")),
        icon=words.icon(str(item.get("result", ""))),
        name=str(item.get("name") or "without a name"),
        line=line,
        text=_REFUSED.sub("", " ".join(str(item.get("text") or "").split())),
        refs=tuple(str(one) for one in item.get("refs") or ()),
        flags=flags,
        digest=str(item.get("digest", "")),
        path=str(item.get("path", "")),
        open=item.get("state") != "refused",
    )


def contents(text: str) -> tuple[list[Part], str]:
    """List what is in a proposal, what needs a look first, and sum it up in a line.

    Args:
        text: The proposal, as JSON.
    """
    try:
        body = json.loads(text).get("body") or {}
    except (ValueError, AttributeError):
        return [], "Callboard sent something that cannot be read."
    if "cues" in body:
        return _cues(body["cues"])
    if "items" in body:
        tags = [(str(one.get("label", "")), one.get("score")) for one in body["items"]]
        return [Part(name, f"{name}   {words.sureness(score)}".rstrip()) for name, score in tags], ""
    return [], str(body.get("prompt") or body.get("shot") or "")


def _cues(cues: Iterable[Mapping[str, Any]]) -> tuple[list[Part], str]:
    parts = []
    doubtful = 0
    for cue in cues:
        failed, flags = (tuple(str(one) for one in cue.get(name) or ()) for name in ("failed", "flags"))
        said = " ".join(str(line) for line in cue.get("lines") or ())
        start = float(cue.get("start", 0.0))
        why = tuple(dict.fromkeys(failed + flags))
        parts.append(Part(str(cue.get("id", "")), f"{words.clock(start)}  {said}", why, bool(failed), start))
        doubtful += bool(failed or flags)
    parts.sort(key=lambda part: (not part.grave, not part.why))  # stable: by time within each
    number = words.count(len(parts), "cue")
    if not parts:
        return parts, "Nobody speaks here."
    return parts, f"{number}, {doubtful} to look at" if doubtful else f"{number}, none in doubt"
