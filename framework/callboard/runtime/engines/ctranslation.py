"""The CTranslate2 engine: translation by Marian, M2M100 and NLLB models in its own format, from verified bytes only.

Packs for speech recognition go to ``ctranslate``, which needs faster-whisper as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ctranslate2
import numpy as np

from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, read_file
from callboard.runtime import Control, NoMemory, cores
from callboard.runtime.engines.devices import CPU, kind_of, ordered
from callboard.runtime.engines.memory import Growth, give_back, is_short
from callboard.runtime.engines.pieces import Pieces
from callboard.runtime.engines.translation import TASK, Wish, Written, translate, wish_of

if TYPE_CHECKING:
    from callboard.runtime import Session

_ROWS: Final = 32
"""Sentences of one batch at most."""
_OWN: Final = (".bin", "config.json", "vocabulary.json", "vocabulary.txt", "vocab.json", "vmap.txt")
"""Endings of the files that CTranslate2 reads itself."""


class CTranslateEngine:
    """Makes sessions of CTranslate2 folders, as the task of a pack says."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The first CUDA device that CTranslate2 finds, and the CPU. Only the CPU has been run: no GPU was at hand."""
        return ordered(("cuda:0",) if ctranslate2.get_cuda_device_count() > 0 else (), pack, settings)

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = CPU) -> Session:
        """Load *pack*; nothing is fetched and nothing but the pack's files is read.

        Raises:
            ModelMissing: a file is not what the pack says, or no such model, or a library is not installed.
            NoMemory: it does not fit on *device* now.
        """
        if pack.task == TASK:
            return _load_translator(pack, folder, settings, device)
        from callboard.runtime.engines.ctranslate import WhisperEngine

        return WhisperEngine().load(pack, folder, settings, device)


def _compute_type(pack: Pack, device: str) -> str:
    """int8 on the CPU and float16 on a GPU that has it, unless ``options.compute_type`` says."""
    chosen = pack.options.get("compute_type")
    if chosen is not None or device == CPU:
        return str(chosen or "int8")
    return "float16" if "float16" in ctranslate2.get_supported_compute_types("cuda") else "int8"


def _load_translator(pack: Pack, folder: Path, settings: RuntimeSettings, device: str) -> Session:
    files = {file.path: read_file(pack, folder, file) for file in pack.files}
    pieces = Pieces(pack, files)
    try:
        with Growth() as growth:
            model = ctranslate2.Translator(
                pack.name,
                device=kind_of(device),
                compute_type=_compute_type(pack, device),
                inter_threads=pack.parallel or 1,
                intra_threads=max(1, (settings.threads or cores()) // (pack.parallel or 1)),
                files={name: content for name, content in files.items() if name.endswith(_OWN)},
            )
    except Exception as error:  # noqa: BLE001 - CTranslate2 raises whatever it finds
        if is_short(error):
            raise NoMemory(f"model {pack.name!r}: no memory to load it on {device}") from None
        raise ModelMissing(
            pack.name, f"CTranslate2 cannot load it: {error}", f"Mend {pack.origin} or its files."
        ) from None
    return CTranslation(pack, model, pieces, device, growth.mb)


class CTranslation:
    """A loaded translation model."""

    def __init__(self, pack: Pack, model: Any, pieces: Pieces, device: str, grown_mb: int) -> None:
        self._pack, self._model, self._pieces = pack, model, pieces
        self.device, self.parallel = device, pack.parallel or 1
        self.memory_mb = max(pack.memory_mb, grown_mb if device == CPU else 0)
        """MiB: what loading took, but at least the pack's figure, which knows the memory of a run."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Translate texts.

        Args:
            inputs: None.
            options: ``texts``, ``source`` and ``target`` (the model's own codes), ``beams``, ``no_repeat``, ``ratio``.
            control: Told how far it is after each batch; a call that is stopped ends there.

        Returns:
            ``texts``, ``scores`` and ``cut``, one for each text: ``translation.translate`` says more.

        Raises:
            JobError: an option is wrong, or the model does not know a language.
            NoMemory: the memory does not suffice for these texts.
        """
        wish = wish_of(self._pack, inputs, options)
        try:
            return translate(self._pack, self._pieces, wish, control, _ROWS, self._write)
        except (MemoryError, RuntimeError, ValueError) as error:
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for these texts on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None

    def _write(self, sources: list[list[str]], prefix: list[str], limit: int, wish: Wish) -> list[Written]:
        answers = self._model.translate_batch(
            sources,
            target_prefix=[prefix] * len(sources) if prefix else None,
            beam_size=wish.beams,
            no_repeat_ngram_size=wish.no_repeat,
            max_decoding_length=limit,
            min_decoding_length=len(prefix) + 1,  # no text is never the translation of one
            max_input_length=0,
            length_penalty=1.0,
            disable_unk=True,
            return_scores=True,
        )
        return [Written(list(answer.hypotheses[0])[len(prefix) :], float(answer.scores[0])) for answer in answers]

    def close(self) -> None:
        """Let go of the memory."""
        with contextlib.suppress(AttributeError):  # closed before
            del self._model
        give_back()


__all__ = ["CTranslateEngine", "CTranslation"]
