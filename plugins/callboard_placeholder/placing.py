"""Puts what was made where it stays: whole or not at all, and once, however often it is made."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.errors import JobError

from callboard_placeholder import names

if TYPE_CHECKING:
    from callboard_placeholder.encoding import Written


def digest_of(path: Path) -> str:
    """Give the digest of a file as sources do: of every byte."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
