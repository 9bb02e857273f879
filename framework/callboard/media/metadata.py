"""Text from inside files, made safe to show. Runs in the decoder only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_MOST_ENTRIES = 64
_MOST_CHARACTERS = 1000


def clean_text(value: object) -> str:
    """Return *value* as one line: control and format characters removed, at most 1000 characters."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value)[: 4 * _MOST_CHARACTERS]
    kept = "".join(" " if char in "\r\n\t" else char for char in text)
    kept = "".join(char for char in kept if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return " ".join(kept.split())[:_MOST_CHARACTERS]


def clean_metadata(metadata: Mapping[str, object]) -> dict[str, str]:
    """Keep up to 64 entries that say something."""
    cleaned = ((clean_text(key), clean_text(value)) for key, value in list(metadata.items())[: 4 * _MOST_ENTRIES])
    return dict([(key, value) for key, value in cleaned if key and value][:_MOST_ENTRIES])


__all__ = ["clean_metadata", "clean_text"]
