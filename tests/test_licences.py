"""What Callboard stands on may be given away with it under Apache-2.0."""

from __future__ import annotations

import importlib.metadata

import pytest
from callboard import licences

WEAK_CORE = {"pathspec"}
"""Core dependencies under a licence that binds changes to their own files (MPL-2.0), used unchanged."""

STRONG_EXTRAS = {"av": "libx264 and libx265 in its wheels", "pyexiv2": "exiv2, in the tests only"}
"""Dependencies of extras that are under the GPL, or carry a library that is."""


def test_the_core_is_free_of_the_gpl() -> None:
    """No dependency of the core is under the GPL or AGPL; milder copyleft is listed by name."""
    core = [row for row in licences.dependencies() if licences.CORE in row.needed_by]
    assert {"msgspec", "pluggy", "watchdog", "nats-py", "pynacl"} <= {row.name for row in core}
    assert [row.name for row in core if row.copyleft in ("strong", "unknown") or row.carries] == []
    assert {row.name for row in core if row.copyleft == "weak"} <= WEAK_CORE


def test_every_installed_dependency_has_a_known_licence() -> None:
    """A licence that nobody has looked at is found here, not by a user's lawyer."""
    rows = [row for row in licences.dependencies() if row.version]
    assert len(rows) > 40
    assert [(row.name, row.licence) for row in rows if row.copyleft == "unknown"] == []


def test_strong_copyleft_is_named() -> None:
    """Each GPL part of an extra is in the list above, and none of them is in the core."""
    strong = [row for row in licences.dependencies() if row.copyleft == "strong"]
    assert {row.name for row in strong} <= STRONG_EXTRAS.keys()
    assert all(licences.CORE not in row.needed_by for row in strong)


def test_libraries_inside_a_wheel_are_seen() -> None:
    """The GPL codecs inside PyAV's Linux wheel are told of, though its own licence is BSD."""
    rows = {row.name: row for row in licences.dependencies()}
    inside = any("libx264" in str(file) for file in importlib.metadata.files("av") or ())
    assert rows["av"].licence == "BSD-3-Clause"
    assert ("libx264" in rows["av"].carries) == inside


def test_every_model_pack_has_a_permissive_licence() -> None:
    """Each model pack that a built-in plugin describes may be used and passed on."""
    packs = licences.models()
    assert {"silero-vad", "whisper-tiny-en", "pp-ocr-det"} <= {pack.name for pack in packs}
    assert [(pack.name, pack.licence) for pack in packs if pack.copyleft != "none"] == []


@pytest.mark.parametrize(
    ("expression", "reach"),
    [
        ("MIT", "none"),
        ("BSD-3-Clause AND MIT AND CC0-1.0", "none"),
        ("MPL-2.0 AND MIT", "weak"),
        ("LGPL-2.1-or-later", "weak"),
        ("GPL-3.0-only", "strong"),
        ("AGPL-3.0-or-later AND MIT", "strong"),
        ("GPL-2.0-only OR MIT", "none"),
        ("GPL-3.0-only WITH GCC-exception-3.1", "weak"),
        ("Proprietary", "unknown"),
        ("", "unknown"),
    ],
)
def test_reach_of_a_licence(expression: str, reach: str) -> None:
    """Of alternatives the mildest counts, of what holds together the strictest."""
    assert licences.copyleft(expression) == reach
