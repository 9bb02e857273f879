"""The ONNX engine: onnxruntime on whatever device is really there, from verified bytes only."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import onnxruntime
import platformdirs

from callboard.config import RuntimeSettings
from callboard.errors import CallboardError, JobError, ModelMissing
from callboard.packs import Pack, copy_in
from callboard.runtime import Control, NoMemory, cores
from callboard.runtime.engines import Device
from callboard.runtime.engines.devices import CPU, kind_of, nvidia, ordered, processor
from callboard.runtime.engines.folder import PrivateFolder, copy_verified
from callboard.runtime.engines.helping import can_help, made_helpers
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.memory import Growth, give_back, is_short

if TYPE_CHECKING:
    from callboard.runtime import Session

PROVIDERS: Final = {
    "tensorrt:0": "TensorrtExecutionProvider",
    "cuda:0": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml:0": "DmlExecutionProvider",
}
"""Device to the provider that drives it, fastest first. Only the CPU has been run: no such device was at hand."""
_CPU_PROVIDER: Final = "CPUExecutionProvider"
_FATAL_ONLY: Final = 4
_GIVE_BACK_BYTES: Final = 256 * 1024
"""From this input size on, working memory is given back after a call. onnxruntime keeps it for every shape it has
seen: text detection at five picture sizes stays at 120 MiB instead of 335, for 6 % more processor time."""
_PROBE: Final = (
    b'\x08\x07:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""An ONNX model ``y = x`` of one float."""


class OnnxEngine:
    """Makes onnxruntime sessions."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The devices whose providers work here, best first; the CPU last."""
        return ordered((device for device in PROVIDERS if works(device)), pack, settings)

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = CPU) -> Session:
        """Load the first ``.onnx`` file of *pack*; other files that it may refer to are checked and copied first.

        The model is read from a private folder, which holds copies of the pack's own checked files and nothing
        else: external data is looked for beside it. A device that fails without an error leaves it on the CPU.

        Raises:
            ModelMissing: a file is not what the pack says, or is no model.
            NoMemory: it does not fit on *device* now.
        """
        graph = next((file for file in pack.files if PurePosixPath(file.path).suffix == ".onnx"), None)
        if graph is None:
            raise ModelMissing(pack.name, "it lists no .onnx file", f"Mend {pack.origin}.")
        threads, parallel, helped = plan(pack, settings)
        extra = _provider_options(pack, settings) if device != CPU else {}
        try:
            with contextlib.closing(PrivateFolder()) as private:
                for file in pack.files:
                    if file is not graph:
                        copy_in(pack, folder, file, private.path)
                path = copy_verified(pack, folder, graph, private.path)
                helpers = made_helpers() if helped and device == CPU else contextlib.nullcontext()
                with Growth() as growth, helpers:
                    session = _open(str(path), device, _session_options(threads, device, helped=helped), extra)
        except CallboardError:
            raise
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base class
            raise _load_error(pack, error) from None
        really = device if session.get_providers()[0] == PROVIDERS.get(device) else CPU
        if really != CPU:  # its calls follow one another on one stream, and DirectML forbids two at once
            parallel = 1 if kind_of(really) == "directml" else pack.parallel or 1
        return OnnxSession(pack, session, really, parallel, growth.mb)


class Plan(NamedTuple):
    """Threads of one run, runs at once, and whether the threads besides a run's own only take cores that are idle."""

    threads: int
    parallel: int
    helped: bool = False


def plan(pack: Pack, settings: RuntimeSettings) -> Plan:
    """Share out the CPU.

    Measured on two cores with MiniLM-L6 (texts of 4 to 160 words) and a ViT-B/32 image tower. Two runs at once with one
    thread each do 3 to 8 % more texts and 20 to 45 % more pictures than two with two threads each, mostly for less
    processor time, whether they are batches or single rows. A lone run has 36 to 54 % more answers when it has two
    threads. So where calls are gathered into batches, a run has a thread of its own, and the session one for every
    other core, which helps where nobody wants that core: a lone run has them all. Helpers cost runs that share the
    cores 3 to 5 % of processor time, threads of equal rank 8 to 13 %. Where each call is run by itself, a run has all
    cores. ``parallel`` in a pack divides the cores as it says. More than two cores were not at hand: that at most four
    runs share them is a guess. With ``settings.threads`` all of it stays within that number, and nobody helps.
    """
    threads = settings.threads or cores()
    parallel = pack.parallel or (min(threads, 4) if pack.batch else 1 if threads == 1 else 2 if threads < 8 else 4)
    if pack.batch and not pack.parallel and not settings.threads and threads > 1 and can_help():
        return Plan(threads, parallel, helped=True)
    if pack.parallel or pack.batch:
        return Plan(max(1, threads // parallel), parallel)
    return Plan(max(1, threads - parallel + 1) if settings.threads else threads, parallel)


def works(device: str) -> bool:
    """Whether the provider of *device* is installed and makes a session; looked at once in a process."""
    return PROVIDERS.get(device) in onnxruntime.get_available_providers() and _makes_session(device)


@functools.cache
def _makes_session(device: str) -> bool:
    # A provider can be listed and still leave everything to the CPU, when its libraries or its device are not there.
    try:
        session = _open(_PROBE, device, _session_options(1, device), {})
    except Exception:  # noqa: BLE001 - onnxruntime's errors share no base class; whatever it is, this device is no use
        return False
    return bool(session.get_providers()[0] == PROVIDERS[device])


def _open(
    model: str | bytes, device: str, options: onnxruntime.SessionOptions, extra: Mapping[str, dict[str, str]]
) -> onnxruntime.InferenceSession:
    wanted = [name for name in ("tensorrt:0", "cuda:0") if device == "tensorrt:0"] or [device]
    providers = [(PROVIDERS[name], extra.get(name, {})) for name in wanted if name in PROVIDERS]
    return onnxruntime.InferenceSession(model, options, providers=[*providers, (_CPU_PROVIDER, {})], enable_fallback=0)


def _session_options(threads: int, device: str, *, helped: bool = False) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY  # what goes wrong is raised
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = kind_of(device) != "directml"  # which does not support it
    # Spinning threads take cores from decoding and from the artist's application while they wait.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if helped:
        # Small blocks, for a run waits for the one that a helper holds: beside two busy programs, two runs with blocks
        # of the usual size did 0.8 of what they did alone, and with small ones all of it.
        options.add_session_config_entry("session.dynamic_block_base", "4")
    return options


def _provider_options(pack: Pack, settings: RuntimeSettings) -> dict[str, dict[str, str]]:
    cuda = {
        "device_id": "0",
        "arena_extend_strategy": "kSameAsRequested",  # else the arena doubles, and the budget is wrong
        "cudnn_conv_algo_search": "HEURISTIC",  # the exhaustive search runs again for each new shape
    }
    if settings.device_memory_mb:
        cuda["gpu_mem_limit"] = str(settings.device_memory_mb << 20)
    cache = Path(platformdirs.user_cache_dir("callboard", appauthor=False, ensure_exists=True)) / "tensorrt"
    tensorrt = {
        "device_id": "0",
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(cache / pack.digest[:16]),
    }
    return {"cuda:0": cuda, "tensorrt:0": tensorrt, "directml:0": {"device_id": "0"}}


def _load_error(pack: Pack, error: Exception) -> Exception:
    if is_short(error):
        return NoMemory(f"model {pack.name!r}: no memory to load it")
    return ModelMissing(pack.name, f"onnxruntime cannot load it: {error}", f"Mend {pack.origin} or its files.")


class OnnxSession:
    """A loaded ONNX graph."""

    def __init__(
        self, pack: Pack, session: onnxruntime.InferenceSession, device: str, parallel: int, grown_mb: int
    ) -> None:
        self._pack, self._session = pack, session
        self.device, self.parallel = device, parallel
        self.memory_mb = max(pack.memory_mb, grown_mb if device == CPU else 0)
        """MiB: what loading took, but at least the pack's figure, which knows the memory of a run."""
        self._inputs = {value.name for value in session.get_inputs()}
        self._outputs = [value.name for value in session.get_outputs()]
        self._arenas = "cpu:0;gpu:0" if kind_of(device) in ("cuda", "tensorrt") else "cpu:0"

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Run the graph.

        Arrays go to a device and come back in this call, so nothing is bound to it: that is one copy each way.

        Args:
            inputs: Arrays by the graph's input names.
            options: ``outputs`` names those wanted (default: all); ``metadata=True`` runs nothing and gives the
                strings that the model file carries, as ``{"metadata": {...}}``.
            control: A call that is stopped ends between two nodes of the graph; there is no progress.

        Raises:
            JobError: a name, type or shape is wrong.
            NoMemory: the memory does not suffice for these inputs.
        """
        check_options(self._pack, options, ("outputs", "metadata"))
        if options.get("metadata"):
            return {"metadata": dict(self._session.get_modelmeta().custom_metadata_map)}
        wanted = list(options.get("outputs") or self._outputs)
        if set(inputs) != self._inputs or not set(wanted) <= set(self._outputs):
            raise JobError(
                f"model {self._pack.name!r} takes {sorted(self._inputs)} and gives {self._outputs}, "
                f"not {sorted(inputs)} and {wanted}"
            )
        run = onnxruntime.RunOptions()
        run.log_severity_level = _FATAL_ONLY  # what goes wrong is raised
        if sum(array.nbytes for array in inputs.values()) >= _GIVE_BACK_BYTES:
            run.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._arenas)
        control.on_stop(lambda: setattr(run, "terminate", True))
        try:
            values = self._session.run(wanted, dict(inputs), run)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base class
            if is_short(error):
                self._calm(wanted, inputs)
            raise _run_error(self._pack, error) from None
        return dict(zip(wanted, values, strict=True))

    def _calm(self, wanted: list[str], inputs: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Have the arenas forget how much they could not get, by a run that ends before its first node.

        They grow by doubling, and remember the size though it failed: after 4 TB in vain the next call, for twelve
        bytes, took 22 of a machine's 23 GiB, and at times failed itself.
        """
        run = onnxruntime.RunOptions()
        run.log_severity_level = _FATAL_ONLY
        run.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._arenas)
        run.terminate = True
        with contextlib.suppress(Exception):  # that it was ended is raised, without a class of its own
            self._session.run(wanted, dict(inputs), run)

    def close(self) -> None:
        """Let go of the session's memory."""
        with contextlib.suppress(AttributeError):  # closed before
            del self._session
        give_back()


def _run_error(pack: Pack, error: Exception) -> Exception:
    if is_short(error):
        return NoMemory(f"model {pack.name!r}: no memory for this input")
    return JobError(f"model {pack.name!r}: {error}")


def present() -> list[Device]:
    """The devices that onnxruntime can use here."""
    named = {"tensorrt:0": nvidia(), "cuda:0": nvidia()}
    found = [
        Device(
            "onnxruntime",
            device,
            *(named.get(device) or ((PROVIDERS[device].removesuffix("ExecutionProvider"), 0),))[0],
        )
        for device in PROVIDERS
        if works(device)
    ]
    return [*found, processor("onnxruntime")]


__all__ = ["PROVIDERS", "OnnxEngine", "OnnxSession", "Plan", "plan", "present", "works"]
