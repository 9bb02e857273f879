"""What goes on from an acceptance: captions that hold from now on are an event, and plugins may answer it.

The event is journalled, routed and put into the outbox in the transaction that changes the proposal's state, so it
is never lost and never said of what did not happen. It counts its hops from the event that the captions answered;
only captions cause it, so a translation ends the chain.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence

import msgspec
from callboard_schemas import (
    Asset,
    Captions,
    CaptionsAccepted,
    Envelope,
    Proposal,
    Tags,
    TranslationRequested,
    decode_path,
)
from msgspec import Struct
from msgspec.structs import replace

from callboard import announce, codec
from callboard.beside import read_name
from callboard.catalog import decisions, jobs, journal, proposals
from callboard.catalog.jobs import Planned
from callboard.cuewise import kept_cues
from callboard.errors import MessageRefused
from callboard.tagwise import kept, kept_text

log = logging.getLogger(__name__)

Route = Callable[[Envelope, Struct], Sequence[Planned]]
"""Says which jobs an event asks for; ``Router.route``."""

_OWN = "en"
"""What descriptions and tags are in, unless somebody says otherwise: that of the plugins' own words."""
_UNTOLD = ("technical", "text")
"""Groups of tags that are no words of a language: measurements, and what stands in the picture."""


def _nobody(_envelope: Envelope, _data: Struct) -> Sequence[Planned]:
    return ()


class Onward:
    """Says what holds from now on.

    Args:
        route: Says which plugins answer.
        only: Only these plugins; empty means every plugin that answers.
    """

    def __init__(self, route: Route = _nobody, only: Sequence[str] = ()) -> None:
        self._route, self._only = route, frozenset(only)

    def captions(
        self, conn: sqlite3.Connection, made: Proposal, digest: str, run: str, *, again: bool = False
    ) -> tuple[str, ...]:
        """Say that captions were accepted, and ask for the jobs that answer it.

        Args:
            conn: The transaction of the acceptance.
            made: The proposal, as it stands.
            digest: Of its asset.
            run: What the jobs belong to.
            again: They were accepted before and are asked for anew: said only where a plugin answers.

        Returns:
            The keys of the jobs.
        """
        row = jobs.get(conn, made.job)
        cause = None if row is None else journal.envelope(conn, row.event)
        asset = _asset(conn, digest, row)
        if asset is None or not isinstance(made.body, Captions):
            return ()
        if cause is not None and cause.hops >= codec.MAX_HOPS:
            log.warning("captions %s are %d events from their trigger; they cause no more", made.id, cause.hops)
            return ()
        captions = replace(made.body, cues=kept_cues(made.body.cues, made.without))
        data = CaptionsAccepted(asset=asset, captions=captions, proposal=made.id, by=made.decided_by)
        ident = f"{made.id}@{decisions.last_decision(conn, made.id)}" + (f"@{run}" if again else "")
        envelope = _envelope(data, ident, run, cause)
        planned = [one for one in self._planned(envelope, data) if captions.cues]
        if again and not planned:
            return ()
        seq = journal.append(conn, envelope, codec.encode(envelope), run)
        if seq is None:
            return ()
        for one in planned:
            if not jobs.want(conn, one, seq, run):
                _revive(conn, one.key)
        announce.event(conn, envelope, *(_envelope(short, ident, run, cause) for short in _shorter(data)))
        return tuple(one.key for one in planned)

    def _planned(self, envelope: Envelope, data: Struct) -> list[Planned]:
        return [one for one in self._route(envelope, data) if not self._only or one.plugin in self._only]


def _revive(conn: sqlite3.Connection, job: str) -> None:
    """Propose again what a job proposed before, where it gave way to another's that nobody looked at."""
    for one in proposals.of_job(conn, job):
        gave_way = proposals.revive(conn, one.id)
        now = [proposals.get(conn, ident) for ident in (one.id, *gave_way)]
        if now[0] is not None and now[0].state != one.state:
            for made in filter(None, now):
                announce.proposal(conn, made, None, "changed")


def _envelope(data: CaptionsAccepted, ident: str, run: str, cause: Envelope | None) -> Envelope:
    subject = data.asset.place.path[:4096]
    made = codec.make("captions.accepted", data, source=announce.SOURCE, subject=subject, cause=cause, id=ident)
    return replace(made, correlationid=run)


def _asset(conn: sqlite3.Connection, digest: str, row: jobs.Row | None) -> Asset | None:
    """Say where captions' asset is now, else where it was when its job was made."""
    return journal.asset_now(conn, digest, row.subject if row else None)


def _shorter(data: CaptionsAccepted) -> Iterator[CaptionsAccepted]:
    """Give what a message may hold where all of it is too long: without evidence."""
    cues = tuple(replace(cue, words=(), heard=None, repairs=()) for cue in data.captions.cues)
    yield replace(data, captions=replace(data.captions, cues=cues, left_out=()))


def resting_on(conn: sqlite3.Connection, idents: Sequence[str]) -> list[str]:
    """Give the accepted proposals that plugins made of the acceptance of these captions."""
    found: dict[str, None] = {}
    for ident in idents:
        rows = conn.execute(
            "SELECT p.id FROM events e JOIN jobs j ON j.event = e.seq JOIN proposals p ON p.job = j.key"
            " WHERE e.type = 'captions.accepted' AND e.source = ? AND substr(e.id, 1, ?) = ? AND p.state = 'accepted'"
            " ORDER BY p.id",
            (announce.SOURCE, len(ident) + 1, f"{ident}@"),
        )
        found.update(dict.fromkeys(row[0] for row in rows))
    return [ident for ident in found if ident not in idents]


def filled(conn: sqlite3.Connection, asked: TranslationRequested) -> TranslationRequested:
    """Fill in what a request leaves out, from what was accepted for its asset.

    Raises:
        MessageRefused: nothing of what is asked for was ever accepted, and the asset is no subtitle file.
    """
    asset = asked.asset
    what = asked.what or ("captions", "description", "labels")
    accepted = [made for made in proposals.of_digest(conn, asset.digest) if made.state == "accepted"]
    captions, description, labels = asked.captions, asked.description, asked.labels
    language = asked.source_language
    if language is None and asset.kind == "subtitles":
        language = read_name(decode_path(asset.place.path)).language or None
    if captions is None and "captions" in what:
        captions = _latest(accepted, asked.source_language)
    if not description and "description" in what:
        description = _described(accepted)
    if not labels and "labels" in what:
        labels = _labelled(accepted)
    if captions is None and not description and not labels and asset.kind != "subtitles":
        what_not = " and no ".join(what)
        problem = f"no {what_not} of {asset.place.path} was accepted yet: there is nothing to translate"
        raise MessageRefused("nothing-accepted", problem)
    if language is None and captions is None and asset.kind != "subtitles":
        language = _OWN
    return replace(asked, captions=captions, description=description, labels=labels, source_language=language)


def _latest(accepted: Sequence[Proposal], language: str | None) -> Captions | None:
    """Give the captions that were accepted last; in *language*, where there are some."""
    found: Captions | None = None
    for made in accepted:
        body = made.body
        if isinstance(body, Captions) and body.cues:
            better = found is None or language is None or found.language != language or body.language == language
            if better:
                found = replace(body, cues=kept_cues(body.cues, made.without))
    return found


def _described(accepted: Sequence[Proposal]) -> str:
    tagged = [(made.body, made.without) for made in accepted if isinstance(made.body, Tags)]
    found = [kept_text(body.description, without) for body, without in tagged]
    return next((text for text in reversed(found) if text), "")


def _labelled(accepted: Sequence[Proposal]) -> tuple[str, ...]:
    tags = [tag for made in accepted if isinstance(made.body, Tags) for tag in kept(made.body.items, made.without)]
    return tuple(dict.fromkeys(tag.label for tag in tags if tag.group[:1] not in {(group,) for group in _UNTOLD}))


def content(captions: Captions) -> object:
    """Give what of captions decides their translation: everything but the evidence for it."""
    plain = {"words": (), "heard": None, "repairs": (), "confidence": 1.0, "no_speech": 0.0, "flags": (), "failed": ()}
    cues = [replace(cue, **plain) for cue in captions.cues]
    return [captions.language, captions.rate, msgspec.to_builtins(cues)]


__all__ = ["Onward", "Route", "content", "filled", "resting_on"]
