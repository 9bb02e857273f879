"""The ``rdf:Description`` of ours: built as text that declares every prefix it uses."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr  # writes, parses nothing

from callboard.effects.spans import Element, Name
from callboard.effects.xmpmodel import DC, DIGIKAM, IPTC_EXT, KINDS, LR, OWN, PLACEHOLDER, RDF, XMP, Property

_PREFIXES = {
    DC: "dc",
    LR: "lr",
    DIGIKAM: "digiKam",
    IPTC_EXT: "Iptc4xmpExt",
    OWN: "callboard",
    PLACEHOLDER: "placeholder",
    XMP: "xmp",
}


def item(text: str, tag: str = "rdf:li") -> str:
    """Write a list item."""
    return f"<{tag}>{escape(text)}</{tag}>"


class Block:
    """Collects properties, then writes the description."""

    def __init__(self, rdf: Element, about: str) -> None:
        self.about = about
        self.declare = rdf.prefix != "rdf"
        self.spaces: list[str] = []
        self.lines: list[str] = []

    def _name(self, name: Name) -> str:
        if name[0] not in self.spaces:
            self.spaces.append(name[0])
        return f"{_PREFIXES[name[0]]}:{name[1]}"

    def texts(self, name: Name, texts: tuple[str, ...]) -> None:
        """Add a list that is shared with people, in the container that its readers expect."""
        self._list(name, KINDS[name], [item(text) for text in texts])

    def alternative(self, name: Name, texts: Sequence[tuple[str, str]]) -> None:
        """Add a text in its languages, the default one first."""
        written = [f"<rdf:li xml:lang={quoteattr(language)}>{escape(text)}</rdf:li>" for language, text in texts]
        self._list(name, "Alt", written)

    def _list(self, name: Name, kind: str, written: list[str]) -> None:
        tag = self._name(name)
        self.lines += [f"   <{tag}>", f"    <rdf:{kind}>", *(f"     {line}" for line in written)]
        self.lines += [f"    </rdf:{kind}>", f"   </{tag}>"]

    def own(self, properties: dict[str, Property], space: str = OWN) -> None:
        """Add properties of one namespace, ours where no other is named; empty ones are left out."""
        for local, value in properties.items():
            name = (space, local)
            if isinstance(value, str):
                if value:
                    self.lines.append(f"   <{self._name(name)}>{escape(value)}</{self._name(name)}>")
            elif value:
                rows = [self._entry(row, space) for row in value]
                self._list(name, "Seq" if isinstance(value[0], dict) else "Bag", rows)

    def _entry(self, row: str | dict[str, str], space: str) -> str:
        if isinstance(row, str):
            return item(row)
        fields = "".join(
            f"<{self._name((space, key))}>{escape(text)}</{self._name((space, key))}>" for key, text in row.items()
        )
        return f'<rdf:li rdf:parseType="Resource">{fields}</rdf:li>'

    def render(self, space: str = OWN) -> str:
        """Write the description, from the line end before it to its own end, with the mark of a namespace of ours."""
        mark = self._name((space, "schema"))
        spaces = [f'xmlns:{_PREFIXES[space]}="{space}"' for space in self.spaces]
        if self.declare:
            spaces.insert(0, f'xmlns:rdf="{RDF}"')
        head = "\n    ".join([f"<rdf:Description rdf:about={quoteattr(self.about)}", *spaces, f'{mark}="1">'])
        return "\n".join(["", f"  {head}", *self.lines, "  </rdf:Description>"])


__all__ = ["Block", "Property", "item"]
