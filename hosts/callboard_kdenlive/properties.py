"""Properties of MLT elements: ``<property name="…">value</property>``."""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

Element = Any
"""An ``lxml`` element; the library brings no types."""


_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def prop(element: Element, name: str) -> str | None:
    """Give a property's value; ``None`` where there is none."""
    for child in element.iterchildren("property"):
        if child.get("name") == name:
            return str(child.text or "")
    return None


def put(element: Element, name: str, value: str) -> None:
    """Set a property; a new one comes after the last. Characters that XML cannot hold are left out."""
    value = clean(value)
    last = -1
    for index, child in enumerate(element):
        if child.tag == "property":
            if child.get("name") == name:
                child.text = value
                return
            last = index
    new = etree.Element("property", name=name)
    new.text = value
    insert(element, last + 1, new)


def clean(text: str) -> str:
    """Leave out what neither XML nor a subtitle file can hold: control characters and halves of characters."""
    return _NO_XML.sub("", text)


def drop(element: Element, name: str) -> None:
    """Take a property away, if it is there."""
    for child in element.findall("property"):
        if child.get("name") == name:
            remove(child)


def insert(parent: Element, index: int, child: Element) -> None:
    """Put *child* at *index*, spaced as its neighbours are."""
    if index > 0:
        child.tail = parent[index - 1].tail
        if index < len(parent):
            child.tail = _between(parent)
        parent[index - 1].tail = _between(parent)
    else:
        child.tail = _between(parent) if len(parent) else parent.text
    parent.insert(index, child)


def remove(child: Element) -> None:
    """Take *child* out; what follows stays as it is spaced."""
    parent, before = child.getparent(), child.getprevious()
    if before is not None and child.getnext() is None:
        before.tail = child.tail
    child.tail = None
    parent.remove(child)


def _between(parent: Element) -> str | None:
    """Give the white space before the first child, which stands between any two."""
    return str(parent.text) if parent.text and not parent.text.strip() else None


__all__ = ["Element", "clean", "drop", "insert", "prop", "put", "remove"]
