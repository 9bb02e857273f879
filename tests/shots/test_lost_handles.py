"""Where a shot begins that comes for a clip whose media was gone."""

from __future__ import annotations

import pytest
from callboard.shots.facts import Facts
from callboard.shots.swaps import need_of
from callboard.shots.weighing import History, Weighed, weigh
from callboard.timedtext.rate import parse_rate
from callboard_schemas import Placeholder, PlaceholderRequested, Use

LOST = Use(ref="V1-x-1", path="/gone/SH010.mov", source_in=100 * 1001 / 30000, duration=1.6)
STOOD = Placeholder(
    shot="SH010", generator="slate", file="p.mov", digest=f"sha256:{'0' * 64}", confidence=1.0, rate="29.97", frames=48
)


def weighed(name: str, frames: int, *, handles: int = 8, use: Use | None = LOST) -> Weighed:
    """Weigh a film of so many frames for 48 frames of a clip that began with frame 100 of its film."""
    need = need_of(STOOD, PlaceholderRequested(shot="SH010", frames=48, counted="29.97", use=use))
    facts = Facts(name=name, frames=frames, rate=parse_rate("29.97"))
    return weigh(need, facts, None, History(), handles=handles)


@pytest.mark.parametrize(
    ("name", "frames", "handles"),
    [
        ("SH010.mov", 400, (100, 252)),
        ("sh010.MOV", 148, (100, 0)),
        ("SH010.mov", 64, (8, 8)),
        ("SH010_v002.mov", 64, (8, 8)),
        ("SH010.mov", 48, (0, 0)),
    ],
)
def test_the_very_file_begins_where_the_clip_was_cut_from_it(name: str, frames: int, handles: tuple[int, int]) -> None:
    """It is known by its name, and long enough; of any other the project's handles, or its length, say where."""
    assert weighed(name, frames) == Weighed((), handles)


def test_another_file_of_any_length_is_asked_about() -> None:
    """A newer version would begin as the lost one did, and that is a question; a gap knows of no such frame."""
    found = weighed("SH010_v002.mov", 400)
    assert found.handles == (100, 252)
    (question,) = found.questions
    assert question.endswith("nothing says where it begins: after 100 of them, as in SH010.mov, would be")
    assert weighed("SH010_v002.mov", 400, use=None).handles == (176, 176)
