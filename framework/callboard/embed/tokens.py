"""Texts to token ids, as the model's own tokenizer makes them.

CLIP's byte-pair tokenizer is put together from the libraries that open_clip's stands on: ftfy mends the text, regex
cuts it into words, and the merges of the vocabulary file are applied by tokenizers. Other models bring a
``tokenizer.json``, which tokenizers reads.
"""

from __future__ import annotations

import gzip
import html
import string
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import ftfy
import numpy as np
import regex
from tokenizers import Tokenizer
from tokenizers.models import BPE

from callboard.errors import ModelMissing

if TYPE_CHECKING:
    from callboard.packs import Pack

Array = np.ndarray[Any, Any]
Encoded = tuple[list[int], list[int]]
"""Token ids and token types of one text, special tokens with them."""

CLIP_CONTEXT: Final = 77
"""Tokens that CLIP's text tower takes."""
_MERGES: Final = 49152 - 256 - 2
"""Lines of the vocabulary file that are used; CLIP's ``simple_tokenizer.py`` stops there, the file goes on."""
_START, _END = "<start_of_text>", "<end_of_text>"
_WORDS: Final = regex.compile(
    rf"{_START}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
)
_NO_PUNCTUATION: Final = str.maketrans("_", " ", string.punctuation.replace("_", ""))


class Tokens(Protocol):
    """Any tokenizer."""

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Give ids and types of each text, cut to the model's length, not padded."""
        ...


def mended(text: str) -> str:
    """Undo wrong encodings and HTML entities, as CLIP's training did to its captions."""
    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _lower(text: str) -> str:
    return " ".join(mended(text).split()).lower()


def _whitespace(text: str) -> str:
    return " ".join(mended(text).split())


def _canonical(text: str) -> str:
    return " ".join(mended(text).translate(_NO_PUNCTUATION).lower().split())


def _plain(text: str) -> str:
    return text


CLEANERS: Final[Mapping[str, Callable[[str], str]]] = {
    "lower": _lower,
    "whitespace": _whitespace,
    "canonicalize": _canonical,
    "": _plain,
}
"""The names that open_clip's configurations use, and none at all."""


class ClipTokens:
    """The tokenizer of OpenAI's CLIP and of most open_clip models: identical ids for identical texts."""

    def __init__(self, vocabulary: bytes, context: int = CLIP_CONTEXT, clean: str = "lower") -> None:
        """Read the merges.

        Args:
            vocabulary: ``bpe_simple_vocab_16e6.txt``, gzipped or not.
            context: Tokens at most, the two marks with them.
            clean: A key of ``CLEANERS``.
        """
        text = gzip.decompress(vocabulary) if vocabulary[:2] == b"\x1f\x8b" else vocabulary
        lines = text.decode("utf-8").split("\n")[1 : _MERGES + 1]
        merges = [(first, second) for first, _, second in (line.partition(" ") for line in lines)]
        letters = _letters()
        pieces = [*letters.values(), *(letter + "</w>" for letter in letters.values())]
        pieces += ["".join(merge) for merge in merges]
        self._ids = {piece: number for number, piece in enumerate([*pieces, _START, _END])}
        self._letters = [letters[byte] for byte in range(256)]
        self._merges = BPE(vocab=self._ids, merges=merges, end_of_word_suffix="</w>")
        self._context, self._clean = context, CLEANERS[clean]
        self.start, self.end = self._ids[_START], self._ids[_END]

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Give the ids of each text between the two marks; a text that is too long loses its end, not the mark."""
        return [(ids, [0] * len(ids)) for ids in map(self._encode, texts)]

    def _encode(self, text: str) -> list[int]:
        found = [self.start]
        for word in _WORDS.findall(self._clean(text)):
            if word in (_START, _END):
                found.append(self._ids[word])
            else:
                spelt = "".join(self._letters[byte] for byte in word.encode("utf-8"))
                found += [token.id for token in self._merges.tokenize(spelt)]
        return [*found[: self._context - 1], self.end]


def _letters() -> dict[int, str]:
    """Bytes to the letters that stand for them: themselves where they can be seen, then letters from 256 on.

    The order is that of the vocabulary's ids.
    """
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in set(seen)]
    return {**{byte: chr(byte) for byte in seen}, **{byte: chr(256 + n) for n, byte in enumerate(hidden)}}


class FileTokens:
    """A tokenizer that a ``tokenizer.json`` describes."""

    def __init__(self, description: bytes, context: int, clean: str = "", blank: int | None = None) -> None:
        """Read it.

        Args:
            description: The file.
            context: Tokens at most, special tokens with them.
            clean: A key of ``CLEANERS``: what is done to a text before.
            blank: A token id that is put to 0, such as the separator that some CLIP models were trained without.
        """
        self._tokenizer = Tokenizer.from_str(description.decode("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(context)
        self._clean, self._blank = CLEANERS[clean], blank

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Give ids and types of each text, cut to the model's length, not padded."""
        found = self._tokenizer.encode_batch([self._clean(text) for text in texts])
        return [([0 if i == self._blank else i for i in one.ids], list(one.type_ids)) for one in found]


def make_tokens(pack: Pack, read: Callable[[str], bytes]) -> Tokens:
    """Make the tokenizer of a text pack as its ``preprocess`` table says.

    Its keys: ``tokenizer`` (a file of the pack; the only one that can be where it is not given), ``context`` or
    ``tokens`` (tokens at most), ``clean`` (a key of ``CLEANERS``), ``blank`` (a token id put to 0).

    Args:
        pack: The pack.
        read: Gives the bytes of one of its files.

    Raises:
        ModelMissing: the pack has no tokenizer, or one that cannot be read.
    """
    given = pack.preprocess
    named = str(given.get("tokenizer") or _tokenizer_file(pack))
    bpe = not named.endswith(".json")
    clean = str(given.get("clean", "lower" if bpe else ""))
    context, blank = int(_number(given.get("context", given.get("tokens", 0)))), given.get("blank")
    try:
        if bpe:
            return ClipTokens(read(named), context or CLIP_CONTEXT, clean)
        return FileTokens(read(named), context or 256, clean, int(_number(blank)) if blank is not None else None)
    except ModelMissing:
        raise
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises bare Exception
        raise ModelMissing(pack.name, f"{named} cannot be read: {error}", f"Mend {pack.origin}.") from None


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return value
    raise ValueError(f"{value!r} is not a number")


def _tokenizer_file(pack: Pack) -> str:
    names = [file.path for file in pack.files]
    for name in names:
        if name.rpartition("/")[2] == "tokenizer.json" or name.rpartition("/")[2].startswith("bpe_simple_vocab"):
            return name
    raise ModelMissing(pack.name, "it lists no tokenizer", f"Mend {pack.origin}.")


def padded(rows: Sequence[Sequence[int]], value: int, length: int = 0) -> Array:
    """Fill rows of ids up to *length*, or to the longest of them: int64, rows x length."""
    made = np.full((len(rows), length or max(map(len, rows), default=0)), value, np.int64)
    for target, row in zip(made, rows, strict=True):
        target[: len(row)] = row
    return made


__all__ = [
    "CLEANERS",
    "CLIP_CONTEXT",
    "ClipTokens",
    "Encoded",
    "FileTokens",
    "Tokens",
    "make_tokens",
    "mended",
    "padded",
]
