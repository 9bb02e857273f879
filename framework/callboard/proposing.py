"""Makes proposals: of what a job answered, and of what a person wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from callboard_schemas import Asset, JobDone, Manifest, Parameters, Prints, Provenance, Result, Tags
from msgspec.structs import replace

from callboard import announce, codec
from callboard.catalog import jobs, journal, proposals
from callboard.catalog.jobs import Planned, Row
from callboard.catalog.proposals import PERSON
from callboard.keys import job_key
from callboard.tagwise import kept_text
from callboard.vocabulary import MODEL as VOCABULARY
from callboard.vocabulary import Vocabulary
from callboard.vocabulary import resolve as in_words_of

_VERSION = "1.0.0"
"""Of the form in which a person's results are kept."""


def worded(done: JobDone, manifest: Manifest | None, words: Vocabulary | None) -> tuple[list[Result], Provenance]:
    """Give what becomes proposals; tags of a plugin that knows no vocabulary are said in its words here."""
    results = [result for result in done.results if not isinstance(result, Prints)]
    if manifest is None or manifest.vocabulary or words is None:
        return results, done.provenance
    if not any(isinstance(result, Tags) for result in results):
        return results, done.provenance
    said: list[Result] = [_in_words(one, words) if isinstance(one, Tags) else one for one in results]
    return said, replace(done.provenance, models={**done.provenance.models, VOCABULARY: words.digest})


def _in_words(tags: Tags, words: Vocabulary) -> Tags:
    """Say tags in a vocabulary's words; a description does not name what no tag may."""
    about = kept_text(tags.description, words.never)
    return replace(tags, items=in_words_of(tags.items, words), description=about)


def store(conn: sqlite3.Connection, row: Row, made_by: Provenance, results: Sequence[Result]) -> list[str]:
    """Store the proposals of a finished job and tell of them. Returns their ids in order."""
    cause = journal.envelope(conn, row.event)
    ids = []
    models = msgspec.json.decode(row.models, type=dict[str, str])
    provenance = replace(made_by, models={**models, **made_by.models})
    for index, result in enumerate(results):
        ident = f"{row.key[:12]}-{index}"
        proposals.add(conn, ident, row.key, row.run, row.digest, result, provenance)
        made = proposals.get(conn, ident)
        if made is not None:
            announce.proposal(conn, made, cause)
        ids.append(ident)
    return ids


def by_person(
    conn: sqlite3.Connection, asset: Asset, result: Result, run: str, parameters: Parameters | None = None
) -> str:
    """Store what a person wrote as a proposal, journalled like any result; it is not accepted yet.

    Args:
        conn: The transaction.
        asset: What it is about.
        result: What they wrote.
        run: What it belongs to.
        parameters: Where it came from, such as the file; kept in its provenance.

    Returns:
        The proposal's id.
    """
    name = proposals.result_name(result)
    envelope = codec.make(f"result.{name}", result, source="callboard:person", subject=asset.place.path[:4096])
    envelope = replace(envelope, correlationid=run)
    seq = journal.append(conn, envelope, codec.encode(envelope), run)
    assert seq is not None, "its id was made just now"
    key = job_key(PERSON, _VERSION, parameters or {}, {}, f"{asset.digest} {envelope.id}")
    job = Planned(
        key=key, plugin=PERSON, version=_VERSION, parameters=parameters or {}, models={}, deadline=1.0, asset=asset
    )
    jobs.want(conn, job, seq, run)
    jobs.done(conn, key, 0.0)
    row = jobs.get(conn, key)
    assert row is not None
    made_by = Provenance(plugin=PERSON, version=_VERSION, kind="transform", parameters=parameters or {})
    return store(conn, row, made_by, [result])[0]


__all__ = ["by_person", "store", "worded"]
