"""What a person asks for from the menu: small files, since each menu script is a program of its own."""

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

from callboard_resolve.inside.ledger import write_text

if TYPE_CHECKING:
    from typing import Any

WHAT = ("captions", "tags", "translation", "placeholder")
"""What can be asked for, as ``HostRequest.what`` says it."""
FRESH = 10.0
"""Seconds after which the running part is taken for gone; it says that it is there every second."""


def folder_of(project: str) -> str:
    """Name our folder in a Callboard project's data folder."""
    return os.path.join(project, ".callboard", "resolve")


def ask(folder: str, what: str, arguments: "dict[str, Any] | None" = None) -> bool:
    """Leave a wish; say whether the running part is there to see it now."""
    name = f"{time.time():.6f}-{os.getpid()}.json"
    write_text(os.path.join(folder, "asks", name), json.dumps({"what": what, "arguments": arguments or {}}))
    return running(folder)


def asked(folder: str) -> "list[dict[str, Any]]":
    """Take the wishes, oldest first; one that cannot be read is thrown away."""
    wishes = []
    place = os.path.join(folder, "asks")
    try:
        names = sorted(name for name in os.listdir(place) if name.endswith(".json"))
    except OSError:
        return []
    for name in names:
        path = os.path.join(place, name)
        try:
            with open(path, encoding="utf-8") as file:
                wish = json.load(file)
            if isinstance(wish, dict):
                wishes.append(wish)
        except (OSError, ValueError):
            pass
        try:
            os.unlink(path)
        except OSError:
            # it would be done again and again
            return []
    return wishes


def beat(folder: str) -> None:
    """Say that the running part is there."""
    write_text(os.path.join(folder, "running"), str(os.getpid()))


def rest(folder: str) -> None:
    """Say that it is not there any more."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, "running"))


def running(folder: str) -> bool:
    """Say whether the running part was there a moment ago."""
    try:
        age = time.time() - os.stat(os.path.join(folder, "running")).st_mtime
    except OSError:
        return False
    return -FRESH < age < FRESH
