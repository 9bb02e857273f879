"""Routes: the best that an application's capabilities allow, and which uses they are for."""

from __future__ import annotations

import itertools

import pytest
from callboard.hosting.planner import plan, targets
from callboard_schemas import VERBS, Captions, Cue, Placeholder, Result, Tag, Tags, Translation, Use, Verb

CUE = Cue(id=1, start=0, end=1, lines=("x",), confidence=1)
CAPTIONS = Captions(language="en", cues=(CUE,), confidence=1)
TRANSLATION = Translation(source_language="en", language="es", cues=(CUE,), confidence=1)
TAGS = Tags(items=(Tag(label="x", score=1, method="m"),), confidence=1, description="It is x.")
PLACEHOLDER = Placeholder(shot="s", generator="g", file="f", digest="sha256:" + "0" * 64, confidence=1)
ALL: tuple[Result, ...] = (CAPTIONS, TRANSLATION, TAGS, PLACEHOLDER)


@pytest.mark.parametrize(
    ("result", "able", "sidecars", "route", "verbs", "why"),
    [
        (CAPTIONS, VERBS, ("xmp", "srt"), "subtitles", ("subtitles.write",), "blender takes subtitles"),
        (TRANSLATION, VERBS, ("xmp", "srt"), "subtitles", ("subtitles.write",), "blender takes subtitles"),
        (CAPTIONS, ("markers.write",), ("xmp", "srt"), "markers", ("markers.write",), "no subtitles here, but markers"),
        (CAPTIONS, ("tags.write",), ("xmp", "srt"), "sidecar", (), "neither subtitles nor markers here: they are in"),
        (CAPTIONS, (), ("xmp",), "timeline", (), "no sidecar is written: 'callboard timeline'"),
        (Captions(language="en", cues=(), confidence=1), VERBS, ("srt",), "nowhere", (), "there are no cues"),
        (TAGS, VERBS, ("xmp",), "tags", ("tags.write", "description.write"), "blender takes tags"),
        (TAGS, ("tags.write",), ("xmp",), "tags", ("tags.write",), "blender takes tags"),
        (TAGS, ("description.write",), ("xmp",), "description", ("description.write",), "but descriptions"),
        (TAGS, ("subtitles.write",), ("xmp",), "sidecar", (), "blender takes no tags here"),
        (TAGS, (), (), "timeline", (), "no sidecar is written"),
        (Tags(items=(), confidence=1), VERBS, ("xmp",), "nowhere", (), "there are no tags"),
        (PLACEHOLDER, VERBS, (), "placeholder", ("placeholder.insert",), "blender takes placeholders"),
        (PLACEHOLDER, ("relink",), (), "timeline", (), "'callboard timeline fill'"),
    ],
)
def test_the_best_route_is_taken(
    result: Result, able: tuple[str, ...], sidecars: tuple[str, ...], route: str, verbs: tuple[str, ...], why: str
) -> None:
    """Subtitles, else markers, else the sidecar, else a timeline; and the reason names what decided."""
    found = plan("blender", result, able, sidecars)
    assert (found.route, found.verbs) == (route, verbs)
    assert why in found.why


def test_no_route_asks_for_what_the_application_does_not_take() -> None:
    """Whatever an application can do, it is asked for nothing else, and there is always a reason."""
    for count in range(len(VERBS) + 1):
        for able in itertools.combinations(VERBS, count):
            for result in ALL:
                found = plan("x", result, able, ("xmp", "srt"))
                assert set(found.verbs) <= set(able)
                assert found.why


def _use(ref: str, **more: float) -> Use:
    return Use(ref=ref, path="/x", **more)  # type: ignore[arg-type]  # numbers by name


@pytest.mark.parametrize(
    ("verb", "uses", "refs"),
    [
        ("tags.write", [_use("strip", duration=4.0), _use("asset")], ["asset"]),
        ("tags.write", [_use("one", duration=4.0), _use("two", duration=4.0, start=4.0)], ["one"]),
        ("subtitles.write", [_use("bin"), _use("strip", duration=4.0)], ["strip"]),
        ("subtitles.write", [_use("bin")], ["bin"]),
        ("subtitles.write", [_use("picture", duration=4.0), _use("sound", duration=4.0)], ["picture"]),
        (
            "subtitles.write",
            [_use("head", duration=4.0), _use("tail", duration=4.0, start=9.0, source_in=4.0)],
            ["head", "tail"],
        ),
        ("markers.write", [_use("one", duration=4.0), _use("faster", duration=4.0, speed=2.0)], ["one", "faster"]),
    ],
)
def test_a_verb_goes_to_the_uses_it_is_for(verb: Verb, uses: list[Use], refs: list[str]) -> None:
    """Tags go to the asset, cues to each strip, once where picture and sound of one clip lie together."""
    assert [use.ref for use in targets(verb, uses)] == refs
