"""Who may say what on the embedded broker: one key for each role, and the server's settings made from them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from callboard.bus import CHATTER, COMMANDS, CONTROL, INTAKE, MAX_MESSAGE, OUTBOX
from callboard.bus.streams import HEADER_ROOM, IN_BYTES, OUT_BYTES


class Role(NamedTuple):
    """What the holder of a role's key may publish and hear."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def _pulls(durable: str, subject: str) -> tuple[str, ...]:
    """Publish rights to make and drain the consumer *durable* of the outbox, filtered by *subject*."""
    return (
        f"$JS.API.CONSUMER.CREATE.CB_OUT.{durable}.{subject}",
        f"$JS.API.CONSUMER.MSG.NEXT.CB_OUT.{durable}",
        f"$JS.ACK.CB_OUT.{durable}.>",
    )


ROLES: dict[str, Role] = {
    "board": Role(
        (
            *(f"{INTAKE}.>", f"{OUTBOX}.>", f"{CHATTER}.>", f"{CONTROL}.>", f"{COMMANDS}.>"),
            *("_INBOX.>", "$JS.API.>", "$JS.ACK.>"),
        ),
        (f"{INTAKE}.>", f"{OUTBOX}.>", f"{CHATTER}.>", f"{CONTROL}.>", "_INBOX.board.>"),
    ),
    # A host says what happened in it, asks the board for the rest, and hears what the board asks of hosts.
    "host": Role(
        (f"{INTAKE}.host.>", f"{CHATTER}.host.>", f"{CONTROL}.host.>"),
        (f"{COMMANDS}.>", "_INBOX.host.>"),
    ),
    "cli": Role(
        (f"{CONTROL}.>", f"{INTAKE}.review.>", f"{INTAKE}.*.requested"),
        (f"{CHATTER}.>", f"{OUTBOX}.>", "_INBOX.cli.>"),
    ),
    # A worker takes jobs from one shared queue and says how they went.
    "worker": Role(
        (f"{INTAKE}.job.>", f"{CHATTER}.job.>", f"{CONTROL}.job.>", *_pulls("workers", f"{OUTBOX}.job.requested.>")),
        (f"{CHATTER}.job.>", "_INBOX.worker.>"),
    ),
}
"""Plugins have no role: they reach the bus through the process that runs them, and hold no key."""

MAX_PAYLOAD = MAX_MESSAGE + HEADER_ROOM
"""Bytes of one message with its headers."""


def seed_path(data: Path, role: str) -> Path:
    """Say where a role's seed is kept."""
    return data / "keys" / f"{role}.nk"


def make_seeds(data: Path) -> dict[str, str]:
    """Make the seeds that are missing, readable for their owner only; give each role's public key."""
    import nkeys

    folder = data / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    public: dict[str, str] = {}
    for role in ROLES:
        path = seed_path(data, role)
        if not path.exists():
            seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
            waiting = path.with_suffix(".new")
            waiting.unlink(missing_ok=True)
            with open(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(seed)
                os.fsync(file.fileno())
            waiting.replace(path)
        path.chmod(0o600)
        public[role] = bytes(nkeys.from_seed(bytearray(path.read_bytes().strip())).public_key).decode()
    return public


def render(port: int, folder: Path, public: dict[str, str]) -> str:
    """Write the server's settings.

    Args:
        port: Where to listen, on loopback only.
        folder: Where JetStream keeps its store and the server its log.
        public: Each role's public key.
    """
    users = [
        {
            "nkey": public[name],
            "permissions": {"publish": {"allow": role.publish}, "subscribe": {"allow": role.subscribe}},
        }
        for name, role in ROLES.items()
    ]
    text = json.dumps  # the server's settings language takes JSON values
    return "\n".join(
        (
            "# Written by Callboard at each start; changes are lost.",
            "server_name: callboard",
            "host: 127.0.0.1",
            f"port: {port}",
            f"max_payload: {MAX_PAYLOAD}",
            "max_connections: 256",
            f"log_file: {text(str(folder / 'server.log'))}",
            "log_size_limit: 8388608",
            "log_max_num: 3",
            "jetstream {",
            f"  store_dir: {text(str(folder / 'store'))}",
            "  # On the disk before it is acknowledged; the default loses up to two minutes in a power cut.",
            "  sync_interval: always",
            "  max_memory_store: 16777216",
            f"  max_file_store: {IN_BYTES + OUT_BYTES}",
            "}",
            "# A busy application signs its login a little in each of its ticks; the default gives it two seconds.",
            f"authorization {{ timeout: 10, users: {text(users, indent=2)} }}",
            "",
        )
    )
