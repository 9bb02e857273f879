"""Translation by transformers: Marian, M2M100 and NLLB checkpoints in safetensors, on the torch engine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from callboard.errors import JobError
from callboard.packs import Pack
from callboard.runtime import Control, NoMemory
from callboard.runtime.engines.huggingface import load_model
from callboard.runtime.engines.memory import give_back, is_short, weights_mb
from callboard.runtime.engines.pieces import Pieces, Vocabulary
from callboard.runtime.engines.translation import Wish, Written, translate, wish_of

if TYPE_CHECKING:
    import torch

_ROWS: Final = 16
"""Sentences of one batch at most."""
_TEXTUAL: Final = (".json", ".spm", ".model", ".txt")


def load_seq2seq(pack: Pack, private: Path, dtype: torch.dtype, device: str) -> Seq2Seq:
    """Load a checkpoint from verified copies in *private*, which are not read again.

    Raises:
        ModelMissing: the files are no such model, or have no tokenizer that can be read.
    """
    model = load_model(pack, private, dtype)
    return Seq2Seq(pack, private, model.eval().requires_grad_(requires_grad=False).to(device), device)


class Seq2Seq:
    """A loaded encoder and decoder that write one text for another."""

    def __init__(self, pack: Pack, private: Path, model: torch.nn.Module, device: str) -> None:
        """Take a loaded model, and read its tokenizer from *private*.

        Raises:
            ModelMissing: it has none that can be read.
        """
        files = {file.path: (private / file.path).read_bytes() for file in pack.files if file.path.endswith(_TEXTUAL)}
        self._pieces, self._vocabulary = Pieces(pack, files), Vocabulary(pack, files)
        self._pack, self._model, self.device = pack, model, device
        self._calls = threading.local()
        self.parallel = pack.parallel or 1
        self.memory_mb = max(pack.memory_mb, weights_mb(model))
        """MiB: the weights, or at least the pack's figure, which knows the memory of a run."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Translate texts, as ``CTranslation.run`` does.

        Raises:
            JobError: an option is wrong, or the model does not know a language.
            NoMemory: the memory does not suffice for these texts.
        """
        wish = wish_of(self._pack, inputs, options)
        self._calls.control = control
        try:
            return translate(self._pack, self._pieces, wish, control, _ROWS, self._write)
        except JobError:
            raise
        except Exception as error:  # noqa: BLE001 - torch raises whatever its operators do
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for these texts on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None

    def _write(self, sources: list[list[str]], prefix: list[str], limit: int, wish: Wish) -> list[Written]:
        import torch

        generator: Any = self._model
        ids, mask = self._padded(sources, int(generator.config.pad_token_id))
        with torch.inference_mode():
            made = generator.generate(
                input_ids=ids,
                attention_mask=mask,
                num_beams=wish.beams,
                do_sample=False,
                no_repeat_ngram_size=wish.no_repeat,
                max_new_tokens=limit,
                min_new_tokens=len(prefix) + 1,  # as CTranslate2: no text is never the translation of one
                max_length=None,
                early_stopping=True,
                length_penalty=1.0,
                forced_bos_token_id=self._vocabulary.number(prefix[0]) if prefix else None,
                suppress_tokens=[self._vocabulary.number("<unk>")],
                return_dict_in_generate=True,
                output_scores=True,
                stopping_criteria=[self._stopped],
            )
            chances = generator.compute_transition_scores(
                made.sequences, made.scores, getattr(made, "beam_indices", None), normalize_logits=wish.beams == 1
            )
        return [self._written(*row) for row in zip(made.sequences.tolist(), chances.tolist(), strict=True)]

    def _written(self, numbers: list[int], chances: list[float]) -> Written:
        """Take one row without the start and what fills it up after its end."""
        generator: Any = self._model
        ends, start = generator.config.eos_token_id, len(numbers) - len(chances)
        told = numbers[start:]
        length = told.index(ends) if ends in told else len(told)
        kept = [chance for chance in chances[: length + 1] if chance > -1e4]
        pieces = [self._vocabulary.piece(number) for number in told[:length]]
        return Written([piece for piece in pieces if piece], sum(kept) / len(kept) if kept else 0.0)

    def _padded(self, sources: list[list[str]], filler: int) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        rows = [[self._vocabulary.number(piece) for piece in source] for source in sources]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [filler] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return ids.to(self.device), mask.to(self.device)

    def _stopped(self, ids: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        import torch

        return torch.full((ids.shape[0],), self._calls.control.stopped, dtype=torch.bool, device=ids.device)

    def close(self) -> None:
        """Let go of the weights."""
        del self._model
        give_back()


__all__ = ["Seq2Seq", "load_seq2seq"]
