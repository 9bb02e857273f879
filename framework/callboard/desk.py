"""The desk: where a person decides. Every function runs inside one transaction of the catalog.

A decision changes states and asks that sidecars follow; the same code serves the command line and the board.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Literal

from callboard_schemas import Asset, Captions, Decision, JobDone, Parameters, Prints, Proposal, Result, Translation
from msgspec import Struct

from callboard import announce
from callboard.beside import theirs
from callboard.catalog import dead, decisions, jobs, journal, prints, proposals
from callboard.catalog.jobs import Row
from callboard.catalog.ledger import is_ours
from callboard.config import Policy
from callboard.discovery import Found
from callboard.errors import UsageError
from callboard.following import Following
from callboard.onward import Onward, resting_on
from callboard.partly import heard, left_out
from callboard.policy import Acceptance, accepts
from callboard.proposing import by_person, store, worded
from callboard.runs import new_run
from callboard.vocabulary import Vocabulary

Deliver = Callable[[sqlite3.Connection, Proposal, str, str], None]
"""Brings a decided proposal, with the digest of its asset and the run, to applications, in the same transaction."""


class Stay(Struct, frozen=True):
    """A proposal that an undo leaves accepted, and who decided so since."""

    id: str
    by: str


class Decided(Struct, frozen=True):
    """What a decision, an undo or a replay changed."""

    run: str
    changed: tuple[str, ...]
    stays: tuple[Stay, ...] = ()
    """What an undo left as it is, for somebody decided on it after the run."""


class Desk:
    """Decides on proposals of one project.

    Args:
        following: Asks that sidecars follow.
        policy: What may be accepted without a person.
        plugins: What discovery found, for their thresholds.
        vocabulary: Gives the project's own words, for the tags of plugins that do not ask for them themselves.
        onward: Says to plugins what holds from now on.
        deliver: Brings each decision to the applications that use the asset: proposal, digest and run.
    """

    def __init__(
        self,
        following: Following,
        policy: Policy,
        plugins: Sequence[Found],
        vocabulary: Callable[[], Vocabulary | None] = lambda: None,
        onward: Onward | None = None,
        deliver: Deliver = lambda *_: None,
    ) -> None:
        self._following, self._policy, self._vocabulary = following, policy, vocabulary
        self._onward, self._deliver = onward or Onward(), deliver
        self._manifests = {found.id: found.manifest for found in plugins}

    def decide(self, conn: sqlite3.Connection, decision: Decision, run: str) -> bool:
        """Apply one decision. Returns whether anything changed."""
        former = proposals.get(conn, decision.proposal)
        changed = proposals.decide(conn, decision, run)
        if changed is None:
            return False
        announce.proposal(conn, changed, None, "changed")
        job = jobs.get(conn, changed.job)
        if job is not None:
            self._following.asset(conn, job.digest, run)
            if changed.state == "accepted" and isinstance(changed.body, Captions):
                self._onward.captions(conn, changed, job.digest, run)
            self._deliver(conn, changed, job.digest, run)
        if changed.result in ("placeholder", "swap"):
            _tell_changed(conn, proposals.given_way(conn, changed.id))
            if decision.decision == "reject" and former is not None and former.state == "accepted":
                self._give_place(conn, changed, decision)
        return True

    def _give_place(self, conn: sqlite3.Connection, gone: Proposal, decision: Decision) -> None:
        """Have what stood before hold again, where what took its place, or stood in there, is rejected."""
        for other in proposals.superseded_by(conn, gone.id) if gone.result == "swap" else ():
            again = Decision(proposal=other, decision="accept", by=decision.by, reason=f"{gone.id} was rejected")
            self.decide(conn, again, decisions.last_acceptance(conn, other).run)
        _tell_changed(conn, proposals.release(conn, gone.id))

    def hear(self, conn: sqlite3.Connection, decision: Decision, run: str) -> bool:
        """Apply a decision that came as a message, its tags named as people name them.

        Raises:
            MessageRefused: it leaves out a tag or a cue that is not there, or all of them.
        """
        return self.decide(conn, heard(conn, decision), run)

    def decide_many(
        self,
        conn: sqlite3.Connection,
        prefixes: Sequence[str],
        verb: Literal["accept", "reject"],
        by: str,
        reason: str = "",
        tags: Sequence[str] = (),
        cues: Sequence[str] = (),
    ) -> Decided:
        """Accept or reject by the ids that a person typed; all or none.

        Args:
            conn: The transaction.
            prefixes: Ids, or how they start.
            verb: What is done.
            by: Who decides.
            reason: Why; kept with the decision.
            tags: Labels or concepts. Accepted is the rest; rejected are these alone, out of what was accepted.
            cues: The same for ids of cues, as people type them.

        Raises:
            UsageError: an id is unknown or not unique, a tag or a cue is in none of them, or nothing would be left.
        """
        run = new_run()
        jobs.start_run(conn, run, verb)
        found = [one_of(conn, prefix) for prefix in prefixes]
        parts = left_out(conn, found, verb, tags, cues)
        told: Literal["accept", "reject"] = "accept" if tags or cues else verb
        changed = [
            ident
            for ident in found
            if self.decide(
                conn,
                Decision(proposal=ident, decision=told, by=by, reason=reason, without=parts.get(ident, ())),
                run,
            )
        ]
        jobs.close_run(conn, run)
        return Decided(run, tuple(changed))

    def undo(self, conn: sqlite3.Connection, run: str, by: str) -> Decided:
        """Take a run back: what it had accepted is proposed again, and its sidecars go.

        Raises:
            UsageError: no such run.
        """
        if not proposals.run_exists(conn, run):
            raise UsageError(f"no run {run!r}", "'callboard status' lists the last runs.")
        changed = proposals.accepted_in(conn, run)
        changed += resting_on(conn, changed)
        for ident in changed:
            before = proposals.superseded_by(conn, ident)
            self._take_back(conn, ident, run, by)
            _tell_changed(conn, proposals.release(conn, ident))
            for other in before:
                stood = decisions.last_acceptance(conn, other)
                again = Decision(proposal=other, decision="accept", by=by, reason=f"undo {run}", without=stood.without)
                self.decide(conn, again, stood.run)
        stays = tuple(Stay(ident, who) for ident, who in decisions.kept_since(conn, run) if ident not in changed)
        return Decided(run, tuple(changed), stays)

    def _take_back(self, conn: sqlite3.Connection, ident: str, run: str, by: str) -> None:
        """Propose again what a run accepted, or accept it as it was before the run left other tags out."""
        earlier = decisions.accepted_before(conn, ident, run)
        if earlier is None:
            self.decide(conn, Decision(proposal=ident, decision="reopen", by=by, reason=f"undo {run}"), run)
            return
        again = Decision(proposal=ident, decision="accept", by=by, reason=f"undo {run}", without=earlier.without)
        self.decide(conn, again, earlier.run)

    def replay(self, conn: sqlite3.Connection, prefixes: Sequence[str], run: str = "") -> Decided:
        """Give dead jobs all their tries back.

        Raises:
            UsageError: an id is unknown, not unique, or a message (which its sender must mend and send again).
        """
        run = run or new_run()
        jobs.start_run(conn, run, "replay")
        changed = []
        for prefix in prefixes:
            found = dead.find(conn, prefix)
            if len(found) != 1:
                raise UsageError(
                    f"{'no' if not found else 'more than one'} dead letter {prefix!r}", "See 'callboard dead list'."
                )
            if found[0].what != "job":
                raise UsageError(
                    f"{found[0].id} is a message that was refused: {found[0].reason}",
                    "Its sender must mend it and send it again.",
                )
            jobs.retry(conn, found[0].ref, run)
            dead.replayed(conn, found[0].id)
            changed.append(found[0].id)
        return Decided(run, tuple(changed))

    def accept_done(self, conn: sqlite3.Connection, row: Row, done: JobDone, acceptance: Acceptance) -> list[str]:
        """Store what a job proposes and accept what the policy allows. Returns the accepted ids."""
        manifest = self._manifests.get(row.plugin)
        results, made_by = worded(done, manifest, self._vocabulary())
        for given in done.results:
            if isinstance(given, Prints):
                prints.put(conn, row.digest, row.plugin, given)
        ids = store(conn, row, made_by, results)
        for ident in ids:
            _tell_changed(conn, proposals.replace(conn, ident))
        return [
            ident
            for ident, result in zip(ids, results, strict=True)
            if (by := accepts(self._policy, manifest, done.provenance, result, acceptance))
            and not (by == "policy" and self._is_written(conn, ident, row))
            and self.decide(conn, Decision(proposal=ident, decision="accept", by=by), row.run)
        ]

    def _is_written(self, conn: sqlite3.Connection, ident: str, row: Row) -> bool:
        """Say whether a person wrote what a proposal would take the place of; then only a person accepts it."""
        made = proposals.get(conn, ident)
        if made is None or not isinstance(made.body, Captions | Translation):
            return False
        if proposals.person_stands(conn, made, row.digest):
            return True
        language = made.body.language
        media = [self._following.media(root, seen.path) for root, seen in journal.places_of(conn, row.digest)]
        return any(path and theirs(path, language, lambda name: is_ours(conn, name)) for path in media)

    def write(
        self,
        conn: sqlite3.Connection,
        asset: Asset,
        result: Result,
        by: str,
        parameters: Parameters | None = None,
        *,
        accept: bool = True,
    ) -> Decided:
        """Accept what a person wrote; it takes the place of what stood or waited, whoever made that.

        Args:
            conn: The transaction.
            asset: What it is about.
            result: What they wrote.
            by: Who.
            parameters: Where it came from; kept in its provenance.
            accept: Whether it holds at once; else it waits in place of what waited.
        """
        run = new_run()
        jobs.start_run(conn, run, "write")
        ident = by_person(conn, asset, result, run, parameters)
        _tell_changed(conn, proposals.replace(conn, ident, by_any=True))
        if accept:
            self.decide(conn, Decision(proposal=ident, decision="accept", by=by), run)
        jobs.close_run(conn, run)
        return Decided(run, (ident,))

    def accept_cached(self, conn: sqlite3.Connection, job: Row, run: str, acceptance: Acceptance) -> None:
        """Apply a run's acceptance to proposals made before; what a person has decided or undone stands."""
        for made in proposals.of_job(conn, job.key):
            _tell_changed(conn, proposals.revive(conn, made.id))
        for made in proposals.of_job(conn, job.key):
            if made.state == "accepted":
                self._onward.captions(conn, made, job.digest, run, again=True)
            untouched = made.state == "proposed" and not made.decided_by
            if made.body is None or not (untouched or (acceptance == "all" and made.state == "proposed")):
                continue
            by = accepts(self._policy, self._manifests.get(job.plugin), made.provenance, made.body, acceptance)
            if by:
                self.decide(conn, Decision(proposal=made.id, decision="accept", by=by), run)


def _tell_changed(conn: sqlite3.Connection, idents: Sequence[str]) -> None:
    for ident in idents:
        made = proposals.get(conn, ident)
        if made is not None:
            announce.proposal(conn, made, None, "changed")


def one_of(conn: sqlite3.Connection, prefix: str) -> str:
    """Give the id of the one proposal that starts with what a person typed.

    Raises:
        UsageError: none does, or more than one.
    """
    found = proposals.resolve(conn, prefix)
    if prefix in found:
        return prefix
    if len(found) != 1:
        problem = "no proposal" if not found else "more than one proposal starts with"
        raise UsageError(f"{problem} {prefix!r}", "'callboard inbox' shows what waits, with the ids.")
    return found[0]
