"""Whole jobs: what the plugin makes is marked, audited, and made again from its sidecar alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import c2pa
import pytest
from callboard import audit, marks
from callboard.testing import PluginHarness, make_event
from callboard.testing.certificates import Authority, write_key
from callboard_schemas import Brief, Line, Parameters, Placeholder, PlaceholderRequested
from cryptography.hazmat.primitives.asymmetric import ec

BRIEF = Brief(
    purpose="Anna sees the ferry leave",
    slug="EXT. HARBOUR - NIGHT",
    time_of_day="night",
    dialogue=(Line(text="Too late.", speaker="ANNA"),),
    guesses={"time_of_day": "from the slug line"},
)
ASKED = PlaceholderRequested(
    shot="SH010",
    width=320,
    height=180,
    counted="29.97df",
    rate=30000 / 1001,
    frames=8,
    start="01:00:00;00",
    brief=BRIEF,
    by="zoe",
)


def make(harness: PluginHarness, asked: PlaceholderRequested, parameters: Parameters) -> Placeholder:
    """Let the plugin answer a request."""
    event = make_event(kind="placeholder.requested", data=asked)
    (made,) = harness.run("callboard_placeholder", event=event, parameters=parameters)
    assert isinstance(made, Placeholder)
    return made


def harness(folder: Path) -> PluginHarness:
    """Give a machine of its own."""
    (folder / "shm").mkdir(parents=True)
    return PluginHarness(folder / "shm")


@pytest.mark.parametrize(("engine", "codec"), [("black", "prores"), ("slate", "png")])
def test_a_sidecar_alone_makes_the_same_bytes(tmp_path: Path, engine: str, codec: str) -> None:
    """On another machine, from what the sidecar says: the same media, and the same sidecar."""
    settings: Parameters = {"engines": [engine], "codec": codec}
    first = make(harness(tmp_path / "one"), ASKED, settings)
    mark = marks.read(tmp_path / "one" / first.file)
    assert mark is not None
    assert mark.made is not None
    assert mark.digest == first.digest
    again = marks.again(mark.made)
    second = make(harness(tmp_path / "two"), again, {**settings, "engines": list(again.engines)})
    assert second.digest == first.digest
    one, two = tmp_path / "one" / first.file, tmp_path / "two" / second.file
    assert one.read_bytes() == two.read_bytes()
    assert marks.sidecars(one)[0].read_bytes() == marks.sidecars(two)[0].read_bytes()


def test_a_studio_that_signs_gets_signed_files_and_a_line_for_each(tmp_path: Path) -> None:
    """What lies there is valid, says that it is a placeholder, has the digest that is told, and stands in the audit."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "chain.pem").write_bytes(Authority().certify(key))
    private = write_key(tmp_path / "key.pem", key)
    settings: Parameters = {
        "engines": ["slate"],
        "codec": "h264",
        "certificate": str(tmp_path / "chain.pem"),
        "private_key": str(private),
    }
    machine = harness(tmp_path)
    made = [make(machine, ASKED, settings) for _ in range(2)]
    assert [Path(one.file).name[:20] for one in made] == ["SH010_PLACEHOLDER_v0"] * 2
    assert made[0].file != made[1].file  # two signatures differ
    for one in made:
        path = tmp_path / one.file
        assert one.credentials == "Studio Seven / Zoe"
        assert one.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        with c2pa.Reader(path) as reader:
            assert reader.get_validation_state() in ("Valid", "Trusted")
        mark = marks.read(path)
        assert mark is not None
        assert mark.digest == one.digest
        marks.sidecars(path)[0].unlink()
        known = marks.read(path)
        assert known is not None
        assert (known.shot, known.by) == ("SH010", "credentials")
    folder = tmp_path / "plugins" / "placeholder"
    assert audit.verify(folder).problems == ()
    entries = [line.entry for line in audit.read(folder)]
    assert [(entry.digest, entry.file, entry.by) for entry in entries] == [
        (one.digest, one.file, "zoe") for one in made
    ]
    assert {entry.credentials for entry in entries} == {"Studio Seven / Zoe"}
