"""When the machine belongs to the artist, and when it is given back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from callboard.config import RuntimeSettings
from callboard.governor import LONGEST, Governor


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self, at: str) -> None:
        self.now = datetime.fromisoformat(at).timestamp()

    def __call__(self) -> float:
        """Give seconds since 1970."""
        return self.now

    def to(self, at: str) -> None:
        """Go to a local time."""
        self.now = datetime.fromisoformat(at).timestamp()


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    """Have local time be a time zone without jumps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at noon."""
    return Clock("2026-03-02T12:00:00")


def test_a_render_keeps_the_machine_busy_until_it_ends(clock: Clock) -> None:
    """From a render's start to its end the models make way, and the reason names the application."""
    governor = Governor(RuntimeSettings(), clock)
    assert governor.state() == ("", "")
    assert governor.hear("host.render.started", "blender", clock())
    assert governor.state() == ("pause", "blender renders")
    governor.hear("host.render.ended", "blender", clock())
    assert governor.state() == ("", "")


def test_two_applications_are_both_waited_for(clock: Clock) -> None:
    """While one of two applications is still busy the models make way."""
    governor = Governor(RuntimeSettings(when_busy="cpu"), clock)
    governor.hear("host.playback.started", "resolve", clock())
    governor.hear("host.render.started", "blender", clock())
    governor.hear("host.playback.ended", "resolve", clock())
    assert governor.state() == ("cpu", "blender renders")
    governor.hear("host.render.ended", "blender", clock())
    assert governor.state() == ("", "")


def test_an_application_that_leaves_gives_the_machine_back(clock: Clock) -> None:
    """What an application began is over when it is gone."""
    governor = Governor(RuntimeSettings(), clock)
    governor.hear("host.render.started", "blender", clock())
    governor.hear("host.playback.started", "kdenlive", clock())
    governor.left("blender")
    assert governor.state() == ("pause", "kdenlive plays")
    governor.left("kdenlive")
    assert governor.state() == ("", "")


def test_a_render_that_never_ends_is_over_after_a_day(clock: Clock) -> None:
    """An end that is never told does not hold the work for ever, and the governor knows when to look again."""
    governor = Governor(RuntimeSettings(), clock)
    governor.hear("host.render.started", "blender", clock())
    wait = governor.wait()
    assert wait is not None
    assert wait == pytest.approx(LONGEST, abs=1.0)
    clock.now += wait
    assert governor.state() == ("", "")
    governor.hear("host.render.started", "late", clock() - LONGEST - 1)
    assert governor.state() == ("", "")


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ("09:00-18:30", "2026-03-02T08:59:59", False),
        ("09:00-18:30", "2026-03-02T09:00:00", True),
        ("09:00-18:30", "2026-03-02T18:29:59", True),
        ("09:00-18:30", "2026-03-02T18:30:00", False),
        ("22:00-06:00", "2026-03-02T23:00:00", True),
        ("22:00-06:00", "2026-03-03T05:59:59", True),
        ("22:00-06:00", "2026-03-03T06:00:00", False),
        ("22:00-06:00", "2026-03-03T12:00:00", False),
    ],
)
def test_quiet_hours_are_local_times_of_day(hours: str, at: str, quiet: bool, clock: Clock) -> None:
    """Quiet hours begin and end to the minute, also over midnight."""
    clock.to(at)
    state = Governor(RuntimeSettings(quiet_hours=(hours,)), clock).state()
    assert state == (("pause", "quiet hours") if quiet else ("", ""))


def test_the_governor_wakes_at_each_end_of_quiet_hours(clock: Clock) -> None:
    """Waiting as long as it says leads to the next change, not past it."""
    governor = Governor(RuntimeSettings(quiet_hours=("13:00-14:00",)), clock)
    seen = [governor.state()[0]]
    for _ in range(4):
        wait = governor.wait()
        assert wait is not None
        clock.now += wait
        seen.append(governor.state()[0])
    assert seen == ["", "pause", "", "pause", ""]


def test_ignore_takes_no_notice(clock: Clock) -> None:
    """With ``ignore`` nothing makes way, but a pause by hand still holds."""
    governor = Governor(RuntimeSettings(when_busy="ignore"), clock)
    governor.hear("host.render.started", "blender", clock())
    assert governor.state() == ("", "")
    governor.pause(60)
    assert governor.state() == ("pause", "paused by hand")


def test_a_pause_by_hand_ends_by_itself_or_by_hand(clock: Clock) -> None:
    """A pause lasts as long as was said; without a length, until somebody resumes."""
    governor = Governor(RuntimeSettings(), clock)
    governor.pause(60)
    clock.now += 59
    assert governor.state() == ("pause", "paused by hand")
    clock.now += 2
    assert governor.state() == ("", "")
    governor.pause(0)
    clock.now += 10 * LONGEST
    assert governor.state() == ("pause", "paused by hand")
    governor.resume()
    assert governor.state() == ("", "")


def test_resume_overrides_what_is_known_now_and_nothing_later(clock: Clock) -> None:
    """Resuming ends a render's hold and these quiet hours, and the next ones count again."""
    governor = Governor(RuntimeSettings(quiet_hours=("11:00-13:00", "20:00-21:00")), clock)
    governor.hear("host.render.started", "blender", clock())
    governor.resume()
    assert governor.state() == ("", "")
    clock.to("2026-03-02T20:30:00")
    assert governor.state() == ("pause", "quiet hours")


def test_other_events_do_not_matter(clock: Clock) -> None:
    """Saving a scene keeps nobody from anything."""
    governor = Governor(RuntimeSettings(), clock)
    assert not governor.hear("host.scene.saved", "blender", clock())
    assert governor.state() == ("", "")
    assert governor.wait() is None
