"""XMP sidecars: our values are spliced into what is there; no other byte changes.

Three versions meet: what we wrote last time, what the file says now, and what is wanted. A value of ours that is no
longer wanted goes; one that a person took out is not put in again; one that a person had already is theirs.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from callboard.effects import xmpblock, xmpcheck
from callboard.effects.ledger import Values, Version
from callboard.effects.spans import Edit, Element, XmlRefused, parse, splice, unsplice, with_indent
from callboard.effects.xmpmodel import (
    CONTAINERS,
    DC,
    DESCRIPTION,
    ITEM,
    KINDS,
    LISTS,
    LR,
    OWN,
    RDF,
    Wish,
    find_rdf,
    hides_others,
    items,
    properties,
    record,
    recorded,
    said,
    spoken,
    values,
)

EMPTY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Callboard">\n'
    b' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    b" </rdf:RDF>\n"
    b"</x:xmpmeta>\n"
)
"""An XMP file that says nothing."""


class Merged(Struct, frozen=True, kw_only=True):
    """What the file should be."""

    data: bytes | None
    """``None``: the file should go, nothing in it is anybody's."""
    version: Version
    """To be remembered, its digest still empty."""


def merge(now: bytes | None, wanted: Wish | None, last: Version | None, *, unchanged: bool) -> Merged:
    """Bring a file in line with what is wanted.

    Args:
        now: the file's bytes; ``None`` when there is none.
        wanted: what it should say; ``None`` takes all that is ours out.
        last: what we wrote last time, if we know.
        unchanged: *now* is byte for byte what we wrote as *last*.

    Raises:
        XmlRefused: the file cannot be changed without risk to what is in it.
    """
    if now is None:
        if wanted is None:
            return Merged(data=None, version=Version(digest=""))
        last, created, clean = None, True, EMPTY
    elif unchanged and last is not None:
        created, clean = last.created, unsplice(now, last.splices)
    else:
        last = recorded(parse(now)) or last
        created, clean = last is not None and last.created, strip(now, last)
    if wanted is None:
        if now is not None:
            xmpcheck.same_foreign(now, last.added if last else Values(), clean, Values())
        gone = created and says_nothing(parse(clean))
        return Merged(data=None if gone else clean, version=Version(digest="", created=created))
    return _write(now, clean, wanted, last, created=created)


def _write(now: bytes | None, clean: bytes, wanted: Wish, last: Version | None, *, created: bool) -> Merged:
    root = parse(clean)
    there, current = values(root), values(parse(now)) if now is not None else Values()
    seen = last.wanted if last else Values()
    want = wanted.values

    def missing(field: str) -> tuple[str, ...]:
        """Wanted, not there, and not taken out by a person since we offered it."""
        have, offered, kept = getattr(there, field), getattr(seen, field), getattr(current, field)
        return tuple(
            text for text in getattr(want, field) if text not in have and (text not in offered or text in kept)
        )

    withdrawn = bool(seen.description) and not current.description
    free = not withdrawn and not any(node.name == DESCRIPTION for node in properties(root))
    hides = hides_others(there)
    # Not written, yet ours: digiKam may begin its list with what it reads of ours elsewhere.
    paths = want.paths if hides else missing("paths")
    about, others = (want.description, want.alternatives) if free else ("", {})
    added = Values(missing("subjects"), missing("hierarchy"), about, paths, others)
    own = record(want, added, created=created) | wanted.own
    written = replace(added, paths=()) if hides else added
    data, splices = splice(clean, _edits(clean, root, written, own))
    xmpcheck.same_foreign(now if now is not None else EMPTY, last.added if last and now else Values(), data, added)
    if unsplice(data, splices) != clean:
        raise XmlRefused("could not be changed without changing what others wrote")
    return Merged(data=data, version=Version(digest="", created=created, wanted=want, added=added, splices=splices))


def _edits(data: bytes, root: Element, added: Values, own: dict[str, xmpblock.Property]) -> list[Edit]:
    rdf = find_rdf(root)
    if rdf is None:
        raise XmlRefused("holds no rdf:RDF; it is not XMP")
    edits: list[Edit] = []
    block = xmpblock.Block(rdf, _about(rdf))
    for name, field in LISTS.items():
        texts = getattr(added, field)
        home = next((node for node in properties(root) if node.name == name), None)
        if any(name in description.attributes for description in rdf.children):
            raise XmlRefused(f"holds {name[1]} as a plain text, not a list")
        if texts and home is not None:
            edits.append(_into_list(data, home, texts))
        elif texts:
            block.texts(name, texts)
    if added.description:
        block.alternative(DESCRIPTION, said(added))
    block.own(own)
    edits.append(_into_rdf(data, rdf, block.render()))
    return edits


def _about(rdf: Element) -> str:
    """The subject of the file, which every description must name alike (XMP part 1, 7.4)."""
    for node in rdf.children:
        for name in ((RDF, "about"), ("", "about")):
            if name in node.attributes:
                return node.attributes[name]
    return ""


def _into_rdf(data: bytes, rdf: Element, block: str) -> Edit:
    if rdf.empty:
        return _opened(data, rdf, f"{block}\n")
    at = rdf.children[-1].end if rdf.children else rdf.open_end
    return at, at, block.encode()


def _into_list(data: bytes, node: Element, texts: tuple[str, ...]) -> Edit:
    if node.children and (len(node.children) > 1 or node.children[0].name not in CONTAINERS):
        raise XmlRefused(f"holds {node.name[1]} in a form that is no list")
    if not node.children:
        if node.text or node.attributes:
            raise XmlRefused(f"holds {node.name[1]} in a form that is no list")
        kind = KINDS[node.name]
        made = f'<rdf:{kind} xmlns:rdf="{RDF}">' + "".join(map(xmpblock.item, texts)) + f"</rdf:{kind}>"
        return _opened(data, node, made) if node.empty else (node.open_end, node.open_end, made.encode())
    container = node.children[0]
    tag = container.raw("li")
    written = [xmpblock.item(text, tag) for text in texts]
    if container.empty:
        return _opened(data, container, "".join(written))
    before = items(node)
    at = before[-1].end if before else container.open_end
    gap = data[with_indent(data, before[-1].start) : before[-1].start] if before else b""
    return at, at, b"".join(gap + text.encode() for text in written)


def _opened(data: bytes, node: Element, inside: str) -> Edit:
    """Turn ``<a/>`` into ``<a>inside</a>``."""
    tag = data[node.start + 1 : node.open_end].split(None, 1)[0].rstrip(b"/>")
    return node.open_end - 2, node.open_end, b">" + inside.encode() + b"</" + tag + b">"


def fresh() -> xmpblock.Block:
    """Give a description for a file that says nothing yet; ``document`` writes it."""
    return xmpblock.Block(_empty_rdf(), "")


def document(block: xmpblock.Block, space: str) -> bytes:
    """Write a file that holds one description, with the mark of a namespace of ours."""
    return splice(EMPTY, [_into_rdf(EMPTY, _empty_rdf(), block.render(space))])[0]


def _empty_rdf() -> Element:
    rdf = find_rdf(parse(EMPTY))
    assert rdf is not None
    return rdf


def strip(data: bytes, last: Version | None) -> bytes:
    """Take out what is ours, in a file that others have changed since we wrote it."""
    root = parse(data)
    rdf = find_rdf(root)
    left = {name: list(getattr(last.added, field)) for name, field in LISTS.items()} if last else {}
    edits: list[Edit] = []
    for description in rdf.children if rdf else ():
        marks = [span for name, span in description.attribute_spans.items() if name[0] == OWN]
        gone = [node for node in description.children if _is_ours(node, last)]
        inner: list[Edit] = []
        for node in description.children:
            if node.name in left and node not in gone:
                ours = _our_items(node, left[node.name])
                if ours and len(ours) == len(items(node)):
                    gone.append(node)
                else:
                    inner += [(with_indent(data, item.start), item.end, b"") for item in ours]
        rest = [name for name in description.attributes if name[0] != OWN and name[1] != "about"]
        if (marks or gone) and len(gone) == len(description.children) and not rest:
            edits.append((with_indent(data, description.start), description.end, b""))
            continue
        edits += inner + [(start, end, b"") for start, end in marks]
        edits += [(with_indent(data, node.start), node.end, b"") for node in gone]
    return splice(data, edits)[0]


def _is_ours(node: Element, last: Version | None) -> bool:
    if node.name[0] == OWN:
        return True
    added = last.added if last else Values()
    return node.name == DESCRIPTION and bool(added.description) and spoken(node) == said(added)


def _our_items(node: Element, left: list[str]) -> list[Element]:
    """The last item for each text in *left*, which loses the texts that were found."""
    ours = []
    for item in reversed(items(node)):
        if item.text in left:
            left.remove(item.text)
            ours.append(item)
    return ours


def says_nothing(root: Element) -> bool:
    """Tell whether no description in the file has a property."""
    rdf = find_rdf(root)
    if rdf is None:
        return False
    plain = all(not node.children and all(name[1] == "about" for name in node.attributes) for node in rdf.children)
    return plain and root.name in ((RDF, "RDF"), ("adobe:ns:meta/", "xmpmeta")) and len(root.children) <= 1


def same_meaning(one: bytes, other: bytes) -> bool:
    """Tell whether two files say the same in shared properties and in our namespace."""
    first, second = parse(one), parse(other)
    mine, yours = values(first), values(second)
    return (
        all(sorted(getattr(mine, field)) == sorted(getattr(yours, field)) for field in LISTS.values())
        and mine.description == yours.description
        and mine.alternatives == yours.alternatives
        and _own(first) == _own(second)
    )


def _own(root: Element) -> list[object]:
    rdf = find_rdf(root)
    marks = [
        (name, value)
        for node in (rdf.children if rdf else ())
        for name, value in node.attributes.items()
        if name[0] == OWN
    ]
    trees = [_tree(node) for node in properties(root) if node.name[0] == OWN]
    return sorted([*marks, *trees], key=repr)


def _tree(node: Element) -> object:
    return node.name, node.text, sorted(node.attributes.items()), [_tree(child) for child in node.children]


__all__ = [
    "DC",
    "EMPTY",
    "ITEM",
    "LR",
    "Merged",
    "XmlRefused",
    "document",
    "fresh",
    "merge",
    "same_meaning",
    "says_nothing",
    "strip",
]
