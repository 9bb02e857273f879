"""Texts to the pieces that a translation model reads, and back: by the tokenizer that comes with its weights.

Nothing but a pack's own verified files is read: a ``tokenizer.json``, or SentencePiece models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from callboard.errors import ModelMissing
from callboard.packs import Pack

FAMILIES: Final = ("marian", "m2m100", "nllb", "plain")
"""How source and target are told to a model: ``options.family`` of a pack."""
_END: Final = "</s>"
_LANGUAGE: Final = re.compile(r"^(__[a-z]{2,3}__|[a-z]{3}_[A-Z][a-z]{3})$")
"""The tokens of M2M100 and NLLB that name languages: never part of a text."""
_SHARED: Final = ("sentencepiece.bpe.model", "spm.model", "sentencepiece.model")


class _Splitter(Protocol):
    def split(self, text: str) -> list[str]: ...

    def join(self, pieces: Sequence[str]) -> str: ...


class _Sentencepiece:
    def __init__(self, source: bytes, target: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self._source: Any = SentencePieceProcessor(model_proto=source)
        self._target: Any = SentencePieceProcessor(model_proto=target)

    def split(self, text: str) -> list[str]:
        return list(self._source.encode(text, out_type=str))

    def join(self, pieces: Sequence[str]) -> str:
        return str(self._target.decode_pieces(list(pieces)))


class _Tokenizers:
    def __init__(self, content: bytes) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_str(content.decode())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def split(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def join(self, pieces: Sequence[str]) -> str:
        ids = [found for found in map(self._tokenizer.token_to_id, pieces) if found is not None]
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


class Pieces:
    """Cuts texts for one model, and tells it the languages as its family is told."""

    def __init__(self, pack: Pack, files: Mapping[str, bytes]) -> None:
        """Read the tokenizer among *files*.

        Raises:
            ModelMissing: there is none, or it cannot be read, or its library is not installed.
        """
        self._pack = pack
        self.family = str(pack.options.get("family", ""))
        if self.family not in FAMILIES:
            raise _wrong(pack, f"options.family is {self.family!r}, none of {', '.join(FAMILIES)}")
        try:
            self._splitter = _splitter(pack, files)
        except ImportError as error:
            hint = "pip install 'callboard[localize]'"
            raise ModelMissing(pack.name, f"its tokenizer cannot be read ({error})", hint) from None
        except (ValueError, RuntimeError, UnicodeDecodeError) as error:
            raise _wrong(pack, f"its tokenizer cannot be read ({error})") from None

    def source(self, text: str, source: str, target: str) -> list[str]:
        """Give the pieces of *text* as the encoder reads them: with language and end as the model was taught."""
        pieces = self._splitter.split(text)
        if self.family == "plain":
            return pieces
        if self.family == "marian":
            return [*([target] if target.startswith(">>") else []), *pieces, _END]
        return [source, *pieces, _END]

    def prefix(self, target: str) -> list[str]:
        """Give what the decoder must begin with, after its start."""
        return [target] if self.family in ("m2m100", "nllb") else []

    def text(self, pieces: Sequence[str], target: str) -> str:
        """Join what the decoder wrote."""
        own = {target, _END, "<pad>", "<s>"}
        return self._splitter.join([p for p in pieces if p not in own and not _LANGUAGE.match(p)]).strip()


def _splitter(pack: Pack, files: Mapping[str, bytes]) -> _Splitter:
    if "tokenizer.json" in files:
        return _Tokenizers(files["tokenizer.json"])
    if "source.spm" in files and "target.spm" in files:
        return _Sentencepiece(files["source.spm"], files["target.spm"])
    shared = next((files[name] for name in _SHARED if name in files), None)
    if shared is None:
        raise _wrong(pack, f"it lists no tokenizer.json, source.spm and target.spm, or {_SHARED[0]}")
    return _Sentencepiece(shared, shared)


class Vocabulary:
    """Pieces to the numbers that a transformers model takes."""

    def __init__(self, pack: Pack, files: Mapping[str, bytes]) -> None:
        """Read ``vocab.json`` and what ``special_tokens_map.json`` adds to it, or ``tokenizer.json``.

        Raises:
            ModelMissing: neither is there, or it cannot be read.
        """
        try:
            self._ids = _numbers(files)
        except (KeyError, ValueError, TypeError) as error:
            raise _wrong(pack, f"its vocabulary cannot be read ({error!r})") from None
        self._pieces = {number: piece for piece, number in self._ids.items()}
        self._unknown = self._ids.get("<unk>", 0)

    def number(self, piece: str) -> int:
        """Give the number of *piece*; that of ``<unk>`` where it has none."""
        return self._ids.get(piece, self._unknown)

    def piece(self, number: int) -> str:
        """Give the piece with a number; nothing where there is none."""
        return self._pieces.get(number, "")


def _numbers(files: Mapping[str, bytes]) -> dict[str, int]:
    if "vocab.json" not in files:
        whole = json.loads(files["tokenizer.json"])
        given = whole["model"]["vocab"]
        ids = {str(p[0]): n for n, p in enumerate(given)} if isinstance(given, list) else dict(given)
        return {**ids, **{str(token["content"]): int(token["id"]) for token in whole.get("added_tokens", ())}}
    ids = {str(piece): int(number) for piece, number in json.loads(files["vocab.json"]).items()}
    added = json.loads(files.get("added_tokens.json", b"{}"))
    ids |= {str(piece): int(number) for piece, number in added.items()}
    special = json.loads(files.get("special_tokens_map.json", b"{}")).get("additional_special_tokens", ())
    for token in special:
        content = str(token["content"] if isinstance(token, dict) else token)
        ids.setdefault(content, len(ids))  # M2M100 numbers its languages after the pieces, in this order
    return ids


def _wrong(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, f"Mend {pack.origin} or its files.")


__all__ = ["FAMILIES", "Pieces", "Vocabulary"]
