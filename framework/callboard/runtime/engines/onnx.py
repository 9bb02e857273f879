"""The ONNX engine: onnxruntime on the CPU, from verified bytes only."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelMissing
from callboard.packs import Pack, copy_in, read_file
from callboard.runtime import Control, cores

if TYPE_CHECKING:
    from callboard.runtime import Session

_NO_MEMORY = ("Failed to allocate memory", "bad_alloc", "out of memory")
_FATAL_ONLY = 4
_GIVE_BACK_BYTES = 256 * 1024
"""From this input size on, working memory is given back after a call. onnxruntime keeps it for every shape it has
seen: text detection at five picture sizes stays at 120 MiB instead of 335, for 6 % more processor time."""


class OnnxEngine:
    """Makes onnxruntime sessions."""

    def devices(self, pack: Pack) -> tuple[str, ...]:
        """The CPU."""
        return ("cpu",)

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = "cpu") -> Session:
        """Load the first ``.onnx`` file of *pack*; other files that it may refer to are checked and copied first.

        A model given as bytes would resolve external data in the working folder, so it is always shown a
        private folder, which holds copies of the pack's own checked files and nothing else.

        Raises:
            ModelMissing: a file is not what the pack says, or is no model.
        """
        graph = next((file for file in pack.files if PurePosixPath(file.path).suffix == ".onnx"), None)
        if graph is None:
            raise ModelMissing(pack.name, "it lists no .onnx file", f"Mend {pack.origin}.")
        content = read_file(pack, folder, graph)
        private = Path(tempfile.mkdtemp(prefix="callboard-onnx-"))
        try:
            for file in pack.files:
                if file is not graph:
                    copy_in(pack, folder, file, private)
            session = onnxruntime.InferenceSession(
                content, _session_options(settings, private), providers=["CPUExecutionProvider"]
            )
        except ModelMissing:
            raise
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base class
            raise _load_error(pack, error) from None
        finally:
            # Mapped files live on without their names on POSIX; nothing else is read after loading.
            shutil.rmtree(private, ignore_errors=True)
        return OnnxSession(pack, session)


def _session_options(settings: RuntimeSettings, private: Path) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY  # what goes wrong is raised
    options.intra_op_num_threads = settings.threads or cores()
    options.inter_op_num_threads = 1
    # Spinning threads take cores from decoding and from the artist's application while they wait.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(private))
    return options


def _load_error(pack: Pack, error: Exception) -> Exception:
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
        return Blocked(f"model {pack.name!r}: no memory to load it", "Close other programs, or use a smaller model.")
    return ModelMissing(pack.name, f"onnxruntime cannot load it: {error}", f"Mend {pack.origin} or its files.")


class OnnxSession:
    """A loaded ONNX graph."""

    def __init__(self, pack: Pack, session: onnxruntime.InferenceSession) -> None:
        self._pack, self._session = pack, session
        self._inputs = {value.name for value in session.get_inputs()}
        self._outputs = [value.name for value in session.get_outputs()]

    device = "cpu"
    parallel = 1

    @property
    def memory_mb(self) -> int:
        """The pack's figure: onnxruntime does not tell its own."""
        return self._pack.memory_mb

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Run the graph.

        Args:
            inputs: Arrays by the graph's input names.
            options: ``outputs`` names those wanted (default: all); ``metadata=True`` runs nothing and gives the
                strings that the model file carries, as ``{"metadata": {...}}``.
            control: A call that is stopped ends between two nodes of the graph; there is no progress.

        Raises:
            JobError: a name, type or shape is wrong.
            Blocked: there is no memory for it now.
        """
        unknown = set(options) - {"outputs", "metadata"}
        if unknown:
            raise JobError(f"model {self._pack.name!r}: unknown options {sorted(unknown)}")
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
            run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        control.on_stop(lambda: setattr(run, "terminate", True))
        try:
            values = self._session.run(wanted, dict(inputs), run)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base class
            raise _run_error(self._pack, error) from None
        return dict(zip(wanted, values, strict=True))

    def close(self) -> None:
        """Let go of the session."""
        del self._session


def _run_error(pack: Pack, error: Exception) -> Exception:
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
        return Blocked(f"model {pack.name!r}: no memory for this input", "Close other programs, or send less at once.")
    return JobError(f"model {pack.name!r}: {error}")


__all__ = ["OnnxEngine", "OnnxSession"]
