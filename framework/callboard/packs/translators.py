"""What makes a repository of a model hub a translation pack: its files, the family it is of, and its languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from callboard.errors import PullError

TASK: Final = "translate"
_VOCABULARIES: Final = frozenset(
    f"{name}vocabulary.{suffix}" for name in ("shared_", "source_", "target_") for suffix in ("json", "txt")
)
_SHARED: Final = ("sentencepiece.bpe.model", "spm.model", "sentencepiece.model")
_CONFIGS: Final = frozenset(
    {"config.json", "generation_config.json", "special_tokens_map.json", "tokenizer_config.json"}
)
_TOKENIZERS: Final = frozenset({"source.spm", "target.spm", "tokenizer.json", "vocab.json", *_SHARED})
_NAMED: Final = re.compile(r"opus-mt-(?:tc-[a-z]+-)?([a-z]{2,3})-([a-z]{2,3})(?:$|[-_])", re.IGNORECASE)
_TOKENS: Final = {"m2m100": re.compile(r"^__[a-z]{2,3}__$"), "nllb": re.compile(r"^[a-z]{3}_[A-Z][a-z]{3}$")}

Read = Callable[[str], bytes]
"""Gives the content of a file of the repository."""


class Translator(Struct, frozen=True, kw_only=True):
    """How a repository is described as a translation pack."""

    engine: str
    files: tuple[str, ...]
    """The weights first."""
    family: str
    languages: tuple[str, ...]


def recognise(repository: str, there: Collection[str], read: Read, languages: Sequence[str] = ()) -> Translator | None:
    """Say how *repository* translates; ``None`` where its files are no translation model that is known here.

    Args:
        repository: ``owner/name``; names such as ``opus-mt-en-es`` tell the languages.
        there: The names of its files.
        read: Reads one of them.
        languages: What a person says of the languages: ``en>es`` for a direction, or the model's own codes.

    Raises:
        PullError: it translates, and nothing tells between which languages.
    """
    weights = "model.bin" if _VOCABULARIES & set(there) else "model.safetensors"
    family = _family(there)
    if weights not in there or "config.json" not in there or not family:
        return None
    converted = weights == "model.bin"
    if not converted and family == "plain":
        return None
    beside = _CONFIGS | _TOKENIZERS | (_VOCABULARIES if converted else frozenset())
    chosen = tuple(languages) or _named(repository, family) or tuple(_listed(family, there, read))
    if not chosen:
        raise PullError(
            repository,
            "it is a translation model, and nothing in it says between which languages",
            "Say so: --languages 'en>es', once for each direction.",
        )
    return Translator(
        engine="ctranslate2" if converted else "torch",
        files=(weights, *sorted(beside & set(there))),
        family=family,
        languages=chosen,
    )


def _family(there: Collection[str]) -> str:
    if {"source.spm", "target.spm"} <= set(there):
        return "marian"
    if not any(name in there for name in _SHARED):
        return ""
    if "spm.model" in there:
        return "plain"
    return "nllb" if "tokenizer.json" in there else "m2m100"


def _named(repository: str, family: str) -> tuple[str, ...]:
    found = _NAMED.search(repository) if family in ("marian", "plain") else None
    return (f"{found[1].lower()}>{found[2].lower()}",) if found else ()


def _listed(family: str, there: Collection[str], read: Read) -> Iterator[str]:
    """Give the languages among the special tokens of a model for many."""
    pattern = _TOKENS.get(family)
    for name in ("special_tokens_map.json", "tokenizer_config.json", "shared_vocabulary.json"):
        if pattern is None or name not in there:
            continue
        found = dict.fromkeys(text for text in _texts(json.loads(read(name))) if pattern.match(text))
        if found:
            yield from found
            return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


__all__ = ["TASK", "Translator", "recognise"]
