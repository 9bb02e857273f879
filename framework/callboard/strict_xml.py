"""How XML of others is read: nothing in it is looked up, here or anywhere else."""

from __future__ import annotations

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs


def parser(**more: bool) -> etree.XMLParser:
    """Make a parser that expands no entities, loads no DTD, uses no network and keeps to libxml2's limits of size.

    Args:
        more: What else lxml's ``XMLParser`` is to do, such as ``remove_comments``.
    """
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, **more)


__all__ = ["parser"]
