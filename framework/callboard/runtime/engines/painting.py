"""Pictures of text: Stable Diffusion and other pipelines of diffusers, on the torch engine.

Each picture is made by itself and from its own noise, drawn on the CPU: on one machine a seed gives the same picture
alone, among others, and whatever ran before.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct

from callboard.errors import JobError, ModelFault
from callboard.packs import Pack
from callboard.packs.painters import TASK
from callboard.runtime import Control, NoMemory
from callboard.runtime.engines.controls import with_controls
from callboard.runtime.engines.devices import CPU, kind_of
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.memory import give_back, is_short, weights_mb
from callboard.runtime.engines.pipeline import import_diffusers, load_pipeline

if TYPE_CHECKING:
    import torch

PAINT: Final = TASK
"""What a pack's ``task`` says; its files are a folder as diffusers saves a pipeline."""
SEEDS: Final = "seeds"
IMAGE: Final = "image"
CONDITION: Final = "condition"
"""For the first ControlNet; for a second it is ``condition_1``, and so on."""
_OPTIONS: Final = ("prompt", "negative", "width", "height", "steps", "guidance", "strength")
_STEPS: Final = 200
_LONGEST: Final = 8192
"""Pixels of a side at most."""


class Wish(Struct, frozen=True):
    """What one call asks for."""

    prompt: str
    seeds: tuple[int, ...]
    negative: str = ""
    width: int = 512
    height: int = 512
    steps: int = 30
    guidance: float = 7.5
    strength: float = 0.6


class _Stopped(Exception):
    pass


def load_painter(pack: Pack, private: Path, dtype: torch.dtype, device: str) -> Painter:
    """Load a pipeline from verified copies in *private*, which are not read again.

    Raises:
        ModelMissing: the files are no whole pipeline, or could carry code.
        ImportError: diffusers is not installed.
    """
    import torch

    # Half the operators of a processor know no half numbers.
    dtype = torch.float32 if device == CPU else dtype
    pipe = load_pipeline(pack, private, dtype, device)
    if pack.parts:
        pipe = with_controls(pack, pipe, dtype, device)
    return Painter(pack, pipe, device)


class Painter:
    """A loaded pipeline."""

    def __init__(self, pack: Pack, pipe: Any, device: str) -> None:
        self._pack, self._pipe, self.device = pack, pipe, device
        self._from_picture: Any = None
        self._conditions = _conditions(pipe)
        self.parallel = 1
        """A pipeline keeps the state of a run in itself."""
        networks = [part for part in pipe.components.values() if hasattr(part, "parameters")]
        self.memory_mb = max(pack.memory_mb, sum(weights_mb(part) for part in networks))
        """MiB: the weights, or at least the pack's figure, which knows the memory of a run."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Make a picture for each seed.

        Args:
            inputs: ``seeds``, int64, n; to go by, ``image``: n x height x width x 3, uint8, RGB; and for a pipeline
                with a ControlNet ``condition``, of the same kind, with more of them ``condition_1`` and so on: what
                each takes is in ``options.condition`` of its pack.
            options: ``prompt``, and where the pack's own shall not hold: ``negative``, ``width``, ``height``,
                ``steps``, ``guidance``, and ``strength``, 0 to 1: how far it may go from ``image``.
            control: Told of each step; a call that is stopped ends between two.

        Returns:
            ``images``: n x height x width x 3, uint8, RGB. For a pack without ``[batch]`` also what made them:
            ``device``, ``libraries``, ``scheduler``, ``checked``, whether the pipeline looked for unsafe content, and
            ``left_out``, the end of a prompt that is longer than the model reads.

        Raises:
            JobError: an input or option is wrong, or the pipeline's own checker refuses what came out.
            ModelFault: it holds NaN or infinity.
            NoMemory: the memory does not suffice for a picture of this size.
        """
        wish = self._wish(inputs, options)
        try:
            images = [self._paint(wish, row, inputs, control) for row in range(len(wish.seeds))]
            facts = {} if self._pack.batch is not None else self._facts(wish)
            return {"images": np.stack(images), **facts}
        except _Stopped:
            raise JobError(f"model {self._pack.name!r}: the call was stopped") from None
        except (JobError, NoMemory):
            raise
        except Exception as error:  # noqa: BLE001 - torch raises whatever its operators do
            if is_short(error):
                self._empty()
                raise NoMemory(f"model {self._pack.name!r}: no memory for such a picture on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {type(error).__name__}: {error}") from None

    def _wish(self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any]) -> Wish:
        check_options(self._pack, options, _OPTIONS)
        seeds = inputs.get(SEEDS)
        if seeds is None or seeds.ndim != 1 or not seeds.size or seeds.dtype != np.int64 or int(seeds.min()) < 0:
            raise self._no(f"takes {SEEDS!r}: int64, one for each picture, none below 0")
        if not str(options.get("prompt", "")).strip():
            raise self._no("wants a prompt")
        own, size = self._pack.options, self._pack.options.get("size", 512)
        given: dict[str, Any] = {"width": size, "height": size, **own, **options}
        wish = Wish(
            prompt=str(given["prompt"]),
            seeds=tuple(int(seed) for seed in seeds),
            negative=str(given.get("negative", "")),
            width=int(given["width"]),
            height=int(given["height"]),
            steps=int(given.get("steps", 30)),
            guidance=float(given.get("guidance", 7.5)),
            strength=float(given.get("strength", 0.6)),
        )
        self._check(wish, inputs)
        return wish

    def _check(self, wish: Wish, inputs: Mapping[str, np.ndarray[Any, Any]]) -> None:
        multiple = int(getattr(self._pipe, "vae_scale_factor", 8))
        for side in (wish.width, wish.height):
            if not multiple <= side <= _LONGEST or side % multiple:
                raise self._no(f"makes sides that are multiples of {multiple} up to {_LONGEST}, not {side}")
        if not (1 <= wish.steps <= _STEPS and 0.0 <= wish.guidance <= 50.0 and 0.0 < wish.strength <= 1.0):
            raise self._no(f"takes 1 to {_STEPS} steps, a guidance of 0 to 50, a strength above 0 and up to 1")
        for name in (IMAGE, *self._conditions):
            shape = (len(wish.seeds), wish.height, wish.width, 3)
            if name in inputs and (inputs[name].shape != shape or inputs[name].dtype != np.uint8):
                raise self._no(f"takes {name!r} as uint8 {list(shape)}, not {list(inputs[name].shape)}")
        given = {name for name in inputs if name.startswith(CONDITION)}
        if lacking := sorted(set(self._conditions) - given):
            raise self._no(f"wants a condition: {', '.join(lacking)}")
        if given - set(self._conditions):
            raise self._no("has no ControlNet to take a condition")
        if IMAGE in inputs and int(wish.steps * wish.strength) < 1:
            raise self._no(f"takes no step at a strength of {wish.strength} of {wish.steps} steps; give more steps")

    def _paint(
        self, wish: Wish, row: int, inputs: Mapping[str, np.ndarray[Any, Any]], control: Control
    ) -> np.ndarray[Any, Any]:
        import torch

        pipe, pictures = self._for(row, inputs)

        def after(running: Any, step: int, _time: Any, kept: dict[str, Any]) -> dict[str, Any]:
            if control.stopped:
                raise _Stopped
            steps = max(int(getattr(running, "num_timesteps", 0) or wish.steps), 1)
            control.progress((row + min((step + 1) / steps, 1.0)) / len(wish.seeds))
            return kept

        if control.stopped:
            raise _Stopped
        wanted: dict[str, Any] = {
            "prompt": wish.prompt,
            "negative_prompt": wish.negative or None,
            "num_inference_steps": wish.steps,
            "guidance_scale": wish.guidance,
            "generator": torch.Generator("cpu").manual_seed(wish.seeds[row]),
            "output_type": "pt",
            "callback_on_step_end": after,
            **({"strength": wish.strength} if IMAGE in inputs else {"width": wish.width, "height": wish.height}),
        }
        taken = inspect.signature(pipe.__call__).parameters
        with torch.inference_mode(), _repeatable(self.device), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a library says to its own programmers
            # Fresh, for a scheduler keeps what the last run left in it.
            pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
            made = pipe(**{name: value for name, value in wanted.items() if name in taken}, **pictures)
        return self._picture(made, wish.seeds[row])

    def _for(self, row: int, inputs: Mapping[str, np.ndarray[Any, Any]]) -> tuple[Any, dict[str, Any]]:
        """Give the pipeline for what comes in, and the pictures by the names that it has for them."""
        from PIL import Image

        conditions = [Image.fromarray(inputs[name][row]) for name in self._conditions]
        control = conditions if len(conditions) > 1 else next(iter(conditions), None)
        if IMAGE not in inputs:
            return self._pipe, {"image": control} if conditions else {}
        if self._from_picture is None:
            try:
                self._from_picture = import_diffusers().AutoPipelineForImage2Image.from_pipe(self._pipe)
            except ValueError:
                raise self._no("cannot start from a picture") from None
            self._from_picture.set_progress_bar_config(disable=True)
        image = Image.fromarray(inputs[IMAGE][row])
        return self._from_picture, {"image": image, **({"control_image": control} if conditions else {})}

    def _picture(self, made: Any, seed: int) -> np.ndarray[Any, Any]:
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            raise self._no(f"made a picture of seed {seed} that its own content checker refuses; take another seed")
        values = made.images[0].float().cpu()
        if not bool(values.isfinite().all()):
            raise ModelFault(self._pack.name, "images", "holds NaN or infinity")
        picture: np.ndarray[Any, Any] = (values.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        return picture

    def _facts(self, wish: Wish) -> dict[str, Any]:
        import diffusers
        import torch
        import transformers

        return {
            "device": self.device,
            "libraries": {each.__name__: str(each.__version__) for each in (diffusers, torch, transformers)},
            "scheduler": type(self._pipe.scheduler).__name__,
            "checked": getattr(self._pipe, "safety_checker", None) is not None,
            "left_out": self._left_out(wish.prompt),
        }

    def _left_out(self, prompt: str) -> str:
        tokenizer = getattr(self._pipe, "tokenizer", None)
        limit = int(getattr(tokenizer, "model_max_length", 0) or 0)
        if tokenizer is None or not 0 < limit < _LONGEST:
            return ""
        ids = tokenizer(prompt, add_special_tokens=False, truncation=False, verbose=False).input_ids
        return str(tokenizer.decode(ids[limit - 2 :])).strip() if len(ids) > limit - 2 else ""

    def _no(self, problem: str) -> JobError:
        return JobError(f"model {self._pack.name!r} {problem}")

    def close(self) -> None:
        """Let go of the weights and of what torch keeps for later."""
        del self._pipe
        self._from_picture = None
        self._empty()

    def _empty(self) -> None:
        import torch

        give_back()
        with contextlib.suppress(RuntimeError):
            if kind_of(self.device) == "cuda":
                torch.cuda.empty_cache()


def _conditions(pipe: Any) -> tuple[str, ...]:
    """Name the inputs of a pipeline's ControlNets."""
    net = pipe.components.get("controlnet")
    count = 0 if net is None else len(getattr(net, "nets", (net,)))
    return tuple(f"{CONDITION}_{place}" if place else CONDITION for place in range(count))


def _repeatable(device: str) -> contextlib.AbstractContextManager[Any]:
    """Have cuDNN take the same way each time, where it has several."""
    import torch

    if kind_of(device) != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)


__all__ = ["CONDITION", "IMAGE", "PAINT", "SEEDS", "Painter", "load_painter"]
