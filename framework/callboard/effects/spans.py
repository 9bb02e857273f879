"""An XML document as elements with byte offsets, so that it can be changed without being written anew.

expat gives the offsets; it is fed the whole document, reads no entity and refuses every DOCTYPE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat  # not used on DTDs or entities: see _refuse_doctype

from callboard.effects.ledger import Splice

MAX_DEPTH = 200

_SEPARATOR = "\x1f"
_START = re.compile(rb"<[^\s/>]+(?:\s+[^\s=>/]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=>/]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_FOREIGN_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00")
Name = tuple[str, str]
"""Namespace and local name."""


class XmlRefused(ValueError):
    """A document is not XML that can be changed safely; the message says why."""


class Element:
    """One element: ``start``..``open_end`` is its start tag, ``close_start``..``end`` its end tag.

    For ``<a/>`` the last three are the same offset.
    """

    def __init__(self, name: Name, prefix: str, start: int, parent: Element | None) -> None:
        self.name, self.prefix, self.start, self.parent = name, prefix, start, parent
        self.open_end = self.close_start = self.end = start
        self.attributes: dict[Name, str] = {}
        self.attribute_spans: dict[Name, tuple[int, int]] = {}
        self.children: list[Element] = []
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        """Its own text, without that of its children, stripped."""
        return "".join(self.parts).strip()

    @property
    def empty(self) -> bool:
        """Tell whether it is written ``<a/>``."""
        return self.open_end == self.end

    def raw(self, local: str) -> str:
        """Write *local* with this element's own prefix."""
        return f"{self.prefix}:{local}" if self.prefix else local

    def walk(self) -> Iterator[Element]:
        """Give this element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Builder:
    """Collects expat's callbacks into elements."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root: Element | None = None
        self.open: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.namespace_prefixes = True
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise XmlRefused(f"is encoded as {encoding}; only UTF-8 can be changed without risk")

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        raise XmlRefused("has a DOCTYPE, which no XMP needs")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise XmlRefused(f"is nested more than {MAX_DEPTH} deep")
        (key, prefix), at = _split(name), self.parser.CurrentByteIndex
        element = Element(key, prefix, at, self.open[-1] if self.open else None)
        tag = _START.match(self.data, at)
        if tag is None:
            raise XmlRefused(f"has a start tag at byte {at} that cannot be taken apart")
        element.open_end = element.close_start = element.end = tag.end()
        raw = {found[1].decode(): found.span() for found in _ATTRIBUTE.finditer(self.data, at, tag.end())}
        for full, value in attributes.items():
            attribute, own = _split(full)
            element.attributes[attribute] = value
            element.attribute_spans[attribute] = raw[f"{own}:{attribute[1]}" if own else attribute[1]]
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, name: str) -> None:
        element = self.open.pop()
        if self.data[element.open_end - 2 : element.open_end] != b"/>":
            element.close_start = self.parser.CurrentByteIndex
            element.end = self.data.index(b">", element.close_start) + 1

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1].parts.append(text)


def _split(name: str) -> tuple[Name, str]:
    parts = name.split(_SEPARATOR)
    if len(parts) == 1:
        return ("", parts[0]), ""
    return (parts[0], parts[1]), parts[2] if len(parts) > 2 else ""


def parse(data: bytes) -> Element:
    """Read a document.

    Raises:
        XmlRefused: it is not UTF-8, not well-formed, too deep, or has a DOCTYPE.
    """
    if data[:2] in _FOREIGN_MARKS[:2] or data[:1] == _FOREIGN_MARKS[2] or data[1:2] == b"\0":
        raise XmlRefused("is UTF-16 or UTF-32; only UTF-8 can be changed without risk")
    builder = _Builder(data)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlRefused(f"is not well-formed XML ({error})") from None
    assert builder.root is not None
    return builder.root


Edit = tuple[int, int, bytes]
"""Replace the bytes from one offset to another."""


def splice(data: bytes, edits: Iterable[Edit]) -> tuple[bytes, tuple[Splice, ...]]:
    """Make edits that do not overlap; give the new bytes and how to take the edits back."""
    out = bytearray()
    taken: list[Splice] = []
    last = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        assert start >= last, "edits overlap"
        out += data[last:start]
        taken.append(Splice(len(out), len(text), data[start:end]))
        out += text
        last = end
    return bytes(out + data[last:]), tuple(taken)


def unsplice(data: bytes, splices: Iterable[Splice]) -> bytes:
    """Take edits back; exact when *data* is what ``splice`` gave."""
    out = bytearray()
    last = 0
    for step in splices:
        out += data[last : step.at] + step.removed
        last = step.at + step.inserted
    return bytes(out + data[last:])


def with_indent(data: bytes, start: int) -> int:
    """Move *start* back over the white space before it, as far as the end of the line above."""
    at = start
    while at and data[at - 1 : at] in (b" ", b"\t"):
        at -= 1
    if at and data[at - 1 : at] == b"\n":
        at -= 2 if data[at - 2 : at] == b"\r\n" else 1
        return at
    return start


__all__ = ["Edit", "Element", "Name", "XmlRefused", "parse", "splice", "unsplice", "with_indent"]
