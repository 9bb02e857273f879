"""One tower of an open_clip model, through open_clip itself; torch and open_clip are imported when it is asked for."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import ModelMissing
from callboard.packs import Pack, Tensor
from callboard.runtime.engines.vision import import_open_clip

if TYPE_CHECKING:
    import torch

CONFIG: Final = "open_clip_config.json"
INPUTS: Final = {
    "image": Tensor(name="image", dtype="float32", shape=(-1, 3, -1, -1), range="normalised as 'preprocess' says"),
    "text": Tensor(name="text", dtype="int64", shape=(-1, -1), range="tokens"),
}
"""Tower to the input it takes, where the pack does not say."""
_PRECISION: Final = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what open_clip says while it builds a model, in this thread, out of the log: what goes wrong is raised."""
    root, thread = logging.getLogger(), threading.get_ident()

    def wanted(record: logging.LogRecord) -> bool:
        return record.thread != thread or record.levelno >= logging.ERROR

    root.addFilter(wanted)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(wanted)


def load_tower(pack: Pack, private: Path, dtype: str) -> tuple[torch.nn.Module, tuple[Tensor, ...]]:
    """Build the model that *private* holds, on the CPU, and keep the tower that the pack's options name.

    The architecture is that of ``open_clip_config.json`` among the files, else one that open_clip has under the name
    in ``options.model``. The other tower is let go of.

    Raises:
        ModelMissing: the options, the config or the weights do not fit together.
    """
    tower = pack.options.get("tower")
    if tower not in ("image", "text"):
        raise _wrong(pack, 'options.tower is neither "image" nor "text"')
    weights = [file.path for file in pack.files if Path(file.path).suffix in (".safetensors", ".pt", ".pth", ".bin")]
    if len(weights) != 1:
        raise _wrong(pack, f"it lists {len(weights)} files of weights, not one")
    with quietly():
        open_clip = import_open_clip()
        if (private / CONFIG).is_file():
            model = open_clip.create_model(f"local-dir:{private}", precision=_PRECISION[dtype], force_custom_text=True)
        else:
            name = str(pack.options.get("model", ""))
            if name not in open_clip.list_models():
                raise _wrong(pack, f"it lists no {CONFIG}, and open_clip has no model {name!r}")
            model = open_clip.create_model(
                name,
                str(private / weights[0]),
                precision=_PRECISION[dtype],
                force_custom_text=True,
                pretrained_text=False,
            )
    if not isinstance(model, open_clip.CustomTextCLIP):
        raise _wrong(pack, f"{type(model).__name__} has no separate towers")
    kept: Any = model.visual if tower == "image" else model.text
    return kept, pack.inputs or (INPUTS[str(tower)],)


def _wrong(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, f"Mend {pack.origin}.")


__all__ = ["CONFIG", "INPUTS", "import_open_clip", "load_tower", "quietly"]
