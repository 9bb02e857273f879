"""Files that a project's settings name for plugins, such as its own delivery profiles: where they are.

A plugin runs in a folder of its own and knows no project, so it is told whole paths. What only a request says can
name a profile of the project, and never a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from callboard_schemas import Manifest, Parameters

from callboard.errors import ProfileError, UsageError
from callboard.keys import digest_of
from callboard.manifests import Value
from callboard.packs.digests import digest as file_digest
from callboard.timedtext.profile import content, is_path, load, own_profiles

MODELS = ("profile", "files")
"""Names under which digests stand among the models of a job: of a project's own profiles, and of its other files."""
_FILES = ("file", "content")


def told(manifest: Manifest, parameters: Parameters, folder: Path | None) -> Parameters:
    """Give *parameters* with whole paths of the files and of the project's own profiles that they name.

    Args:
        manifest: Says which parameters are paths.
        parameters: Every parameter of the manifest.
        folder: The project's; without one they stay as they are.
    """
    if folder is None:
        return parameters
    own = own_profiles(folder) if _named(manifest, "profile") else {}
    changed: Parameters = {}
    for name in _named(manifest, "profile", *_FILES):
        value = str(parameters[name])
        if value in own and manifest.parameters[name].path == "profile":
            changed[name] = str(own[value].absolute())
        elif value and (manifest.parameters[name].path in _FILES or is_path(value)):
            changed[name] = str(folder.absolute() / Path(value).expanduser())
    return {**parameters, **changed}


def asked(manifest: Manifest, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """Give what a request may set: nothing that is the project's alone, and no profile by its path."""
    known = manifest.parameters
    taken = {name: value for name, value in parameters.items() if name in known and not known[name].project_only}
    return {
        name: value
        for name, value in taken.items()
        if not (known[name].path == "profile" and isinstance(value, str) and is_path(value))
    }


def laid_out(manifest: Manifest, parameters: Parameters, profile: str, folder: Path | None) -> Parameters:
    """Have what names no profile take the one that captions were laid out for, where it is the project's own."""
    empty = {name: profile for name in _named(manifest, "profile") if not parameters[name]}
    if folder is None or not empty or profile not in own_profiles(folder):
        return parameters
    return told(manifest, {**parameters, **empty}, folder)


def digests(manifest: Manifest, parameters: Parameters) -> dict[str, str]:
    """Digest what is in the files that *parameters* name by paths: profiles with all that they extend, and others."""
    profiles = (str(parameters[name]) for name in _named(manifest, "profile"))
    others = (str(parameters[name]) for name in _named(manifest, "content"))
    found = [_content(value) for value in profiles if is_path(value)], [_digest(value) for value in others if value]
    return {name: digest_of(some) for name, some in zip(MODELS, found, strict=True) if some}


def portable(manifest: Manifest, parameters: Parameters, folder: Path | None) -> Parameters:
    """Give *parameters* with paths as they are seen from the project, so that a moved one makes no new jobs."""
    if folder is None:
        return parameters
    changed: Parameters = {}
    for name in _named(manifest, "profile", *_FILES):
        path = Path(str(parameters[name]))
        if path.is_absolute() and path.is_relative_to(folder.absolute()):
            changed[name] = path.relative_to(folder.absolute()).as_posix()
    return {**parameters, **changed}


def missing(manifest: Manifest, parameters: Parameters, folder: Path) -> Iterator[UsageError]:
    """Say which of the files and profiles are not there, or do not say what they must."""
    whole = told(manifest, parameters, folder)
    for name in _named(manifest, "profile"):
        try:
            if whole[name]:
                load(str(whole[name]), folder=folder)
        except ProfileError as error:
            yield error
    for name in _named(manifest, *_FILES):
        if whole[name] and not Path(str(whole[name])).is_file():
            yield UsageError(f"{name}: {whole[name]} is not there", "Mend the path in callboard.toml, or make it.")


def _named(manifest: Manifest, *kinds: str) -> list[str]:
    return [name for name, parameter in manifest.parameters.items() if parameter.path in kinds]


def _content(path: str) -> object:
    try:
        return content(path)
    except ProfileError as error:  # the job says so; once the file is mended, it is another one
        return str(error)


def _digest(path: str) -> str:
    try:
        return file_digest(Path(path))
    except OSError as error:  # the same
        return str(error)


__all__ = ["MODELS", "asked", "digests", "laid_out", "missing", "portable", "told"]
