"""Who is there: sessions by hello and presence, and their end by silence."""

from __future__ import annotations

import pytest
from callboard.errors import UsageError
from callboard.hosting.sessions import GREETING, MOST, SILENCE, Sessions
from callboard_schemas import Presence
from msgspec.structs import replace

BLENDER = Presence(host="blender-1", application="blender", version="4.5", state="online", project="/p/film.blend")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_silence_ends_a_session_and_a_word_keeps_it() -> None:
    """After 15 s without presence an application is gone, given once; each word begins the time anew."""
    clock = Clock()
    sessions = Sessions(clock)
    sessions.hear(BLENDER, hello=True)
    clock.now += SILENCE - 1
    assert sessions.hear(BLENDER) is None
    clock.now += SILENCE - 1
    assert sessions.silent() == []
    clock.now += 2
    assert [one.presence for one in sessions.silent()] == [BLENDER]
    assert sessions.silent() == []
    assert sessions.all() == []
    assert sessions.next_silence() is None


def test_a_hello_or_another_project_is_a_new_turn() -> None:
    """What was posted is posted again after a hello, and in another project; not for a saved revision."""
    sessions = Sessions(Clock())
    first = sessions.hear(BLENDER, hello=True)
    assert first is not None
    assert sessions.hear(replace(BLENDER, revision="2")) is None
    again = sessions.hear(BLENDER, hello=True)
    assert again is not None
    other = sessions.hear(replace(BLENDER, project="/p/other.blend"))
    assert other is not None
    assert first.turn < again.turn < other.turn
    able = sessions.hear(replace(BLENDER, project="/p/other.blend", capabilities=("clear",)))
    assert able is not None
    assert able.turn == other.turn


def test_an_application_known_by_its_presence_alone_has_time_for_its_hello() -> None:
    """Commands wait a moment for the hello of an application that is there, and no longer."""
    clock = Clock()
    sessions = Sessions(clock)
    there = sessions.hear(BLENDER)
    assert there is not None
    assert sessions.to_wait(there) == pytest.approx(GREETING)
    clock.now += GREETING
    assert sessions.to_wait(there) == 0
    greeted = sessions.hear(replace(BLENDER, host="blender-2"), hello=True)
    assert greeted is not None
    assert sessions.to_wait(greeted) == 0


def test_the_newest_hello_with_a_project_is_asked() -> None:
    """Of two starts of one application with one project the one that said hello last is asked, while it is there."""
    sessions = Sessions(Clock())
    sessions.hear(BLENDER, hello=True)
    sessions.hear(replace(BLENDER, host="blender-2"), hello=True)
    sessions.hear(replace(BLENDER, host="resolve-1", application="resolve"), hello=True)
    newest = sessions.serving("blender", "/p/film.blend")
    assert newest is not None
    assert newest.presence.host == "blender-2"
    assert sessions.leave("blender-2")
    assert not sessions.leave("blender-2")
    left = sessions.serving("blender", "/p/film.blend")
    assert left is not None
    assert left.presence.host == "blender-1"


@pytest.mark.parametrize("host", ["a.b", "a b", "*", ">", "x" * 65, "ä"])
def test_an_id_that_is_no_part_of_a_subject_is_refused(host: str) -> None:
    """A host's id goes into a subject, so it holds nothing that means something there."""
    with pytest.raises(UsageError, match="is no id of a host"):
        Sessions().hear(replace(BLENDER, host=host), hello=True)


def test_there_are_only_so_many() -> None:
    """One more application than the broker takes is refused; one that is there may go on."""
    sessions = Sessions(Clock())
    for number in range(MOST):
        sessions.hear(replace(BLENDER, host=f"blender-{number}"), hello=True)
    with pytest.raises(UsageError, match="applications are connected already"):
        sessions.hear(replace(BLENDER, host="one-more"), hello=True)
    assert sessions.hear(replace(BLENDER, host="blender-1"), hello=True) is not None


def test_a_lost_connection_begins_every_session_anew() -> None:
    """What was posted while the broker was away is posted again to everybody who is there."""
    sessions = Sessions(Clock())
    first = sessions.hear(BLENDER, hello=True)
    assert first is not None
    sessions.begin_anew()
    (again,) = sessions.all()
    assert again.turn > first.turn
    assert again.presence == BLENDER
    assert sessions.serving("blender", "/p/film.blend") == again
