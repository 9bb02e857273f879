"""ControlNets put to a pipeline that draws: each of a pack of its own, in the order in which they were named."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard.errors import ModelMissing
from callboard.packs import Pack, locate
from callboard.packs.painters import CONTROL
from callboard.runtime.engines.folder import private_copy
from callboard.runtime.engines.pipeline import import_diffusers, load_network, refuse_code

if TYPE_CHECKING:
    import torch


def with_controls(pack: Pack, pipe: Any, dtype: torch.dtype, device: str) -> Any:
    """Give a pipeline of the same networks that also goes by what the ControlNets of ``pack.parts`` are shown.

    Raises:
        ModelMissing: a part is not here, not intact, no ControlNet, or made for another kind of model.
        Blocked: there is no room for its copy.
    """
    diffusers: Any = import_diffusers()
    unet = pipe.components.get("unet")
    if unet is None or "controlnet" in pipe.components:
        raise ModelMissing(pack.name, "no ControlNet can be put to it", "Name a Stable Diffusion without one.")
    nets = [_load(part, unet, dtype, diffusers) for part in pack.parts]
    wide = getattr(unet.config, "addition_embed_type", None) == "text_time"
    kind: Any = diffusers.StableDiffusionXLControlNetPipeline if wide else diffusers.StableDiffusionControlNetPipeline
    taken = inspect.signature(kind.__init__).parameters
    given = {name: part for name, part in pipe.components.items() if name in taken}
    unchecked = {"requires_safety_checker": False} if "requires_safety_checker" in taken else {}
    made = kind(**given, **unchecked, controlnet=nets if len(nets) > 1 else nets[0])
    made.set_progress_bar_config(disable=True)
    return made.to(device)


def _load(part: Pack, unet: Any, dtype: torch.dtype, diffusers: Any) -> Any:
    if part.task != CONTROL:
        raise ModelMissing(part.name, f"it is for {part.task!r}, and no ControlNet", f"Mend {part.origin}.")
    refuse_code(part)
    folder: Path = locate(part)
    with private_copy(part, folder) as private:
        net = load_network(part, private, diffusers.ControlNetModel, dtype, diffusers)
    for name in ("cross_attention_dim", "addition_embed_type", "block_out_channels"):
        if getattr(net.config, name, None) != getattr(unet.config, name, None):
            raise ModelMissing(
                part.name, f"it was made for another kind of model: its {name} differs", "Name one that fits."
            )
    return net


__all__ = ["with_controls"]
