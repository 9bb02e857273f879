"""Pictures and texts to vectors of length one, through the runtime."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np

from callboard.embed.pairs import space_of
from callboard.embed.pictures import preparation, prepare
from callboard.errors import JobError, ModelMissing
from callboard.packs import locate, read_file

if TYPE_CHECKING:
    from callboard.context import Runtime
    from callboard.embed.tokens import Encoded, Tokens
    from callboard.packs import Pack
    from callboard.packs.packfile import Tensor

Array = np.ndarray[Any, Any]

_ROWS = 16
"""Rows of one call where the pack does not say."""
_KEPT: Final = 4
"""Tokenizers kept, the latest."""
_READ: dict[tuple[str, bytes], Tokens] = {}
_READING = threading.Lock()


class ImageEmbedder:
    """Embeds pictures with the image tower of a pack."""

    def __init__(self, runtime: Runtime, pack: Pack) -> None:
        """Make an embedder that has loaded nothing yet.

        Raises:
            ModelMissing: the pack does not say how pictures are prepared, or what goes in and comes out.
        """
        self._runtime, self.pack = runtime, pack
        self._input, self._output = _tensors(pack)[0][0].name, _tensors(pack)[1].name
        self._how = preparation(pack)
        self.space = space_of(pack)
        """What the vectors may be compared with."""

    @property
    def length(self) -> int:
        """Numbers in a vector; 0 where the pack does not say."""
        return max(self.pack.outputs[0].shape[-1], 0)

    def embed(self, pictures: Sequence[Array], **options: object) -> Array:
        """Embed pictures.

        Args:
            pictures: uint8, height x width x 3, RGB, any sizes.
            options: For the runtime.

        Returns:
            float32, pictures x length; each row has length one.

        Raises:
            ModelMissing: the pack's files are not here or not intact.
            JobError: a picture is none, or the model gave no numbers for it.
        """
        rows = _rows(self.pack)
        found = []
        for first in range(0, len(pictures), rows):
            ready = prepare(list(pictures[first : first + rows]), self._how)
            found.append(self._runtime.call(self.pack.name, {self._input: ready}, **options)[self._output])
        return unit(found, self.pack)


class TextEmbedder:
    """Embeds texts with the text tower of a pack, or with a sentence model."""

    def __init__(self, runtime: Runtime, pack: Pack) -> None:
        """Read the pack's tokenizer.

        Raises:
            ModelMissing: its files are not here or not intact, or a library that it needs is not installed.
        """
        self._runtime, self.pack = runtime, pack
        self._inputs, output = _tensors(pack)
        self._output = output.name
        self._tokens = _tokens(pack)
        self._pad = _whole(pack.preprocess.get("pad", 0))
        self.space = space_of(pack)
        """What the vectors may be compared with."""

    @property
    def length(self) -> int:
        """Numbers in a vector; 0 where the pack does not say."""
        return max(self.pack.outputs[0].shape[-1], 0)

    def embed(self, texts: Sequence[str], **options: object) -> Array:
        """Embed texts.

        Args:
            texts: Any length; what goes past the model's own length is left out.
            options: For the runtime.

        Returns:
            float32, texts x length; each row has length one.

        Raises:
            ModelMissing: the pack's files are not here or not intact.
            JobError: the model gave no numbers for a text.
        """
        encoded = self._tokens.encode(texts)
        # Texts of like length go together: a batch is as long as its longest.
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index][0]))
        rows = _rows(self.pack)
        found = []
        for first in range(0, len(order), rows):
            inputs = self._batch([encoded[index] for index in order[first : first + rows]])
            found.append(self._runtime.call(self.pack.name, inputs, **options)[self._output])
        vectors = unit(found, self.pack)
        back = np.empty_like(vectors)
        back[order] = vectors
        return back

    def _batch(self, encoded: list[Encoded]) -> dict[str, Array]:
        from callboard.embed.tokens import padded

        ids, types = [one[0] for one in encoded], [one[1] for one in encoded]
        made = {}
        for tensor in self._inputs:
            length = max(tensor.shape[-1], 0)
            if "mask" in tensor.name:
                values = padded([[1] * len(row) for row in ids], 0, length)
            elif "type" in tensor.name:
                values = padded(types, 0, length)
            else:
                values = padded(ids, self._pad, length)
            made[tensor.name] = values.astype(tensor.dtype)
        return made


def unit(found: Sequence[Array], pack: Pack) -> Array:
    """Put batches of rows together and give each row the length one: float32.

    Raises:
        JobError: a row holds what is no number, or nothing but zeros.
    """
    if not found:
        return np.empty((0, max(pack.outputs[0].shape[-1], 0)), np.float32)
    vectors = np.concatenate([np.asarray(batch, np.float32) for batch in found])
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise JobError(
            f"model {pack.name!r} gave a vector that is not a number or has no length",
            f"'callboard models verify {pack.name}' compares its files; another device or precision may help.",
        )
    return cast("Array", (vectors / lengths).astype(np.float32))


def _tensors(pack: Pack) -> tuple[tuple[Tensor, ...], Tensor]:
    if pack.problem or not pack.inputs or not pack.outputs:
        raise ModelMissing(
            pack.name, pack.problem or "it does not say what goes in and comes out", f"Mend {pack.origin}."
        )
    return pack.inputs, pack.outputs[0]


def _rows(pack: Pack) -> int:
    return pack.batch.most if pack.batch is not None else _ROWS


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _tokens(pack: Pack) -> Tokens:
    """Give a pack's tokenizer; the same content is read once in a process, since that takes a quarter of a second."""
    key = (pack.digest, msgspec.json.encode(pack.preprocess, order="deterministic"))
    with _READING:
        tokens = _READ.get(key)
        if tokens is None:
            tokens = _READ[key] = _read_tokens(pack)
            while len(_READ) > _KEPT:
                del _READ[next(iter(_READ))]
    return tokens


def _read_tokens(pack: Pack) -> Tokens:
    try:
        from callboard.embed.tokens import make_tokens
    except ImportError as error:
        raise ModelMissing(pack.name, f"{error.name} is not installed", "pip install 'callboard[autotag]'") from None
    folder = locate(pack)
    files = {file.path: file for file in pack.files}

    def read(name: str) -> bytes:
        if name not in files:
            raise ModelMissing(pack.name, f"it lists no file {name!r}", f"Mend {pack.origin}.")
        return read_file(pack, folder, files[name])

    return make_tokens(pack, read)


__all__ = ["ImageEmbedder", "TextEmbedder", "unit"]
