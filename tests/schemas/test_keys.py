"""Ids that sort by time, and job keys."""

from __future__ import annotations

import time
import uuid

from callboard.keys import digest_of, job_key, new_id
from callboard_schemas import Parameters

PARAMETERS: Parameters = {"beam": 1, "vad": True}
Key = tuple[str, str, Parameters, dict[str, str], str]
BASE: Key = ("caption", "1.0.0", PARAMETERS, {"whisper": "sha256:1", "vad": "sha256:2"}, "sha256:3")


def test_ids_are_uuids_that_sort_by_time() -> None:
    """Ids are version 7 UUIDs, all different, and later ones sort after earlier ones."""
    ids = []
    for _ in range(50):
        ids.append(new_id())
        started = time.time_ns()
        while time.time_ns() - started < 1_000:  # ids of the same microsecond may sort either way
            pass
    assert sorted(ids) == ids
    assert {uuid.UUID(text).version for text in ids} == {7}
    assert {uuid.UUID(text).variant for text in ids} == {uuid.RFC_4122}
    assert len({new_id() for _ in range(20_000)}) == 20_000


def test_an_id_says_when_it_was_made() -> None:
    """The first 48 bits are milliseconds since 1970."""
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id()).int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_the_key_is_the_same_for_the_same_job() -> None:
    """The order of parameters and models does not matter, and the key of this release never changes."""
    again = job_key(
        "caption", "1.0.0", {"vad": True, "beam": 1}, {"vad": "sha256:2", "whisper": "sha256:1"}, "sha256:3"
    )
    assert job_key(*BASE) == again == "fe16909a819fa401748709e70320c487e4a76db29e3a3f6027e8e7a4cec585c4"


def test_the_key_differs_with_each_part() -> None:
    """Whatever decides the result is in the key."""
    plugin, version, parameters, models, subject = BASE
    others: list[Key] = [
        ("autotag", version, parameters, models, subject),
        (plugin, "1.0.1", parameters, models, subject),
        (plugin, version, {"beam": 2, "vad": True}, models, subject),
        (plugin, version, {"beam": 1}, models, subject),
        (plugin, version, parameters, {"whisper": "sha256:1", "vad": "sha256:9"}, subject),
        (plugin, version, parameters, {}, subject),
        (plugin, version, parameters, models, "sha256:4"),
    ]
    assert len({job_key(*BASE), *(job_key(*other) for other in others)}) == len(others) + 1


def test_digest_of_nested_values_ignores_order() -> None:
    """Keys are sorted at every depth, lists are not."""
    assert digest_of({"a": {"x": 1, "y": 2}}) == digest_of({"a": {"y": 2, "x": 1}})
    assert digest_of([1, 2]) != digest_of([2, 1])
