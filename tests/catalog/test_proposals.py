"""Proposals, decisions, jobs and the outbox in the catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from callboard.catalog import dead, decisions, jobs, outbox, proposals
from callboard.catalog.jobs import Planned
from callboard.catalog.migrations import migrate
from callboard.config import Policy
from callboard.errors import CatalogError
from callboard.policy import accepts
from callboard_schemas import Captions, Cue, Decision, Failure, Provenance, Receipt, Tag, Tags

DIGEST = "sha256:" + "0" * 64
PROVENANCE = Provenance(plugin="p", version="1.0.0", kind="analyse")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def _tags(*labels: str) -> Tags:
    return Tags(items=tuple(Tag(label=label, score=0.9, method="test") for label in labels), confidence=0.9)


def _add(conn: sqlite3.Connection, ident: str, job: str = "j", result: Tags | Captions | None = None) -> None:
    proposals.add(conn, ident, job, "run", DIGEST, result or _tags("a"), PROVENANCE)


def _decide(conn: sqlite3.Connection, ident: str, verb: str, run: str = "r") -> bool:
    decision = Decision(proposal=ident, decision=verb, by="zoe")  # type: ignore[arg-type]  # a literal in each test
    return proposals.decide(conn, decision, run) is not None


def _planned(key: str = "k", plugin: str = "p") -> Planned:
    return Planned(key=key, plugin=plugin, version="1.0.0", parameters={}, models={}, deadline=10.0)


def test_the_first_result_of_a_job_stays(conn: sqlite3.Connection) -> None:
    """A job that is committed twice keeps what it proposed first."""
    _add(conn, "a", result=_tags("first"))
    _add(conn, "a", result=_tags("second"))
    (kept,) = proposals.of_job(conn, "j")
    assert kept.body == _tags("first")


def test_a_decision_changes_the_state_once(conn: sqlite3.Connection) -> None:
    """Deciding the same again changes nothing and is not recorded."""
    _add(conn, "a")
    assert _decide(conn, "a", "accept")
    assert not _decide(conn, "a", "accept")
    assert conn.execute("SELECT count(*) FROM decisions").fetchone()[0] == 1
    assert proposals.accepted_in(conn, "r") == ["a"]


def test_accepting_supersedes_what_the_same_plugin_had_accepted(conn: sqlite3.Connection) -> None:
    """Only one answer of a plugin stands, and undoing it can find the one before."""
    _add(conn, "old", job="j1")
    _add(conn, "new", job="j2")
    _decide(conn, "old", "accept")
    _decide(conn, "new", "accept")
    assert {one.id: one.state for one in proposals.of_digest(conn, DIGEST)} == {"old": "superseded", "new": "accepted"}
    assert proposals.superseded_by(conn, "new") == ["old"]


def test_captions_in_two_languages_stand_side_by_side(conn: sqlite3.Connection) -> None:
    """Captions supersede only captions in their own language."""
    cue = Cue(id=1, start=0, end=1, lines=("x",), confidence=1.0)
    for ident, language in (("en", "en"), ("cy", "cy")):
        _add(conn, ident, job=ident, result=Captions(language=language, cues=(cue,), confidence=1.0))
        _decide(conn, ident, "accept")
    assert {one.state for one in proposals.of_digest(conn, DIGEST)} == {"accepted"}


def test_an_edited_decision_breaks_the_chain(conn: sqlite3.Connection) -> None:
    """A silent edit of a recorded decision is found at its row."""
    for ident in ("a", "b", "c"):
        _add(conn, ident, job=ident)
        _decide(conn, ident, "reject")
    assert decisions.broken_link(conn) is None
    conn.execute("UPDATE decisions SET by = 'mallory' WHERE seq = 2")
    assert decisions.broken_link(conn) == 2


def test_a_flipped_bit_in_a_proposal_is_not_shown(conn: sqlite3.Connection) -> None:
    """A body that is not what was stored is an error, never a wrong tag."""
    _add(conn, "a")
    conn.execute("UPDATE proposals SET body = CAST(replace(CAST(body AS TEXT), '\"a\"', '\"b\"') AS BLOB)")
    with pytest.raises(CatalogError, match="proposal a is not what was stored"):
        proposals.get(conn, "a")


def test_a_job_is_wanted_once(conn: sqlite3.Connection) -> None:
    """Asking again for a job that is done attaches it to the new run as cached."""
    assert jobs.want(conn, _planned(), 1, "r1")
    jobs.done(conn, "k", 1.5)
    assert not jobs.want(conn, _planned(), 2, "r2")
    ((row, cached),) = jobs.of_run(conn, "r2")
    assert (row.state, row.seconds, cached) == ("done", 1.5, True)


def test_further_jobs_of_a_run_are_those_that_are_not_known(conn: sqlite3.Connection) -> None:
    """Of a run's jobs those are given that are new to who asks, oldest first; other runs' are none of them."""
    for key, run in (("k2", "r"), ("k1", "r"), ("k3", "other"), ("k0", "r")):
        jobs.want(conn, _planned(key), 1, run)
    for created, key in enumerate(("k2", "k1", "k3", "k0")):
        conn.execute("UPDATE jobs SET created = ? WHERE key = ?", (created, key))  # the clock may be set back meanwhile
    assert [row.key for row in jobs.others_of_run(conn, "r", {"k1"})] == ["k2", "k0"]
    assert jobs.others_of_run(conn, "r", {"k0", "k1", "k2"}) == []


def test_an_interrupted_run_waits_until_it_is_asked_for_again(conn: sqlite3.Connection) -> None:
    """Jobs of an interrupted run are not picked up by themselves; the same work asked for again is."""
    jobs.start_run(conn, "r1", "run")
    jobs.want(conn, _planned(), 1, "r1")
    jobs.end_run(conn, "r1", "interrupted")
    assert jobs.ready(conn, 10) == []
    jobs.start_run(conn, "r2", "run")
    jobs.want(conn, _planned(), 2, "r2")
    assert [row.key for row in jobs.ready(conn, 10)] == ["k"]


def test_blocked_jobs_wake_when_their_condition_clears(conn: sqlite3.Connection) -> None:
    """Only jobs blocked with the code that cleared are queued again."""
    for key, code in (("k1", "model-missing"), ("k2", "media-away")):
        jobs.want(conn, _planned(key), 1, "r")
        jobs.failed(conn, key, Failure(code=code, message="m", cause="environment"), "blocked")
    assert jobs.wake(conn, ("model-missing",)) == 1
    assert [row.key for row in jobs.ready(conn, 10)] == ["k1"]
    assert jobs.ready(conn, 10)[0].tries == 0


def test_the_outbox_sends_again_what_the_stream_lost(conn: sqlite3.Connection) -> None:
    """Reconciling with a stream that lost a message queues just that one."""
    for subject in ("cb.out.a", "cb.out.b"):
        outbox.post(conn, subject, b"{}")
    outbox.sent(conn, [letter.seq for letter in outbox.unsent(conn)])
    assert outbox.reconcile(conn, {"cb.out.a"}) == 1
    assert [letter.subject for letter in outbox.unsent(conn)] == ["cb.out.b"]


def test_a_sidecar_wanted_again_while_it_is_written_is_written_again(conn: sqlite3.Connection) -> None:
    """A wish that came while the sidecar was written is not dropped with it."""
    outbox.want_sync(conn, DIGEST, b"/m", "root", b"m", run="r")
    (wish,) = outbox.syncs(conn)
    outbox.want_sync(conn, DIGEST, b"/m", "root", b"m", run="r")
    receipt = Receipt(effect="e", proposals=("a",), target="m.xmp", state="written")
    outbox.synced(conn, wish, [receipt])
    (again,) = outbox.syncs(conn)
    outbox.synced(conn, again, [])
    assert outbox.syncs(conn) == []
    assert conn.execute("SELECT target, state FROM receipts").fetchall() == [(b"m.xmp", "written")]


def test_dead_letters_are_kept_after_a_replay(conn: sqlite3.Connection) -> None:
    """A replayed dead letter leaves the list but not the catalog."""
    dead.bury(conn, "j-1", "job", "k", Failure(code="media", message="m", cause="deterministic"), path=b"/x\xff")
    assert [one.path for one in dead.listed(conn)] == [b"/x\xff"]
    dead.replayed(conn, "j-1")
    assert dead.listed(conn) == []
    assert [one.state for one in dead.listed(conn, everything=True)] == ["replayed"]


@pytest.mark.parametrize(
    ("kind", "confidence", "acceptance", "fallback", "by"),
    [
        ("analyse", 0.5, "policy", "", "policy"),
        ("analyse", 0.4, "policy", "", ""),
        ("analyse", 0.9, "none", "", ""),
        ("analyse", 0.9, "policy", "slate instead of previs", ""),
        ("transform", 1.0, "policy", "", ""),
        ("generate", 1.0, "policy", "", ""),
        ("generate", 0.1, "all", "", "command line"),
    ],
)
def test_trust_follows_the_kind(kind: str, confidence: float, acceptance: str, fallback: str, by: str) -> None:
    """Only analysis above its threshold is accepted without a person; generated work never is."""
    provenance = Provenance(plugin="p", version="1.0.0", kind=kind, fallback=fallback)  # type: ignore[arg-type]  # parametrised literals
    result = Tags(items=(), confidence=confidence)
    policy = Policy(thresholds={"p": 0.5})
    assert accepts(policy, None, provenance, result, acceptance) == by  # type: ignore[arg-type]  # as above


def _job(conn: sqlite3.Connection, key: str, created: float) -> None:
    jobs.want(conn, _planned(key), 1, "r")
    conn.execute("UPDATE jobs SET created = ? WHERE key = ?", (created, key))


def _states(conn: sqlite3.Connection) -> dict[str, str]:
    return {one.id: one.state for one in proposals.of_digest(conn, DIGEST)}


def test_a_newer_job_takes_the_place_of_what_nobody_looked_at(conn: sqlite3.Connection) -> None:
    """An open proposal gives way to a newer job's; one that a person decided on, of a later job or another does not."""
    for number, key in enumerate(("first", "second", "third"), 1):
        _job(conn, key, float(number))
    cue = Cue(id=1, start=0, end=1, lines=("x",), confidence=1.0)
    captions = {tongue: Captions(language=tongue, cues=(cue,), confidence=1.0) for tongue in ("en", "cy")}
    _add(conn, "old", job="first")
    _add(conn, "rejected", job="first")
    _add(conn, "undone", job="first")
    _add(conn, "old-en", job="first", result=captions["en"])
    _add(conn, "old-cy", job="first", result=captions["cy"])
    _add(conn, "later", job="third")
    _decide(conn, "rejected", "reject")
    _decide(conn, "undone", "accept")
    _decide(conn, "undone", "reopen")
    _add(conn, "new", job="second")
    _add(conn, "new-en", job="second", result=captions["en"])
    assert proposals.replace(conn, "new") == ["old"]
    assert proposals.replace(conn, "new-en") == ["old-en"]
    assert _states(conn) == {
        **dict.fromkeys(("old", "old-en"), "superseded"),
        **dict.fromkeys(("undone", "old-cy", "later", "new", "new-en"), "proposed"),
        "rejected": "rejected",
    }
    assert [one.id for one, _ in proposals.waiting(conn)].count("old") == 0
    assert proposals.superseded_by(conn, "new") == []  # it never was accepted, so no undo may accept it


def test_the_newest_answer_may_be_an_older_one_asked_for_again(conn: sqlite3.Connection) -> None:
    """What gave way waits again when its own job is asked for again, and takes the place of the other."""
    _job(conn, "first", 1.0)
    _job(conn, "second", 2.0)
    _add(conn, "a", job="first")
    _add(conn, "b", job="second")
    proposals.replace(conn, "b")
    assert proposals.revive(conn, "a") == ["b"]
    assert _states(conn) == {"a": "proposed", "b": "superseded"}
    assert proposals.revive(conn, "a") == []
