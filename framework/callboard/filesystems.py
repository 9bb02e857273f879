"""What a folder is on: a disk of this machine, or something that another one answers for.

Network and user-space file systems tell of no changes made elsewhere, and do not keep what is synced to them:
SQLite's write-ahead log (https://sqlite.org/wal.html) and JetStream's store need a local disk.
"""

from __future__ import annotations

import os
from pathlib import Path

# fmt: off
_REMOTE = frozenset((
    "9p", "acfs", "afpfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs", "gfs2",
    "glusterfs", "gpfs", "lustre", "macfuse", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "osxfuse", "prl_fs", "smb2",
    "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "webdav",
))
# fmt: on


def kind_of(folder: Path | str) -> str:
    """Name the type of the file system that *folder* is on, in lower case; empty when the system does not say."""
    import psutil  # here, as it costs 30 ms that the help of the command line should not pay

    target = os.path.realpath(folder)
    kind, longest = "", -1
    for part in psutil.disk_partitions(all=True):
        inside = target == part.mountpoint or target.startswith(part.mountpoint.rstrip("/\\") + os.sep)
        if inside and len(part.mountpoint) >= longest:  # the later of two mounts on one point covers the other
            kind, longest = part.fstype.lower(), len(part.mountpoint)
    return kind


def is_remote(kind: str) -> bool:
    """Say whether a file system of this type is a network's or in user space; ``fuseblk`` is a local disk."""
    return kind in _REMOTE or kind == "fuse" or kind.startswith("fuse.")


__all__ = ["is_remote", "kind_of"]
