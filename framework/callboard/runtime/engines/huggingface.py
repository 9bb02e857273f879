"""A transformers model out of a folder of verified files; nothing is fetched and no code of the folder is run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard.errors import ModelMissing
from callboard.packs import Pack
from callboard.runtime.engines.translation import TASK
from callboard.runtime.engines.vision import import_transformers

if TYPE_CHECKING:
    import torch


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Have the hub's library refuse to connect meanwhile, whatever a config file names."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def load_model(pack: Pack, private: Path, dtype: torch.dtype) -> torch.nn.Module:
    """Load the class that ``options.class`` names from the files in *private*, on the CPU.

    Raises:
        ModelMissing: there is no such class, or the files do not have all of its weights; those that no output of the
            pack needs may be named by their beginnings in ``options.absent``.
    """
    transformers: Any = import_transformers()
    name = str(pack.options.get("class", "AutoModel"))
    kind: Any = getattr(transformers, name, None)
    known = isinstance(kind, type) and (name.startswith("AutoModel") or issubclass(kind, transformers.PreTrainedModel))
    if not known:
        raise _wrong(pack, f"transformers has no model class {name!r}")
    if not pack.inputs and pack.task != TASK:
        raise _wrong(pack, "it does not say what the model takes ([[inputs]])")
    automatic = {"trust_remote_code": False} if name.startswith("AutoModel") else {}
    pickled = not any(file.path.endswith(".safetensors") for file in pack.files)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity(transformers.utils.logging.CRITICAL)  # what goes wrong is raised
    model, info = kind.from_pretrained(
        str(private),
        local_files_only=True,
        use_safetensors=not pickled,
        weights_only=True,
        dtype=dtype,
        output_loading_info=True,
        **automatic,
    )
    _complete(pack, info)
    loaded: torch.nn.Module = model
    return loaded


def pooled(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The mean over the tokens that count, of length 1, as sentence-transformers pools."""
    import torch

    hidden = hidden.float()
    keep = torch.ones_like(hidden[..., :1]) if mask is None else mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * keep).sum(1) / keep.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=-1)


def _complete(pack: Pack, info: Mapping[str, Any]) -> None:
    # transformers fills what the files lack with random numbers and goes on.
    absent = pack.options.get("absent", ())
    allowed = (absent,) if isinstance(absent, str) else tuple(absent) if isinstance(absent, tuple) else ()
    lacking = sorted(str(key) for key in info["missing_keys"] if not str(key).startswith(allowed or ("\0",)))
    lacking += sorted(str(key) for key in info["mismatched_keys"])
    if lacking:
        raise _wrong(pack, f"its files lack {len(lacking)} weights of the model, such as {lacking[0]}")


def _wrong(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, f"Mend {pack.origin}.")


__all__ = ["load_model", "offline", "pooled"]
