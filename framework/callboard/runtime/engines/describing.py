"""Sentences about pictures: BLIP, GIT and other image-to-text models of transformers, on the torch engine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tokenizers

from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack
from callboard.runtime import Control, NoMemory
from callboard.runtime.engines.huggingface import load_model
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.memory import give_back, is_short, weights_mb

if TYPE_CHECKING:
    import torch

DESCRIBE: Final = "describe"
"""What a pack's ``task`` says; it has ``tokenizer.json`` beside its weights, and ``preprocess`` for its pictures."""
PICTURES: Final = "pixel_values"
_LONGEST: Final = 64
"""Tokens of a sentence at most; captions of the training sets have about ten words (COCO: 10.5)."""
_BEAMS: Final = 16


def load_describer(pack: Pack, private: Path, dtype: torch.dtype, device: str) -> Describer:
    """Load a checkpoint from verified copies in *private*, which are not read again.

    Raises:
        ModelMissing: the files are no such model, or have no tokenizer that can be read.
    """
    try:
        # Its own errors are bare exceptions.
        words = tokenizers.Tokenizer.from_file(str(private / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - as said
        raise ModelMissing(pack.name, f"tokenizer.json cannot be read: {error}", f"Mend {pack.origin}.") from None
    model = load_model(pack, private, dtype).eval().requires_grad_(requires_grad=False).to(device)
    return Describer(pack, words, model, dtype, device)


class Describer:
    """A loaded model that writes a sentence about a picture."""

    def __init__(
        self, pack: Pack, words: tokenizers.Tokenizer, model: torch.nn.Module, dtype: torch.dtype, device: str
    ) -> None:
        self._pack, self._words, self._model, self._dtype, self.device = pack, words, model, dtype, device
        self._calls = threading.local()
        self.parallel = pack.parallel or 1
        self.memory_mb = max(pack.memory_mb, weights_mb(model))
        """MiB: the weights, or at least the pack's figure, which knows the memory of a run."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Describe pictures.

        Args:
            inputs: ``pixel_values``, float32, n x 3 x height x width, prepared as the pack's ``preprocess`` says.
            options: ``beams`` (default 3), ``longest`` (tokens, default 40).
            control: A call that is stopped ends between two words.

        Returns:
            ``texts``, and ``scores``: the mean logarithm of the probability of a word piece.

        Raises:
            JobError: an input or option is wrong.
            NoMemory: the memory does not suffice for these pictures.
        """
        check_options(self._pack, options, ("beams", "longest"))
        beams, longest = int(options.get("beams", 3)), int(options.get("longest", 40))
        pictures = inputs.get(PICTURES)
        if set(inputs) != {PICTURES} or pictures is None or pictures.ndim != 4 or pictures.shape[1] != 3:
            raise JobError(f"model {self._pack.name!r} takes {PICTURES!r}: n x 3 x height x width")
        if not (1 <= beams <= _BEAMS and 1 <= longest <= _LONGEST):
            raise JobError(f"model {self._pack.name!r}: beams must be 1 to {_BEAMS}, longest 1 to {_LONGEST}")
        self._calls.control = control
        try:
            return self._write(pictures, beams, longest)
        except Exception as error:  # noqa: BLE001 - torch raises whatever its operators do
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for these pictures on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None

    def _write(self, pictures: np.ndarray[Any, Any], beams: int, longest: int) -> dict[str, Any]:
        import torch

        generator: Any = self._model
        with torch.inference_mode():
            made = generator.generate(
                **{PICTURES: torch.from_numpy(pictures).to(self.device, self._dtype)},
                num_beams=beams,
                do_sample=False,
                max_new_tokens=longest,
                return_dict_in_generate=True,
                output_scores=True,
                stopping_criteria=[self._stopped],
            )
            chances = generator.compute_transition_scores(
                made.sequences, made.scores, getattr(made, "beam_indices", None), normalize_logits=beams == 1
            )
        texts = [self._words.decode(row, skip_special_tokens=True).strip() for row in made.sequences.tolist()]
        scores = []
        for row in chances.tolist():
            said = [chance for chance in row if -1e4 < chance < 0.0]
            scores.append(sum(said) / len(said) if said else 0.0)
        return {"texts": texts, "scores": scores}

    def _stopped(self, ids: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        import torch

        return torch.full((ids.shape[0],), self._calls.control.stopped, dtype=torch.bool, device=ids.device)

    def close(self) -> None:
        """Let go of the weights."""
        del self._model
        give_back()


__all__ = ["DESCRIBE", "PICTURES", "Describer", "load_describer"]
