"""How what Callboard made in a timeline is told from what a person made: ``metadata["callboard"]`` on each object."""

from __future__ import annotations

import re
from typing import Any

NAMESPACE = "callboard"
_TAGGED = re.compile(r"\s*\[callboard:([0-9A-Za-z._:-]{1,128})\]\s*$", re.IGNORECASE)


def plain(value: Any) -> Any:
    """Give metadata of any depth as dicts, lists and plain values."""
    if hasattr(value, "items"):
        if not len(value):  # most have none, and to ask the library for each of none takes 30 us
            return {}
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    if hasattr(value, "__iter__"):
        return [plain(inner) for inner in value]
    return str(value)


def ours(thing: Any) -> dict[str, Any]:
    """Give what Callboard wrote on an object; an empty dict where it wrote nothing."""
    if not len(thing.metadata):  # as with most things; to look into it takes 100 us
        return {}
    found = plain(thing.metadata.get(NAMESPACE, {}))
    return found if isinstance(found, dict) else {}


def put_ours(thing: Any, facts: dict[str, Any]) -> None:
    """Write what Callboard says of an object; an empty dict takes it away."""
    if facts:
        thing.metadata[NAMESPACE] = facts
    elif NAMESPACE in thing.metadata:
        del thing.metadata[NAMESPACE]


def placeholder_of(clip: Any) -> dict[str, Any]:
    """Give what is known of our stand-in on a clip; an empty dict where the clip is a person's."""
    found = ours(clip).get("placeholder")
    return found if isinstance(found, dict) else {}


def marker_id(marker: Any) -> str:
    """Give the id that our marker carries; empty where the marker is a person's."""
    found = ours(marker).get("id")
    return found if isinstance(found, str) else ""


def tagged(text: str, ident: str) -> str:
    """Write an id behind a text, for formats whose markers have a text and nothing else."""
    return f"{text} [callboard:{ident}]".lstrip() if ident else text


def untagged(text: str) -> tuple[str, str]:
    """Take the id off a text that ``tagged`` wrote; empty where there is none."""
    found = _TAGGED.search(text)
    return (text[: found.start()], found[1].lower()) if found else (text, "")


__all__ = ["NAMESPACE", "marker_id", "ours", "placeholder_of", "plain", "put_ours", "tagged", "untagged"]
