"""What hosts tell through the journal, taken inside its transaction: requests, decisions and receipts.

A host that says what cannot be true is refused with a reason, and nothing changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Literal

from callboard_schemas import (
    CommandReceipt,
    Decision,
    Envelope,
    HostDecision,
    HostRequest,
    MediaRenamed,
    MediaSettled,
    Receipt,
)
from msgspec import Struct
from msgspec.structs import replace

from callboard import announce
from callboard.catalog import host_commands, host_requests, hosts, journal, proposals
from callboard.catalog.host_commands import Row
from callboard.errors import MessageRefused
from callboard.hosting import mapping
from callboard.hosting.deliveries import Deliveries
from callboard.sources.facts import Seen

Arrived = Callable[[sqlite3.Connection, str, Seen, Envelope, str], None]

_NOTE = 4000
"""Characters of what an application says that are kept and told."""

_TOLD: dict[str, Literal["written", "conflict", "kept", "failed"]] = {
    "applied": "written",
    "partial": "written",
    "stale": "conflict",
    "refused": "kept",
    "failed": "failed",
}
"""What ``effect.receipt`` calls the states of a command's receipt."""


class Reception:
    """Takes what hosts tell.

    Args:
        deliveries: Says what projects are asked for.
        decide: Applies a decision inside the transaction.
        arrived: Tells of what may be a shot that something stands in for.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        decide: Callable[[sqlite3.Connection, Decision, str], object],
        arrived: Arrived = lambda *_: None,
    ) -> None:
        self._deliveries, self._decide, self._arrived = deliveries, decide, arrived

    def take(self, conn: sqlite3.Connection, seq: int, ident: str, data: Struct, run: str) -> None:
        """Take an event that was journalled in this transaction.

        Args:
            conn: The transaction.
            seq: The event's number in the journal.
            ident: Its id.
            data: What it says; other types than those of hosts are left alone.
            run: What it belongs to.

        Raises:
            MessageRefused: it cannot be true; the transaction must not be committed.
        """
        if isinstance(data, HostRequest):
            self._request(conn, seq, ident, data, run)
        elif isinstance(data, HostDecision):
            self._decision(conn, data, run)
        elif isinstance(data, CommandReceipt):
            self._receipt(conn, data, run)

    def settled(self, conn: sqlite3.Connection, root: str, seen: Seen, data: Struct, cause: Envelope, run: str) -> None:
        """Map what settled or moved in the projects that use it, and bring them what is known of it."""
        if not isinstance(data, MediaSettled | MediaRenamed):
            return
        for used in mapping.settled(conn, root, seen):
            self._deliveries.began(conn, (used.application, used.project), {used.digest}, run)
        self._arrived(conn, root, seen, cause, run)

    def _request(self, conn: sqlite3.Connection, seq: int, ident: str, asked: HostRequest, run: str) -> None:
        if asked.what == "placeholder" and asked.gap is None:
            raise MessageRefused("no-gap", f"{asked.host} asks for a placeholder and names no gap")
        if asked.what != "placeholder" and not asked.uses:
            raise MessageRefused("no-media", f"{asked.host} asks for {asked.what} and names no media")
        known = hosts.find(conn, asked.host)
        host_requests.add(conn, seq, ident, run, known.application if known else "", asked)

    def _decision(self, conn: sqlite3.Connection, data: HostDecision, run: str) -> None:
        made = proposals.get(conn, data.decision.proposal)
        if made is None:
            problem = f"{data.host} decided on {data.decision.proposal!r}, and there is no such proposal"
            raise MessageRefused("unknown-proposal", problem)
        known = hosts.find(conn, data.host)
        where = known.application if known else data.host
        self._decide(conn, replace(data.decision, by=f"{data.decision.by} in {where}"[:256]), run)

    def _receipt(self, conn: sqlite3.Connection, told: CommandReceipt, run: str) -> None:
        row = host_commands.get(conn, told.command)
        problem = _wrong(conn, told, row)
        if row is None or problem:
            raise MessageRefused("not-its-command", f"{told.host} sent a receipt for {told.command!r}: {problem}")
        told = replace(told, note=told.note[:_NOTE])
        host_commands.settle(conn, row.id, told)
        where = f"{row.application}:{row.project}" + (f"#{row.ref}" if row.ref else "")
        said = _said(told)
        state = "undone" if row.verb == "clear" and told.state in ("applied", "partial") else _TOLD[told.state]
        announce.receipt(
            conn,
            Receipt(effect=row.verb, proposals=(row.proposal,), target=where[:4096], state=state, note=said),
        )
        digest = row.digest or proposals.digest_of(conn, row.proposal)
        for root, seen in journal.places_of(conn, digest) if digest else ():
            journal.note(conn, root, seen.path, f"{row.application} {told.state}", f"{row.verb} in {where}: {said}")


def _wrong(conn: sqlite3.Connection, told: CommandReceipt, row: Row | None) -> str:
    """Say why a receipt cannot be true; empty when it can."""
    if row is None or not row.verb:
        return "there is no such command"
    if row.posted is None:
        return "it was not posted to anybody yet"
    known = hosts.find(conn, told.host)
    if known is None:
        return "no such application said hello"
    if known.application != row.application:
        return f"it was for {row.application}, not for {known.application}"
    if row.host != told.host and row.project != known.project:
        return f"it was for the project {row.project}, which {told.host} does not have open"
    if told.project and told.project != row.project:
        return f"it was for the project {row.project}, not for {told.project}"
    if told.proposal and told.proposal != row.proposal:
        return f"it was for the proposal {row.proposal}, not for {told.proposal}"
    return ""


def _said(told: CommandReceipt) -> str:
    """Say in a line what landed, what did not, and why."""
    parts = [f"{len(told.landed)} landed"] if told.landed else []
    parts += [f"missing: {'; '.join(told.missing)}"] if told.missing else []
    parts += [told.note] if told.note else []
    return (", ".join(parts) or told.state)[:_NOTE]


__all__ = ["Reception"]
