"""What we put on a timeline's subtitle track: on disk, since a subtitle in Resolve can carry no id of ours."""

import hashlib
import json
import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def digest(text: str, length: int = 12) -> str:
    """Give a short name for a text: hexadecimal, ``length`` digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def checksum(text: str) -> str:
    """Give 32 bits of a text as eight hexadecimal digits, by sums that Lua's numbers hold exactly too."""
    total = 7
    for byte in text.encode("utf-8", "surrogatepass"):
        total = (total * 31 + byte) % 4294967296
    return f"{total:08x}"


def write_text(path: str, text: str) -> None:
    """Write a file whole or not at all; menu scripts may run in an ASCII locale, so the encoding is named."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


class Ledger:
    """The captions on one timeline by proposal, and what was read back when they were put there."""

    def __init__(self, folder: str, timeline: str) -> None:
        self.folder = folder
        self.name = digest(timeline)
        self.language = ""
        self.proposals: dict[str, list[list[Any]]] = {}
        self.landed: list[list[Any]] = []
        self._read()

    @property
    def path(self) -> str:
        """Say where it is kept."""
        return os.path.join(self.folder, f"captions-{self.name}.json")

    def _read(self) -> None:
        try:
            with open(self.path, encoding="utf-8") as file:
                kept = json.load(file)
            self.language = str(kept["language"])
            self.proposals = dict(kept["proposals"])
            self.landed = list(kept["landed"])
        except (OSError, ValueError, KeyError, TypeError):
            # none yet, or damaged: then nothing on the track counts as ours, and a person's work is never taken for it
            self.language, self.proposals, self.landed = "", {}, []

    def keep(self) -> None:
        """Write it down."""
        kept = {"language": self.language, "proposals": self.proposals, "landed": self.landed}
        write_text(self.path, json.dumps(kept, ensure_ascii=False, indent=1))

    def cues(self) -> "list[tuple[float, float, str]]":
        """Give all cues in order: seconds on the timeline, and the text."""
        return sorted((float(one[0]), float(one[1]), str(one[2])) for cues in self.proposals.values() for one in cues)
