"""The torch engine: transformers models and open_clip towers, from verified bytes only.

torch and the libraries on top of it are imported when a pack is first asked for. CUDA and Metal devices are used
where torch finds them; only the CPU has been run: no such device was at hand.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from callboard.config import RuntimeSettings
from callboard.errors import CallboardError, JobError, ModelMissing
from callboard.packs import Pack, Tensor
from callboard.packs.packfile import CARRIES_CODE
from callboard.runtime import Control, NoMemory, Session, cores
from callboard.runtime.engines import Device
from callboard.runtime.engines.describing import DESCRIBE, load_describer
from callboard.runtime.engines.devices import CPU, kind_of, ordered, processor
from callboard.runtime.engines.folder import private_copy
from callboard.runtime.engines.huggingface import load_model, offline, pooled
from callboard.runtime.engines.inputs import check_inputs, check_options
from callboard.runtime.engines.memory import Growth, give_back, is_short
from callboard.runtime.engines.openclip import load_tower
from callboard.runtime.engines.painting import PAINT, load_painter
from callboard.runtime.engines.pipeline import import_diffusers
from callboard.runtime.engines.seq2seq import load_seq2seq
from callboard.runtime.engines.translation import TASK
from callboard.runtime.engines.vision import import_open_clip, import_transformers

if TYPE_CHECKING:
    import torch

DTYPES: Final = ("float32", "bfloat16", "float16")
_loading: Final = threading.Lock()
"""transformers sets torch's default type while it builds a model, for the whole process."""
_OWN: Final[dict[str, Callable[..., Session]]] = {TASK: load_seq2seq, DESCRIBE: load_describer, PAINT: load_painter}
"""Tasks whose models take more than one pass, to what loads them."""
_LIBRARY: Final = {"open_clip": import_open_clip, "diffusers": import_diffusers}
Forward = Callable[[Mapping[str, "torch.Tensor"]], Mapping[str, "torch.Tensor"]]


class TorchEngine:
    """Makes sessions of transformers and open_clip weights, as ``options.architecture`` says."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The devices that torch finds here, best first; the CPU last.

        Raises:
            ModelMissing: torch is not installed.
        """
        try:
            # They are imported here, so that what a pack's loading takes is the pack's memory alone.
            _LIBRARY.get(str(pack.options.get("architecture")), import_transformers)()
            return ordered(_here(), pack, settings)
        except ImportError as error:
            raise _not_installed(pack, error) from None

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = CPU) -> Session:
        """Load *pack*: nothing is fetched, and no code that comes with the weights is run.

        Raises:
            ModelMissing: a file is not what the pack says, may carry code and is not allowed, or is no such model.
            NoMemory: it does not fit on *device* now.
        """
        _refuse_pickles(pack, settings)
        dtype = str(pack.options.get("dtype", "float32"))
        if dtype not in DTYPES:
            raise ModelMissing(pack.name, f"options.dtype {dtype!r} is none of {DTYPES}", f"Mend {pack.origin}.")
        try:
            import torch

            torch.set_num_threads(settings.threads or cores())
            with _loading, private_copy(pack, folder) as private, offline(), Growth() as growth:
                if pack.task in _OWN:
                    return _OWN[pack.task](pack, private, getattr(torch, dtype), device)
                module, tensors, forward = _build(pack, private, dtype)
                module.eval().requires_grad_(requires_grad=False).to(device)
        except CallboardError:
            raise
        except ImportError as error:
            raise _not_installed(pack, error) from None
        except Exception as error:  # noqa: BLE001 - whatever these libraries make of a wrong file
            give_back()
            if is_short(error):
                raise NoMemory(f"model {pack.name!r}: no memory to load it on {device}") from None
            raise ModelMissing(
                pack.name, f"torch cannot load it: {error}", f"Mend {pack.origin} or its files."
            ) from None
        give_back()  # the tower that was not wanted
        return TorchSession(pack, module, tensors, forward, device, growth.mb)


def _here() -> Iterator[str]:
    import torch

    if torch.cuda.is_available():
        yield "cuda:0"
    if torch.backends.mps.is_available():
        yield "mps"


def _not_installed(pack: Pack, error: ImportError) -> ModelMissing:
    extra = "diffusion" if pack.task == PAINT else "torch"
    return ModelMissing(
        pack.name, f"engine {pack.engine!r} cannot be imported ({error})", f"pip install 'callboard[{extra}]'"
    )


def _refuse_pickles(pack: Pack, settings: RuntimeSettings) -> None:
    for file in pack.files:
        if (
            PurePosixPath(file.path).suffix.lower() in CARRIES_CODE["torch"]
            and file.sha256 not in settings.allow_pickles
        ):
            raise ModelMissing(
                pack.name,
                f"{file.path} is a pickle, a format that can carry code",
                "Look for a safetensors release of it. If you trust who made this very file, add "
                f'"{file.sha256}" to allow_pickles under [runtime] in callboard.toml: it is then read, with torch\'s '
                "own guard against code in it, which has been got round before.",
            )


def _build(pack: Pack, private: Path, dtype: str) -> tuple[torch.nn.Module, tuple[Tensor, ...], Forward]:
    import torch

    architecture = pack.options.get("architecture")
    if architecture == "open_clip":
        tower, tensors = load_tower(pack, private, dtype)
        return tower, tensors, _tower_forward(pack, tower, getattr(torch, dtype))
    if architecture == "transformers":
        model = load_model(pack, private, getattr(torch, dtype))
        return model, pack.inputs, _model_forward(pack, model, getattr(torch, dtype))
    raise ModelMissing(
        pack.name,
        f'options.architecture is {architecture!r}, neither "open_clip" nor "transformers"',
        f"Mend {pack.origin}.",
    )


def _tower_forward(pack: Pack, tower: torch.nn.Module, dtype: torch.dtype) -> Forward:
    name = pack.outputs[0].name if pack.outputs else "embedding"
    normal = bool(pack.options.get("normalize", False))

    def forward(given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        import torch

        (only,) = given.values()
        out = tower(only.to(dtype) if only.is_floating_point() else only)
        return {name: torch.nn.functional.normalize(out.float(), dim=-1) if normal else out}

    return forward


def _model_forward(pack: Pack, model: torch.nn.Module, dtype: torch.dtype) -> Forward:
    names = tuple(tensor.name for tensor in pack.outputs)
    chosen = pack.options.get("output", names)
    fields = (chosen,) if isinstance(chosen, str) else chosen if isinstance(chosen, tuple) else ()
    mean = pack.options.get("pool") == "mean"
    if not mean and (not names or len(fields) != len(names)):
        raise ModelMissing(
            pack.name, "it does not name an output of the model for each of its own", f"Mend {pack.origin}."
        )

    def forward(given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        out = model(**{key: each.to(dtype) if each.is_floating_point() else each for key, each in given.items()})
        if mean:
            return {names[0] if names else "embedding": pooled(out.last_hidden_state, given.get("attention_mask"))}
        return {name: out[field] for name, field in zip(names, fields, strict=True)}

    return forward


class _Stopped(Exception):
    pass


class TorchSession:
    """A loaded torch model."""

    def __init__(
        self,
        pack: Pack,
        module: torch.nn.Module,
        tensors: tuple[Tensor, ...],
        forward: Forward,
        device: str,
        grown_mb: int,
    ) -> None:
        self._pack, self._tensors, self.device = pack, tensors, device
        self._module: torch.nn.Module | None = module
        self._forward: Forward | None = forward
        self.parallel = pack.parallel or 1
        """torch shares one pool of threads among all calls: two at once gain nothing that a batch does not."""
        weights = sum(each.nbytes for each in (*module.parameters(), *module.buffers())) >> 20
        self.memory_mb = max(pack.memory_mb, weights, grown_mb if device == CPU else 0)
        """MiB: what loading took, or at least the weights, or the pack's figure, which knows the memory of a run."""
        self._calls = threading.local()
        for layer in _layers(module):
            layer.register_forward_pre_hook(self._look)

    def _look(self, *_: object) -> None:
        if self._calls.control.stopped:
            raise _Stopped

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Run the model.

        Args:
            inputs: Arrays by the names that the pack gives; ``image`` or ``text`` for an open_clip tower without any.
            options: None are known.
            control: A call that is stopped ends between two layers; there is no progress.

        Returns:
            The pack's outputs, as float32 where the model computes in less; ``embedding`` where it names none.

        Raises:
            JobError: a name, type or shape is wrong.
            NoMemory: the memory does not suffice for these inputs.
        """
        import torch

        check_options(self._pack, options, ())
        check_inputs(self._pack, self._tensors, inputs)
        assert self._forward is not None
        self._calls.control = control
        try:
            with torch.inference_mode():
                given = {name: torch.from_numpy(_owned(array)).to(self.device) for name, array in inputs.items()}
                return {name: _array(value) for name, value in self._forward(given).items()}
        except _Stopped:
            raise JobError(f"model {self._pack.name!r}: the call was stopped") from None
        except Exception as error:  # noqa: BLE001 - torch raises whatever its operators do
            if is_short(error):
                _empty_cache(self.device)
                raise NoMemory(f"model {self._pack.name!r}: no memory for this input on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None

    def close(self) -> None:
        """Let go of the weights and of what torch keeps for later."""
        self._module = self._forward = None
        give_back()
        _empty_cache(self.device)


def _layers(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The steps of a model. Not the parts of a step: torch's fused attention is off under a hook."""
    import torch

    for group in module.modules():
        if isinstance(group, torch.nn.ModuleList | torch.nn.Sequential):
            yield from group


def _owned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A writable array in C order: torch takes no other without a warning."""
    return array if array.flags.writeable and array.flags.c_contiguous else np.array(array, order="C")


def _array(value: torch.Tensor) -> np.ndarray[Any, Any]:
    value = value.float() if value.is_floating_point() else value
    return np.array(value.cpu().numpy())


def _empty_cache(device: str) -> None:
    import torch

    with contextlib.suppress(RuntimeError):
        if kind_of(device) == "cuda":
            torch.cuda.empty_cache()
        elif device == "mps":
            torch.mps.empty_cache()


def present() -> list[Device]:
    """The devices that torch can use here; imports torch."""
    import torch

    found: list[Device] = []
    for device in _here():
        if device == "mps":
            found.append(Device("torch", device, "Metal", torch.mps.recommended_max_memory() >> 20))
        else:
            about = torch.cuda.get_device_properties(device)
            found.append(Device("torch", device, about.name, about.total_memory >> 20))
    return [*found, processor("torch")]


__all__ = ["DTYPES", "TorchEngine", "TorchSession", "import_open_clip", "import_transformers", "present"]
