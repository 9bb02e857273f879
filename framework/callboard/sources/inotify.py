"""Hints on Linux: watchdog's inotify reader, without its recursion, its pairing of moves and its queues.

watchdog's observer pairs the halves of a rename, walks new folders on its reading thread and hands every event
through two more threads; under bursts that costs more than ten times the plain reading, and a full kernel queue then
drops events. Here each event becomes a hint at once: folders are watched by the scan that lists them, and renames are
known by their inode.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Collection
from functools import reduce
from operator import or_

from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyEvent, InotifyFD, Mask, WatchDescriptor

from callboard.sources.hints import Say, WatchLimit

_MASK = Mask(
    reduce(
        or_,
        (
            InotifyConstants.IN_CREATE,  # hard links tell nothing else
            InotifyConstants.IN_CLOSE_WRITE,
            InotifyConstants.IN_MOVED_TO,
            InotifyConstants.IN_MOVED_FROM,
            InotifyConstants.IN_DELETE,
            InotifyConstants.IN_DELETE_SELF,
            InotifyConstants.IN_ATTRIB,  # a file that becomes readable
            InotifyConstants.IN_ONLYDIR,
            InotifyConstants.IN_DONT_FOLLOW,
            0x10000000,  # IN_MASK_CREATE, Linux 4.18: refuse a folder that has a watch, which watchdog would warn of
        ),
    )
)
_WENT = InotifyConstants.IN_MOVED_FROM | InotifyConstants.IN_DELETE
_CAME = InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO
_SELF = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_UNMOUNT
_ISDIR = int(InotifyConstants.IN_ISDIR)


class InotifyListener:
    """Listens to the folders of one root that it is told of.

    Args:
        root: Absolute path.
        say: Called in watchdog's reading thread.

    Raises:
        WatchLimit: no inotify instance is left.
    """

    def __init__(self, root: bytes, say: Say) -> None:
        self._root = root
        self._say = say
        self._folders: dict[int, bytes] = {}
        self._id = CallbackId(id(self))
        # an event may come before add() knows the number of its watch: both take this lock
        self._lock = threading.Lock()
        try:
            self._fd = InotifyFD()
        except OSError as error:
            raise _limit(error) from error
        self._fd.start()

    def add(self, folder: bytes) -> None:
        """Listen to a folder; one that is listened to already keeps its watch, and its path until it is forgotten."""
        path = os.path.join(self._root, folder) if folder else self._root
        try:
            with self._lock:
                watch = self._fd.add_callback(path, _MASK, self, self._id)
                if watch != -1:  # -1: not readable, which the scan tells
                    self._folders[watch] = folder
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENOMEM):
                raise _limit(error) from error
            if not folder and error.errno != errno.EEXIST:
                raise

    def forget(self, folders: Collection[bytes]) -> None:
        """Stop listening to folders that went, and everything below them."""
        below = tuple(folder + b"/" for folder in folders)
        with self._lock:
            watches = [w for w, path in self._folders.items() if (path + b"/").startswith(below)]
            for watch in watches:
                del self._folders[watch]
        self._fd.remove_callbacks([(WatchDescriptor(watch), self._id) for watch in watches])

    def close(self) -> None:
        """Stop listening."""
        self._fd.stop()
        if self._fd is not threading.current_thread():
            self._fd.join()

    def on_event(self, event: InotifyEvent) -> None:
        """Turn an event into a hint; watchdog calls it."""
        with self._lock:
            folder = self._folders.get(event.wd)
        if folder is None:
            return
        mask = event.mask
        if mask & _SELF:
            if not folder:
                self._say("root", b"")
            return
        if not event.name:
            return
        path = folder + b"/" + event.name if folder else event.name
        if mask & _ISDIR:
            if mask & _WENT:
                self._say("folder-gone", path)
            elif mask & _CAME:
                self._say("folder", path)
        else:
            self._say("gone" if mask & _WENT else "file", path)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Forget a watch that the kernel ended; watchdog calls it."""
        with self._lock:
            folder = self._folders.pop(wd, None)
        if folder == b"":
            self._say("root", b"")

    def on_queue_overflow(self) -> None:
        """Say that events were lost; watchdog calls it."""
        self._say("lost", b"")


def _limit(error: OSError) -> WatchLimit:
    return WatchLimit(f"{error.strerror}: raise fs.inotify.max_user_watches and max_user_instances with sysctl")
