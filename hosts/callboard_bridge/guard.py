"""What a command may be: its verb from a fixed list, its paths inside folders that people named."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

VERBS = (
    "tags.write",
    "description.write",
    "markers.write",
    "subtitles.write",
    "placeholder.insert",
    "relink",
    "clear",
)
"""All that a host does, whoever asks."""
OWN_FOLDER = ".callboard"
"""A Callboard's own folder, with its keys; nobody is sent there."""
_SHAPES: dict[str, type] = {
    "tags": list,
    "description": str,
    "author": str,
    "cues": list,
    "language": str,
    "markers": list,
    "file": str,
    "digest": str,
    "gap": dict,
}
_RECORDS = ("cues", "markers")
MAX_PATHS, MAX_DEPTH = 8, 128
"""Paths that a command may name, and folders in one: each costs a look at the disk."""


class Guard:
    """Knows the folders that commands may name files in.

    Args:
        roots: Absolute folders.
    """

    def __init__(self, roots: Sequence[str] = ()) -> None:
        self._roots: tuple[str, ...] = ()
        self._project = ""
        self.open(roots)

    def open(self, roots: Sequence[str]) -> None:
        """Take *roots* in place of those before; what is not an absolute path is left out."""
        self._roots = tuple(_real(root) for root in roots if _absolute(root))

    def enter(self, project: str) -> None:
        """Take the folder of the project that is open in the application; nothing where it is not a path."""
        folder = os.path.dirname(project) if _absolute(project) else ""
        # a project at the top of a disk would open all of the disk
        self._project = _real(folder) if folder and os.path.dirname(folder) != folder else ""

    def allowed(self, path: Any) -> bool:
        """Say whether *path*, with its links followed, is inside the folders; looks at the disk, changes nothing."""
        if not _absolute(path):
            return False
        folders = [folder for folder in (*self._roots, self._project) if folder]
        if _elsewhere(path) and not any(_inside(os.path.normpath(path), folder) for folder in folders):
            return False  # even a look at such a path goes to whichever machine it names
        real = _real(path)
        return any(_inside(real, folder) for folder in folders)

    def objection(self, command: dict[str, Any], host: str, capabilities: Sequence[str], now: float) -> str:
        """Say why a command is refused; "" for one that may be done.

        Args:
            command: As it came, with its content where it has one.
            host: Our own id.
            capabilities: The verbs that this application takes.
            now: Seconds since 1970.
        """
        verb = command.get("verb")
        if verb not in VERBS:
            return f"no host does {str(verb)[:60]!r}"
        if verb not in capabilities:
            return f"{host} does not do {verb}"
        expires = command.get("expires", 0.0)
        if not isinstance(expires, (int, float)) or 0 < expires < now:
            return "it came too late"
        if not isinstance(command.get("proposal"), str) or not command["proposal"]:
            return "it names no proposal"
        return _misshapen(command) or self._astray(command)

    def _astray(self, command: dict[str, Any]) -> str:
        for count, path in enumerate(_paths(command)):
            if count >= MAX_PATHS:
                return "it names too many paths"
            if not self.allowed(path):
                return f"{str(path)[:200]!r} is outside the watched folders and the project"
        return ""


def _misshapen(command: dict[str, Any]) -> str:
    """Say what of a command is not what it should be; unknown content is taken out."""
    for name in ("use", "content", "arguments"):
        if not isinstance(command.get(name) or {}, dict):
            return f"its {name} cannot be read"
    content = command.get("content")
    if content:
        for name in list(content):
            shape = _SHAPES.get(name)
            if shape is None or content[name] is None:
                del content[name]
            elif not isinstance(content[name], shape):
                return f"its {name} cannot be read"
    for name in _RECORDS:
        if content and not all(isinstance(one, dict) for one in content.get(name, ())):
            return f"its {name} cannot be read"
    if content and not all(isinstance(tag, str) for tag in content.get("tags", ())):
        return "its tags cannot be read"
    return ""


def _paths(command: dict[str, Any]) -> Iterator[Any]:
    """Give every path that a command names: its file, its media, and whatever in its arguments looks like one."""
    content, use = command.get("content") or {}, command.get("use") or {}
    for path in (content.get("file"), use.get("path")):
        if path:
            yield path
    waiting = [command.get("arguments") or {}]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            waiting.extend(value)
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and _looks_like_a_path(value):
            yield value


def _looks_like_a_path(text: str) -> bool:
    if text.startswith(("/", "\\", "~")) or ".." in text.replace("\\", "/").split("/"):
        return True
    return text[1:2] == ":" or "://" in text or text.lower().startswith("file:")


def _absolute(path: Any) -> bool:
    if not isinstance(path, str) or "\0" in path or path.replace("\\", "/").count("/") > MAX_DEPTH:
        return False
    return os.path.isabs(path)  # noqa: PTH117 - importing pathlib costs a third of the whole import


def _elsewhere(path: str) -> bool:
    r"""Say whether a path names another machine, as Windows's ``\\\\server\\share`` does."""
    return path[:2].replace("\\", "/") == "//"


def _real(path: str) -> str:
    try:
        return os.path.normcase(os.path.realpath(path))
    except (OSError, ValueError):
        return ""


def _inside(path: str, folder: str) -> bool:
    """Say whether *path* is below *folder*, and not in a Callboard's own folder there."""
    if not path or not folder:
        return False
    path, folder = os.path.normcase(path), folder.rstrip(os.sep)
    if path == folder:
        return True
    below = path[len(folder) :].lower() + os.sep
    return path.startswith(folder + os.sep) and os.sep + OWN_FOLDER + os.sep not in below
