"""What makes a repository of a model hub a speech model: Whisper, as converted for CTranslate2."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, Final

from msgspec import Struct

TASK: Final = "asr"
_NEEDED: Final = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES: Final = ("vocabulary.json", "vocabulary.txt")
_BESIDE: Final = ("preprocessor_config.json",)
_ENGLISH: Final = ("en",)


class Speech(Struct, frozen=True, kw_only=True):
    """How a repository is described as a speech pack."""

    files: tuple[str, ...]
    """The weights first."""
    languages: tuple[str, ...]
    """Codes; empty for every language that Whisper knows."""


def recognise(there: Collection[str], read: Callable[[str], bytes]) -> Speech | None:
    """Say how a repository hears; ``None`` where its files are no converted Whisper.

    Args:
        there: The names of its files.
        read: Reads one of them.
    """
    vocabulary = next((name for name in _VOCABULARIES if name in there), "")
    if not vocabulary or not all(name in there for name in _NEEDED):
        return None
    config: Any = json.loads(read("config.json"))
    if not isinstance(config, dict) or "alignment_heads" not in config:
        return None
    return Speech(
        files=(*_NEEDED, vocabulary, *(name for name in _BESIDE if name in there)),
        languages=() if config.get("lang_ids") else _ENGLISH,
    )


def about(speech: Speech, repository: str, size: int) -> dict[str, Any]:
    """Give what a pack says of a speech model.

    Args:
        speech: As recognised.
        repository: Where it is from.
        size: Bytes of all its files; a loaded copy in 8 bits takes about as much as one of 16 bits on disk.
    """
    languages = {"languages": speech.languages} if speech.languages else {}
    return {
        "task": TASK,
        "engine": "ctranslate2",
        "summary": f"{repository} hears {'English' if speech.languages else 'many languages'} and times each word.",
        "memory_mb": max(256, size >> 20),
        "inputs": [{"name": "samples", "dtype": "float32", "shape": [-1], "range": "16 kHz mono, -1 to 1"}],
        "options": {"compute_type": "int8", **languages},
    }


__all__ = ["TASK", "Speech", "about", "recognise"]
