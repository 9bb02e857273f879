"""Whether a folder is on a disk that keeps what is synced to it."""

from __future__ import annotations

from pathlib import Path, PurePath

import psutil

_REMOTE = (
    "9p acfs afpfs afs beegfs ceph cifs coda gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs3 nfs4 ocfs2 prl_fs "
    "smb2 smb3 smbfs vboxsf virtiofs webdav vmhgfs"
)
REMOTE = frozenset(_REMOTE.split())
"""File systems that other machines, or the host of a virtual one, answer for."""


def filesystem(folder: Path) -> str:
    """Name the type of the file system that *folder* is on, in lower case; empty when the system does not say."""
    place = folder.absolute().resolve()
    best, kind = -1, ""
    for partition in psutil.disk_partitions(all=True):
        mount = PurePath(partition.mountpoint)
        if (mount == place or mount in place.parents) and len(mount.parts) >= best:
            best, kind = len(mount.parts), partition.fstype.lower()
    return kind


def is_remote(kind: str) -> bool:
    """Say whether a file system of this type is a network's or in user space; ``fuseblk`` is a local disk."""
    return kind in REMOTE or kind == "fuse" or kind.startswith("fuse.") or kind in ("macfuse", "osxfuse")
