"""Which model draws: the one that the project names, else one whose licence permits every work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from callboard.errors import Blocked, ModelMissing
from callboard.packs import Pack, find_pack, find_packs, locate, read_file
from callboard.packs.painters import CONTROL, SUGGESTED, TASK
from callboard.packs.recipe import name_of
from callboard.packs.terms import permissive

if TYPE_CHECKING:
    from callboard.context import Context

_INSTALL: Final = "pip install 'callboard[diffusion]'"
_UNET, _CONFIG = "unet/config.json", "config.json"


def choose(context: Context, named: str = "") -> Pack:
    """Give the pack of the model that draws.

    Args:
        context: Knows which packs the job was made for.
        named: What the project's settings name; empty takes the first by its name that anybody may use for any work.

    Raises:
        Blocked: there is none; the hint has the commands that bring it.
    """
    if named:
        return _named(named)
    found = _planned(context)
    # One that has to be shown something is for those who ask for it by name.
    plain = (pack for pack in found if pack.task == TASK and "condition" not in pack.options)
    here = sorted(plain, key=lambda pack: pack.name)
    free = [pack for pack in here if not restricted(pack)]
    if free:
        return free[0]
    if here:
        raise Blocked(
            f"the only models here that draw are {', '.join(f'{pack.name} ({pack.license})' for pack in here)}, "
            "and their licences may forbid commercial work",
            f'Read it; where it suits you, say diffusion_model = "{here[0].name}" under [plugins.placeholder] in '
            f"callboard.toml. One that permits every work:\n{_commands()}",
        )
    raise Blocked("no model that draws is here", _commands())


def _planned(context: Context) -> list[Pack]:
    return [pack for digest in context.models.values() if (pack := find_pack(digest)) is not None]


def controls(context: Context, pack: Pack) -> dict[str, Pack]:
    """Give the ControlNets that can be put to the model that draws: what each goes by, to its pack.

    Of two for the same the first by its name is given; one whose licence may forbid commercial work is not.
    """
    shape = _shape(pack, _UNET)
    if shape is None or "condition" in pack.options:
        return {}
    found: dict[str, Pack] = {}
    for one in sorted(_planned(context), key=lambda one: one.name):
        asked = str(one.options.get("condition", ""))
        if one.task == CONTROL and asked not in found and not restricted(one) and _shape(one, _CONFIG) == shape:
            found[asked] = one
    return found


def _shape(pack: Pack, path: str) -> tuple[object, ...] | None:
    """Give what a network and a ControlNet for it have in common; nothing where the pack has no such file."""
    file = next((file for file in pack.files if file.path == path), None)
    if file is None:
        return None
    try:
        config = msgspec.json.decode(read_file(pack, locate(pack), file), type=dict[str, Any])
    except (ModelMissing, msgspec.DecodeError):
        return None  # whoever loads it says what is wrong with it
    return tuple(config.get(name) for name in ("cross_attention_dim", "addition_embed_type", "block_out_channels"))


def restricted(pack: Pack) -> bool:
    """Say whether a pack's licence may forbid commercial work: it does, or it is not one that is known not to.

    The OpenRAIL family permits it, and forbids listed harmful uses.
    """
    return not (permissive(pack.license) or "openrail" in pack.license.lower())


def _named(named: str) -> Pack:
    pack = find_packs().get(named)
    if pack is None:
        raise ModelMissing(named, "no such pack (diffusion_model of the plugin placeholder)", _commands())
    if pack.task != TASK:
        raise ModelMissing(named, f"it is for {pack.task!r} and does not draw", _commands())
    locate(pack)
    return pack


def _commands() -> str:
    name = name_of(SUGGESTED)
    return f"{_INSTALL}\ncallboard models add-hub {SUGGESTED} --name {name}\ncallboard models pull {name}"


__all__ = ["choose", "controls", "restricted"]
