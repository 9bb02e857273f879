"""Reading a long content in slices: the pieces of its lists one at a time, each of a length that is read in no time."""

from __future__ import annotations

from callboard_bridge.wire import MAX_PAYLOAD, decode_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

_SPACE = " \t\r\n"


class ContentError(ValueError):
    """A content is not a JSON object, or one piece of it is too long."""


class _Text:
    """A long text, of which a piece can be read without looking at all the rest."""

    def __init__(self, text: str) -> None:
        self._text, self.at = text, 0

    def skip(self) -> str:
        """Pass over white space and give the character that comes next, "" at the end."""
        while self._text[self.at : self.at + 1] and self._text[self.at] in _SPACE:
            self.at += 1
        return self._text[self.at : self.at + 1]

    def take(self, wanted: str) -> str:
        """Pass over one of *wanted* and give it."""
        found = self.skip()
        if not found or found not in wanted:
            raise ContentError("the content is no JSON object")
        self.at += 1
        return found

    def value(self) -> Any:
        """Read one value, which must end within ``MAX_PAYLOAD`` characters."""
        self.skip()
        try:
            value, length = decode_one(self._text[self.at : self.at + MAX_PAYLOAD], 0)
        except (ValueError, RecursionError):
            raise ContentError("the content cannot be read, or a piece of it is too long") from None
        self.at += length
        return value


def read(text: str) -> Generator[None, None, dict[str, Any]]:
    """Read a JSON object, yielding after each value and each piece of a list in it.

    Raises:
        ContentError: it is none, or one of these pieces is longer than ``MAX_PAYLOAD`` characters.
    """
    rest, content = _Text(text), {}
    rest.take("{")
    if rest.skip() == "}":
        rest.take("}")
    else:
        while True:
            name = rest.value()
            if not isinstance(name, str):
                raise ContentError("the content is no JSON object")
            rest.take(":")
            if rest.skip() == "[":
                content[name] = yield from _pieces(rest)
            else:
                content[name] = rest.value()
            yield
            if rest.take(",}") == "}":
                break
    if rest.skip():
        raise ContentError("the content goes on after its end")
    return content


def _pieces(rest: _Text) -> Generator[None, None, list[Any]]:
    pieces: list[Any] = []
    rest.take("[")
    if rest.skip() == "]":
        rest.take("]")
        return pieces
    while True:
        pieces.append(rest.value())
        yield
        if rest.take(",]") == "]":
            return pieces
