"""The second opinion: another parser says that what others wrote is still there, node for node."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard.effects.ledger import Values
from callboard.effects.spans import XmlRefused
from callboard.effects.xmpmodel import DC, DEFAULT, LISTS, OWN, RDF, XML, said
from callboard.strict_xml import parser as strict_parser

_LISTS = {f"{{{space}}}{local}": field for (space, local), field in LISTS.items()}
_DESCRIPTION = f"{{{DC}}}description"
_LI = f"{{{RDF}}}li"
_LANG = f"{{{XML}}}lang"


def same_foreign(before: bytes, ours_before: Values, after: bytes, ours_after: Values) -> None:
    """Compare two files in canonical form, without what is ours, without white space between elements.

    Raises:
        XmlRefused: they differ, or one cannot be read.
    """
    if foreign(before, ours_before) != foreign(after, ours_after):
        raise XmlRefused("could not be changed without changing what others wrote")


def foreign(data: bytes, ours: Values) -> bytes:
    """Write what is not ours in canonical form (C14N, with comments)."""
    try:
        tree = etree.ElementTree(etree.fromstring(data, strict_parser(strip_cdata=False)))
    except etree.XMLSyntaxError as error:
        raise XmlRefused(f"is not XML that a second parser reads ({error})") from None
    if tree.docinfo.internalDTD is not None:
        raise XmlRefused("has a DOCTYPE, which no XMP needs")
    for node in tree.iter():
        if not (node.text or "").strip() and isinstance(node.tag, str):
            node.text = None
        if not (node.tail or "").strip():
            node.tail = None
    _drop_ours(tree, ours)
    return bytes(etree.tostring(tree, method="c14n", with_comments=True))


def _drop_ours(tree: etree._ElementTree, ours: Values) -> None:
    left = {tag: list(getattr(ours, field)) for tag, field in _LISTS.items()}
    for description in list(_descriptions(tree.getroot())):
        for name in [name for name in description.attrib if str(name).startswith(f"{{{OWN}}}")]:
            del description.attrib[name]
        for node in list(_elements(description)):
            if node.tag.startswith(f"{{{OWN}}}") or (node.tag == _DESCRIPTION and _is_text(node, ours)):
                description.remove(node)
            elif node.tag in left:
                _drop_items(node, left[node.tag])
                if next(node.iter(_LI), None) is None and not node.attrib and not "".join(node.itertext()).strip():
                    description.remove(node)
        bare = all(etree.QName(str(name)).localname == "about" for name in description.attrib)
        if bare and len(description) == 0 and not description.text:
            parent = description.getparent()
            if parent is not None:
                parent.remove(description)


def _descriptions(root: etree._Element) -> Iterable[etree._Element]:
    tag = f"{{{RDF}}}RDF"
    rdf = root if root.tag == tag else root.find(tag)
    return () if rdf is None else _elements(rdf)


def _elements(node: etree._Element) -> Iterable[etree._Element]:
    return (child for child in node if isinstance(child.tag, str))


def _is_text(node: etree._Element, ours: Values) -> bool:
    found = [(item.get(_LANG, DEFAULT), (item.text or "").strip()) for item in node.iter(_LI)]
    return bool(ours.description) and found == said(ours)


def _drop_items(node: etree._Element, left: list[str]) -> None:
    for item in reversed(list(node.iter(_LI))):
        text = (item.text or "").strip()
        parent = item.getparent()
        if text in left and parent is not None:
            left.remove(text)
            parent.remove(item)


__all__ = ["foreign", "same_foreign"]
