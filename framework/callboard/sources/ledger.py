"""What is known of a root's settled files: by path, by inode and by content, and which of them are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from callboard.sources.facts import Seen, Stat

MANY = 1000
"""Files missing at once above which a root is taken to be offline."""
SHARE = 0.2
"""Share of a root's files missing at once above which it is taken to be offline..."""
FEW = 5
"""...unless it is fewer files than this: somebody tidied up."""


class Ledger:
    """The settled files of one root. Reading is safe from other threads.

    Args:
        known: What the catalog remembers.
        stable_inodes: False on file systems that number files anew at each mount.
    """

    def __init__(self, known: Mapping[bytes, Seen], *, stable_inodes: bool) -> None:
        self.seen: dict[bytes, Seen] = {}
        self.missing: dict[bytes, float] = {}
        """Path to when it is given up."""
        self.held: set[bytes] = set()
        """Paths that went all at once: believed to be away, not deleted."""
        self._stable = stable_inodes
        self._inode: dict[int, Seen] = {}
        self._lost: dict[str, dict[bytes, None]] = defaultdict(dict)
        """Digest to the paths that are missing or held."""
        for seen in known.values():
            self.put(seen)

    def put(self, seen: Seen) -> None:
        """Know a file that settled, in place of what was known of its path."""
        self.back(seen.path)
        self.seen[seen.path] = seen
        if self._stable:
            # the former content's inode stays findable: it may just have been renamed away
            self._inode[seen.inode] = seen

    def drop(self, path: bytes) -> None:
        """Know a path no more."""
        self.back(path)
        former = self.seen.pop(path, None)
        if former is not None and self._inode.get(former.inode) is former:
            del self._inode[former.inode]

    def same(self, path: bytes, stat: Stat) -> bool:
        """Tell whether a path is as it was when it settled, so that nothing need be read."""
        seen = self.seen.get(path)
        return (
            seen is not None
            and seen.size == stat.size
            and seen.mtime_ns == stat.mtime_ns
            and seen.ctime_ns == stat.ctime_ns
            and (seen.inode == stat.inode or not self._stable)
        )

    def twin(self, path: bytes, stat: Stat) -> Seen | None:
        """Find the settled file that *path* may be, renamed: the same inode, size and modification time elsewhere."""
        seen = self._inode.get(stat.inode)
        if seen is None or seen.path == path or seen.size != stat.size or seen.mtime_ns != stat.mtime_ns:
            return None
        return seen

    def lost_with(self, digest: str) -> Seen | None:
        """Find a file of this content that is missing: the one that went first."""
        path = next(iter(self._lost.get(digest, ())), None)
        return None if path is None else self.seen.get(path)

    def away(self, path: bytes, until: float) -> bool:
        """Note that a known path is not there; True when that is news."""
        if path not in self.seen or path in self.missing or path in self.held:
            return False
        self.missing[path] = until
        self._lost[self.seen[path].digest][path] = None
        return True

    def back(self, path: bytes) -> None:
        """Note that a path is there."""
        if path not in self.missing and path not in self.held:
            return
        self.missing.pop(path, None)
        self.held.discard(path)
        digest = self.seen[path].digest
        self._lost[digest].pop(path, None)
        if not self._lost[digest]:
            del self._lost[digest]

    def hold(self) -> None:
        """Take everything missing for away, not deleted."""
        self.held.update(self.missing)
        self.missing.clear()

    def is_mass_loss(self, paths: Iterable[bytes]) -> bool:
        """Tell whether so much is missing that the root is more likely away than emptied."""
        lost = sum(1 for _ in paths)
        return lost > MANY or (lost >= FEW and lost > SHARE * len(self.seen))
