"""Bundles of packs: carried whole, checked byte by byte, and able to touch nothing but the store."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from callboard.errors import BundleRefused, CallboardError, DigestDiffers, ModelMissing
from callboard.packs import Pack, find_packs, read_pack, status
from callboard.packs.bundle import Carried, read_bundle, take_bundle, write_bundle
from callboard.packs.removal import remove

WEIGHTS = bytes(range(256)) * 1024
VOCABULARY = b"alpha\nbeta\n"


def describe(name: str = "tiny", licence: str = "MIT") -> str:
    """Write the TOML of a pack of two files."""
    listed = "".join(
        f'[[files]]\npath = "{path}"\nsize = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        for path, content in (("onnx/model.onnx", WEIGHTS), ("vocab.txt", VOCABULARY))
    )
    return (
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "{licence}"\n'
        'summary = "made by a test"\npreprocess = {size = 224, mean = [0.5, 0.25]}\n'
        '[source]\nkind = "file"\nfolder = "weights"\n' + listed
    )


@pytest.fixture
def packs(tmp_path: Path) -> dict[str, Pack]:
    """Give two packs that share a folder of weights."""
    folder = tmp_path / "here"
    (folder / "weights" / "onnx").mkdir(parents=True)
    (folder / "weights" / "onnx" / "model.onnx").write_bytes(WEIGHTS)
    (folder / "weights" / "vocab.txt").write_bytes(VOCABULARY)
    for name in ("tiny", "other"):
        (folder / f"{name}.toml").write_text(describe(name))
    return find_packs(folder, tmp_path / "no-store")


def quiet(_done: int, _size: int) -> None:
    """Hear nothing."""


@pytest.fixture
def bundle(tmp_path: Path, packs: dict[str, Pack]) -> Path:
    """Give a bundle of both packs."""
    path = tmp_path / "two.tar"
    write_bundle([packs["tiny"], packs["other"]], path, quiet)
    return path


def taken(bundle: Path, store: Path, *names: str) -> list[Carried]:
    """Take packs out of a bundle."""
    inside = read_bundle(bundle)
    return take_bundle(bundle, [pack for pack in inside if not names or pack.name in names], store, {}, quiet)


def test_packs_are_carried_whole(tmp_path: Path, packs: dict[str, Pack], bundle: Path) -> None:
    """What one machine bundles another has, the same to the digest, with nothing but the file carried."""
    told: list[tuple[int, int]] = []
    size = write_bundle(list(packs.values())[-2:], bundle, lambda done, total: told.append((done, total)))
    assert size > 2 * len(WEIGHTS)
    assert told[-1] == (2 * (len(WEIGHTS) + len(VOCABULARY)),) * 2
    store = tmp_path / "there"
    assert {(one.name, one.already) for one in taken(bundle, store)} == {("tiny", False), ("other", False)}
    there = find_packs(store=store)
    for name in ("tiny", "other"):
        assert status(there[name]).state == "ready"
        assert there[name].digest == packs[name].digest
        assert there[name].preprocess == packs[name].preprocess
        assert status(there[name]).folder.startswith(str(store))
    assert [one.already for one in taken(bundle, store)] == [True, True]


def test_one_pack_of_a_bundle(tmp_path: Path, bundle: Path) -> None:
    """Only what was asked for is stored."""
    taken(bundle, tmp_path / "there", "other")
    assert sorted(path.name for path in (tmp_path / "there").glob("*.toml")) == ["other.toml"]


def test_a_bundle_is_always_the_same(tmp_path: Path, packs: dict[str, Pack], bundle: Path) -> None:
    """The same packs make the same bytes, so a bundle can be compared with another."""
    again = tmp_path / "again.tar"
    write_bundle([packs["tiny"], packs["other"]], again, quiet)
    assert again.read_bytes() == bundle.read_bytes()


def test_an_altered_pack_is_not_bundled(tmp_path: Path, packs: dict[str, Pack]) -> None:
    """A pack that is not whole is not carried on, and no bundle is left."""
    (tmp_path / "here" / "weights" / "vocab.txt").write_bytes(b"alpha\nBeta\n")
    with pytest.raises(ModelMissing):
        write_bundle([packs["tiny"]], tmp_path / "out.tar", quiet)
    assert not list(tmp_path.glob("*out.tar*"))


def test_a_flipped_byte(tmp_path: Path, bundle: Path) -> None:
    """One flipped byte in a file of a bundle keeps that pack out of the store, and every trace of it."""
    content = bytearray(bundle.read_bytes())
    content[content.index(WEIGHTS) + 1000] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(DigestDiffers, match="is not what the pack names"):
        taken(bundle, tmp_path / "there")
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == [".partial"]


def test_a_cut_off_bundle(tmp_path: Path, bundle: Path) -> None:
    """A bundle that lost its end is refused before anything is stored."""
    bundle.write_bytes(bundle.read_bytes()[: len(WEIGHTS) // 2])
    with pytest.raises(BundleRefused, match="damaged"):
        taken(bundle, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def entry(name: str, content: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    """Make a member of an archive."""
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for key, value in changes.items():
        setattr(made, key, value)
    return made, content


GOOD = [
    entry("tiny/pack.toml", describe().encode()),
    entry("tiny/files/onnx/model.onnx", WEIGHTS),
    entry("tiny/files/vocab.txt", VOCABULARY),
]
TOML = describe().encode()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([*GOOD, entry("../evil", b"x")], "leads out"),
        ([*GOOD, entry("/etc/evil", b"x")], "has no place|leads out"),
        ([*GOOD, entry("tiny/files/../../evil", b"x")], "not those that its pack.toml lists|leads out"),
        ([*GOOD, entry("tiny/files/link", type=tarfile.SYMTYPE, linkname="/etc/passwd")], "leads out"),
        ([*GOOD, entry("tiny/files/link", type=tarfile.SYMTYPE, linkname="vocab.txt")], "not a plain file"),
        ([*GOOD, entry("tiny/files/link", type=tarfile.LNKTYPE, linkname="tiny/files/vocab.txt")], "not a plain file"),
        ([*GOOD, entry("tiny/files/pipe", type=tarfile.FIFOTYPE)], "leads out|not a plain file"),
        ([*GOOD, entry("tiny/files/dir", type=tarfile.DIRTYPE)], "not a plain file"),
        ([*GOOD, entry("tiny/files/device", type=tarfile.CHRTYPE)], "leads out|not a plain file"),
        ([*GOOD, GOOD[2]], "comes twice"),
        ([*GOOD, entry("tiny/files/more.txt", b"x")], "not those that its pack.toml lists"),
        (GOOD[:2], "not those that its pack.toml lists"),
        ([GOOD[0], GOOD[1], entry("tiny/files/vocab.txt", b"alpha")], "not those that its pack.toml lists"),
        (GOOD[1:], "have no pack.toml"),
        ([*GOOD, entry("README.md", b"hello")], "has no place"),
        ([entry("Tiny/pack.toml", TOML)], "has no place"),
        ([entry("small/pack.toml", TOML), *GOOD[1:]], "it describes 'tiny'"),
        ([entry("tiny/pack.toml", b"name = "), *GOOD[1:]], "Invalid value"),
        ([entry("tiny/pack.toml", b"\xff"), *GOOD[1:]], "not text"),
        ([entry("tiny/pack.toml", TOML.replace(b'"vocab.txt"', b'"../vocab.txt"')), *GOOD[1:]], "leads out"),
        ([entry("tiny/pack.toml", TOML.replace(b"vocab.txt", b"vocab.pkl")), *GOOD[1:]], "is not a format"),
        ([entry("tiny/pack.toml", TOML + b"#" * (1 << 20)), *GOOD[1:]], "too large"),
        ([], "holds no pack"),
    ],
)
def test_hostile_bundles(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], says: str) -> None:
    """What has no place in a bundle refuses the whole of it; nothing is written, in the store or elsewhere."""
    path = tmp_path / "in" / "hostile.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for made, content in members:
            archive.addfile(made, io.BytesIO(content))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleRefused, match=says):
        taken(path, tmp_path / "there")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("make", [lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"x" * 5000)])
def test_what_is_no_archive(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """An empty file and any other are refused in one line."""
    make(tmp_path / "x.tar")
    with pytest.raises(BundleRefused):
        read_bundle(tmp_path / "x.tar")


def test_a_bomb_is_not_unpacked(tmp_path: Path, bundle: Path) -> None:
    """A compressed bundle, and one that claims more than any may hold, are refused without reading them."""
    squeezed = tmp_path / "squeezed.tar"
    with tarfile.open(squeezed, "w:gz") as archive:
        archive.addfile(*(GOOD[0][0], io.BytesIO(GOOD[0][1])))
    with pytest.raises(BundleRefused):
        read_bundle(squeezed)
    huge = tarfile.TarInfo("tiny/files/onnx/model.onnx")
    huge.size = 30 * 10**9
    with (tmp_path / "huge.tar").open("wb") as file:
        file.write(huge.tobuf(tarfile.PAX_FORMAT))
        file.truncate(31 * 10**9)  # sparse: it takes no room
    with pytest.raises(BundleRefused, match="past"):
        read_bundle(tmp_path / "huge.tar")


def test_a_pack_that_is_removed(tmp_path: Path, bundle: Path) -> None:
    """Removing a pack frees its bytes and leaves the other; removing it again is no error."""
    store = tmp_path / "there"
    taken(bundle, store)
    gone = remove("tiny", store)
    assert gone.freed > len(WEIGHTS) + len(VOCABULARY)
    assert len(gone.folders) == 2
    assert "tiny" not in find_packs(store=store)
    assert status(find_packs(store=store)["other"]).state == "ready"
    assert remove("tiny", store).freed == 0
    assert remove("tiny", tmp_path / "nowhere").folders == ()


def test_removing_touches_nothing_else(tmp_path: Path, packs: dict[str, Pack]) -> None:
    """A pack's folder outside the store stays, though a description in the store points there."""
    store = tmp_path / "there"
    store.mkdir()
    outside = tmp_path / "here" / "weights"
    (store / "tiny.toml").write_text(describe().replace('"weights"', f'"{outside}"'))
    (store / "tiny-of-mine").mkdir()
    assert status(find_packs(store=store)["tiny"]).state == "ready"
    remove("tiny", store)
    assert (outside / "vocab.txt").read_bytes() == VOCABULARY
    assert (store / "tiny-of-mine").is_dir()


def test_the_store_goes_between(tmp_path: Path, packs: dict[str, Pack], bundle: Path) -> None:
    """What was carried here goes before what a plugin ships, and a project's own folder before both."""
    store, own = tmp_path / "there", tmp_path / "own"
    own.mkdir()
    (tmp_path / "here" / "other.toml").write_text(describe("silero-vad"))
    shipped = find_packs(store=store)["silero-vad"]
    write_bundle([read_pack(tmp_path / "here" / "other.toml")], bundle, quiet)
    taken(bundle, store)
    assert find_packs(store=store)["silero-vad"].origin == str(store / "silero-vad.toml")
    (own / "mine.toml").write_text(describe("silero-vad").replace('"1"', '"2"'))
    assert find_packs(own, store)["silero-vad"].origin == str(own / "mine.toml")
    remove("silero-vad", store)
    assert find_packs(store=store)["silero-vad"].digest == shipped.digest


@pytest.mark.parametrize("suffix", ["pt", "pth", "pkl", "ckpt", "bin"])
def test_weights_that_can_carry_code(tmp_path: Path, suffix: str) -> None:
    """A format that may run code when it is loaded is refused until a person allows that file's digest."""
    content = b"pickled"
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / f"w.{suffix}").write_bytes(content)
    (tmp_path / "risky.toml").write_text(
        'name = "risky"\nversion = "1"\ntask = "test"\nengine = "torch"\nlicense = "MIT"\nsummary = "s"\n'
        f'[source]\nkind = "file"\n[[files]]\npath = "w.{suffix}"\nsize = 7\nsha256 = "{digest}"\n'
    )
    one = status(find_packs(tmp_path)["risky"])
    assert one.state == "refused"
    assert digest in one.problem
    assert "allow_pickles" in one.hint
    assert status(find_packs(tmp_path, allow=[digest])["risky"]).state == "ready"


def test_errors_are_one_family(tmp_path: Path) -> None:
    """What a bundle is refused for is an error like any other, with what to do next."""
    (tmp_path / "x.tar").write_bytes(b"x" * 5000)
    with pytest.raises(CallboardError) as caught:
        read_bundle(tmp_path / "x.tar")
    assert caught.value.hint
