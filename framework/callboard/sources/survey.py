"""What is on disk against what is known: a whole tree, or the paths that hints named. Blocks; run it in a lane."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from callboard.sources import sequences
from callboard.sources.examine import Family, Members, members
from callboard.sources.facts import Seen, Stat
from callboard.sources.hints import Listener
from callboard.sources.ignore import FILE_NAME, Ignore
from callboard.sources.kinds import kind_of
from callboard.sources.ledger import Ledger
from callboard.sources.scan import walk

RULES = FILE_NAME.encode()


class Renamed(NamedTuple):
    """A settled file has another path."""

    old: Seen
    path: bytes
    stat: Stat
    sequence: sequences.Group | None = None

    def seen(self) -> Seen:
        """Give what is known of it under its new path."""
        sequence = self.sequence.sequence if self.sequence else None
        return Seen.of(self.path, self.old.kind, self.old.digest, self.stat, sequence)


class Survey:
    """What differs from what is known. Paths are relative to the root."""

    def __init__(self) -> None:
        self.files: list[tuple[bytes, Stat]] = []
        """New, or not as they were."""
        self.families: list[tuple[Family, Members | None]] = []
        """The same for numbered stills; None where only a frame's change is known."""
        self.renames: list[Renamed] = []
        self.present: set[bytes] = set()
        """Known paths that are there."""
        self.absent: list[bytes] = []
        """Known paths that were asked for and are not there."""
        self.ignored: list[tuple[bytes, str]] = []
        self.failed: dict[bytes, OSError] = {}
        self.count = 0
        """Media files looked at."""

    def knows_of(self, path: bytes) -> bool:
        """Tell whether the folders above *path* could be listed, so that its absence means something."""
        return not any(path.startswith(folder + b"/") or not folder for folder in self.failed)


class Surveyor:
    """Surveys one root.

    Args:
        root: Absolute path.
        ledger: What is known.
        ignore: What is left out.
        subtitles: Tells whether a subtitle file, by its absolute path, is looked at: nobody may answer them, and it
            may be Callboard's own.
    """

    def __init__(
        self, root: bytes, ledger: Ledger, ignore: Ignore, subtitles: Callable[[bytes], bool] = lambda _path: False
    ) -> None:
        self.root = root
        self._subtitles = subtitles
        self.ledger = ledger
        self.ignore = ignore
        self._ignored: dict[bytes, str] = {}

    def reload(self, ignore: Ignore) -> None:
        """Take other rules from now on."""
        self.ignore = ignore
        self._ignored.clear()

    def tree(self, listener: Listener | None, start: bytes = b"") -> Survey:
        """Survey *start* and everything below, listening to each folder before it is listed.

        Raises:
            WatchLimit: the listener has no watches left.
        """
        out = Survey()
        if start and self.ignore.why(start + b"/x") is not None:
            return out

        def enter(folder: bytes) -> bool:
            if folder and self._rule(folder, out, folder=True) is not None:
                return False
            if listener is not None:
                listener.add(folder)
            return True

        def keep(path: bytes, name: bytes) -> bool:
            return self.is_media(path) and (path in self.ledger.seen or self._rule(path, out) is None)

        found = walk(self.root, start, enter=enter, keep=keep)
        out.failed, out.count = found.failed, len(found.files)
        families: dict[Family, list[tuple[bytes, Stat]]] = defaultdict(list)
        for path, stat in found.files:
            family = Family.of(path)
            if family is None:
                self._file(path, stat, out)
            else:
                families[family].append((path.rpartition(b"/")[2], stat))
        for family, files in families.items():
            self._family(family, members(self.root, family, files), out)
        return out

    def paths(self, paths: list[bytes]) -> Survey:
        """Survey the files that hints named."""
        out = Survey()
        families: set[Family] = set()
        for path in paths:
            if not self.is_media(path) or (
                path not in self.ledger.seen and self._rule(path, out, above=True) is not None
            ):
                continue
            family = Family.of(path)
            if family is not None:
                families.add(family)
            try:
                stat = os.stat(os.path.join(self.root, path), follow_symlinks=False)
            except OSError:
                out.absent.append(path)
                continue
            if family is None and (stat.st_mode & 0o170000) == 0o100000:
                self._file(path, Stat.of(stat), out)
        out.families = [(family, None) for family in families]
        return out

    def is_media(self, path: bytes) -> bool:
        """Tell whether a path (relative to the root) is looked at, by its extension."""
        kind = kind_of(path)
        return kind is not None and (kind != "subtitles" or self._subtitles(os.path.join(self.root, path)))

    def _rule(self, path: bytes, out: Survey, *, folder: bool = False, above: bool = False) -> str | None:
        rule = self._ignored.get(path)
        if rule is not None:
            return rule
        rule = self.ignore.why(path) if above else self.ignore.rule(path, folder=folder)
        if rule is not None:
            self._ignored[path] = rule
            if not folder:
                out.ignored.append((path, rule))
        return rule

    def _file(self, path: bytes, stat: Stat, out: Survey) -> None:
        if path in self.ledger.seen:
            out.present.add(path)
        if self.ledger.same(path, stat):
            return
        old = self.ledger.twin(path, stat)
        if old is not None and not self._there(old):
            out.renames.append(Renamed(old, path, stat))
        else:
            out.files.append((path, stat))

    def _family(self, family: Family, found: Members, out: Survey) -> None:
        """Say what differs in a family; frames that are known as single pictures stay known while they are there."""
        differs = False
        for path, group, stat in found.groups:
            out.present.update(p for p in map(family.join, (f.name for f in group.frames)) if p in self.ledger.seen)
            if path in self.ledger.seen:
                out.present.add(path)
            if self.same_group(path, group, stat):
                continue
            old = self.ledger.twin(path, stat)
            if old is not None and old.sequence is not None and not self._there(old):
                out.renames.append(Renamed(old, path, stat, group))
            else:
                differs = True
        for path, stat in found.singles:
            if path in self.ledger.seen:
                out.present.add(path)
            differs = differs or not self.ledger.same(path, stat)
        if differs:
            out.families.append((family, found))

    def same_group(self, path: bytes, group: sequences.Group, stat: Stat) -> bool:
        """Tell whether a sequence is as it was when it settled."""
        seen = self.ledger.seen.get(path)
        return seen is not None and seen.sequence == group.sequence and self.ledger.same(path, stat)

    def _there(self, seen: Seen) -> bool:
        """Tell whether a known path still holds the file that it held."""
        path = os.path.join(self.root, seen.path)
        if seen.sequence is not None:
            path = sequences.frame_paths(path, seen.sequence)[0]
        try:
            return os.stat(path, follow_symlinks=False).st_ino == seen.inode
        except OSError:
            return False
