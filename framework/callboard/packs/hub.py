"""Packs that a model hub offers, at one commit. The hub's own client says where each file is and who may have it.

The files are then fetched here: the client throws a broken-off download away when its process ends
(huggingface_hub 1 and later), and a checkpoint is too large to begin again.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from callboard.errors import PullError, PullForbidden, PullGone, PullOffline
from callboard.packs.fetch import Told, fetch
from callboard.packs.packfile import HubSource, Pack, PackFile

_SECONDS = 30.0
"""How long the hub may take to answer where a file is."""
_LOGIN = "Accept its terms on its page at the hub, then log in: 'hf auth login', or set HF_TOKEN."


class _Place(NamedTuple):
    url: str
    headers: dict[str, str]


def get_files(pack: Pack, source: HubSource, cache: Path, told: Told) -> None:
    """Fetch every file of *pack* into *cache*, on from what is there already, and check each.

    ``HF_ENDPOINT``, ``HF_TOKEN`` and a login kept by ``hf auth login`` count.

    Raises:
        PullError: it cannot be had, or is not what the pack says.
        OSError: it cannot be written.
    """
    total, before = sum(file.size for file in pack.files), 0
    for file in pack.files:
        target = cache / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _here(target, file):
            place = _where(pack, source, file)

            def on(done: int, _size: int, before: int = before) -> None:
                told(before + done, total)

            fetch(pack.name, place.url, target, file.size, file.sha256, on, place.headers)
        before += file.size
        told(before, total)


def _here(target: Path, file: PackFile) -> bool:
    try:
        with target.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except FileNotFoundError:
        return False


def _where(pack: Pack, source: HubSource, file: PackFile) -> _Place:
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise PullError(
            pack.name,
            "it comes from a model hub, and the hub's client is not installed",
            "pip install 'callboard[hub]', then give the same command.",
        ) from None
    mirror = os.environ.get("HF_ENDPOINT") or None
    page = hub.hf_hub_url(source.repository, file.path, revision=source.revision, endpoint=mirror)
    try:
        found = hub.get_hf_file_metadata(page, timeout=_SECONDS)
    except HfHubHTTPError as error:
        raise _refused(pack, page, error.response.status_code, error) from None
    except Exception as error:  # noqa: BLE001 - each release of the client has another HTTP library with errors of its own
        raise PullOffline(
            pack.name,
            f"{page} cannot be reached ({error})",
            "Check the network and HF_ENDPOINT, then give the same command: it goes on where it stopped. "
            "On a machine without a network, see 'callboard models bundle --help'.",
        ) from None
    if found.size is not None and found.size != file.size:
        raise PullError(
            pack.name,
            f"{page} has {found.size} bytes, and the pack names {file.size}",
            "What is offered there is not what the pack was made for: do not use it.",
        )
    token = hub.get_token()
    own = (
        found.location == page
    )  # elsewhere the address itself is the permission, and the token is none of their business
    return _Place(found.location or page, {"Authorization": f"Bearer {token}"} if token and own else {})


def _refused(pack: Pack, page: str, code: int, error: Exception) -> PullError:
    said = str(error).strip().splitlines()
    what = f"{page} answered {code} ({said[-1] if said else 'no reason given'})"
    if type(error).__name__ == "GatedRepoError" or code == 403:
        return PullForbidden(pack.name, what, _LOGIN)
    if code == 401:  # the hub says so of what is not there as well, lest it tells what is private
        return PullForbidden(pack.name, what, f"It is private, or not there any more. {_LOGIN}")
    if code in (404, 410):
        return PullGone(pack.name, what, "It is no longer offered there; look for a newer version of the plugin.")
    return PullOffline(pack.name, what, "The hub has a fault; try again later.")


def move_files(pack: Pack, cache: Path, out: Path) -> None:
    """Move the fetched files of *pack* from *cache* into *out*, on the same file system."""
    for file in pack.files:
        target = out / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        (cache / file.path).rename(target)


__all__ = ["get_files", "move_files"]
