"""An open_clip checkpoint becomes ONNX packs that give what open_clip itself gives, on random weights."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from callboard.cli import main
from callboard.config import RuntimeSettings
from callboard.embed import ImageEmbedder, TextEmbedder, find_pair
from callboard.errors import ExportError
from callboard.export import Wish, export, parity
from callboard.export.graph import WEIGHTS, write_graph
from callboard.packs import Pack, find_packs, read_pack, verify
from callboard.packs.packfile import FileSource, PackFile, Tensor
from callboard.packs.packtext import write_pack
from callboard.runtime.engines.vision import import_open_clip
from callboard.runtime.local import LocalRuntime
from msgspec.structs import replace

TINY: Mapping[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {
        "size": [48, 48],
        "mode": "RGB",
        "mean": [0.48145466, 0.4578275, 0.40821073],
        "std": [0.26862954, 0.26130258, 0.27577711],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}
WORDS = ["a lighthouse in fog", "", "INT. KITCHEN - NIGHT", "crowd 🎬 scène", "word " * 120, "a"]


@pytest.fixture(scope="module")
def open_clip() -> ModuleType:
    """open_clip itself."""
    return import_open_clip()


@pytest.fixture(scope="module")
def checkpoint(open_clip: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as open_clip's releases are: its config, and random weights."""
    return save(open_clip, TINY, tmp_path_factory.mktemp("checkpoint"))


def save(open_clip: ModuleType, config: Mapping[str, Any], folder: Path) -> Path:
    """Make a model of *config* with random weights and save it."""
    import safetensors.torch
    import torch

    torch.manual_seed(0)
    model = open_clip.CLIP(**config["model_cfg"])
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    safetensors.torch.save_file(weights, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def models(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its export."""
    folder = tmp_path_factory.mktemp("models")
    export(Wish(source=str(checkpoint), name="small", licence="MIT"), {}, folder, lambda _: None)
    return folder


@pytest.fixture
def runtime(models: Path) -> Iterator[LocalRuntime]:
    """A runtime that finds the export."""
    with LocalRuntime(RuntimeSettings(models=str(models))) as made:
        yield made


def pictures() -> list[np.ndarray[Any, Any]]:
    """Pictures of odd sizes with something in them."""
    draw = np.random.default_rng(3)
    return [
        np.kron(draw.integers(0, 256, (9, 13, 3)), np.ones((side, side + 3, 1))).astype(np.uint8)
        for side in (4, 7, 20, 11)
    ]


def theirs(open_clip: ModuleType, checkpoint: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """What open_clip makes of the pictures and the words, its own way from end to end."""
    import torch
    from PIL import Image

    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")
    tokens = open_clip.get_tokenizer(f"local-dir:{checkpoint}")(WORDS)
    with torch.inference_mode():
        seen = model.eval().encode_image(
            torch.stack([transform(Image.fromarray(picture)) for picture in pictures()]), normalize=True
        )
        return seen.numpy(), model.encode_text(tokens, normalize=True).numpy()


def cosines(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Cosine of each pair of rows, all of length one."""
    found: np.ndarray[Any, Any] = (one.astype(float) * other.astype(float)).sum(axis=1)
    return found


def test_vectors_are_those_of_open_clip(
    open_clip: ModuleType, checkpoint: Path, models: Path, runtime: LocalRuntime
) -> None:
    """Picture to vector and text to vector, through packs and runtime, with a cosine above 0.9999 to open_clip's."""
    pair = find_pair(find_packs(models), "small")
    assert pair is not None
    seen, said = theirs(open_clip, checkpoint)
    images, texts = ImageEmbedder(runtime, pair[0]), TextEmbedder(runtime, pair[1])
    assert cosines(images.embed(pictures()), seen).min() > 0.9999
    assert cosines(texts.embed(WORDS), said).min() > 0.9999
    assert cosines(said[:1], said[2:3])[0] < 0.99, "texts that differ must differ"
    assert images.space == texts.space


def test_the_torch_engine_gives_them_too(open_clip: ModuleType, checkpoint: Path, models: Path, tmp_path: Path) -> None:
    """The same checkpoint as packs for torch, one for each tower: vectors are open_clip's, and comparable with ONNX."""
    files = tuple(PackFile(path.name, digest(path), path.stat().st_size) for path in sorted(checkpoint.iterdir()))
    for tower in ("image", "text"):
        exported = read_pack(models / f"small-{tower}.toml")
        extra = tuple(file for file in exported.files if file.path.endswith(".txt"))
        folder = tmp_path / f"eager-{tower}"
        shutil.copytree(checkpoint, folder)
        for file in extra:
            shutil.copy(models / str(getattr(exported.source, "folder", "")) / file.path, folder / file.path)
        pack = replace(
            exported,
            name=f"eager-{tower}",
            engine="torch",
            files=(*files, *extra),
            source=FileSource(folder.name),
            options={"architecture": "open_clip", "tower": tower, "normalize": True},
        )
        write_pack(pack, tmp_path / f"{pack.name}.toml")
    pair = find_pair(find_packs(tmp_path), "eager")
    assert pair is not None
    assert pair[0].problem == pair[1].problem == ""
    seen, said = theirs(open_clip, checkpoint)
    with LocalRuntime(RuntimeSettings(models=str(tmp_path), threads=2)) as runtime:
        images, texts = ImageEmbedder(runtime, pair[0]), TextEmbedder(runtime, pair[1])
        assert cosines(images.embed(pictures()), seen).min() > 0.9999
        assert cosines(texts.embed(WORDS), said).min() > 0.9999
    assert images.space == f"clip:{read_pack(models / 'small-text.toml').preprocess['space']}"


def test_packs_say_all_that_is_needed(models: Path, checkpoint: Path) -> None:
    """Inputs, outputs, constants, licence, digests and parity are in the TOML; the files are whole."""
    image, text = (read_pack(models / f"small-{tower}.toml") for tower in ("image", "text"))
    for pack in (image, text):
        assert pack.problem == ""
        verify(pack)
        assert (pack.engine, pack.license, pack.outputs[0].shape) == ("onnxruntime", "MIT", (-1, 24))
        assert pack.parity is not None
        assert pack.parity.cosine > 0.99999
        assert pack.parity.max_abs < 1e-4
        assert pack.parity.rows == 8
        assert pack.batch is not None
    assert image.inputs == (Tensor("image", "float32", (-1, 3, 48, 48), image.inputs[0].range),)
    assert image.preprocess["size"] == 48
    assert image.preprocess["mean"] == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    assert image.preprocess["logit_scale"] == pytest.approx(1 / 0.07, rel=1e-4)
    assert image.preprocess["space"] == text.preprocess["space"]
    assert {file.path for file in text.files} == {"model.onnx", "bpe_simple_vocab_16e6.txt"}
    assert str(checkpoint).encode() not in (models / "small-image.toml").read_bytes()


def test_the_same_export_is_the_same_bytes(checkpoint: Path, models: Path, tmp_path: Path) -> None:
    """Exporting again, elsewhere, gives packs of the same digest, and takes the place of none that it is not."""
    export(Wish(source=str(checkpoint), name="small", licence="MIT"), {}, tmp_path, lambda _: None)
    for tower in ("image", "text"):
        first, again = (read_pack(folder / f"small-{tower}.toml") for folder in (models, tmp_path))
        assert again.digest == first.digest
        assert again.parity == first.parity
    left = {path.name for path in (tmp_path / ".partial").iterdir() if not path.name.endswith(".lock")}
    assert left == set()


def test_int8_is_smaller_and_near(
    checkpoint: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight bits take less room and come near; both precisions share a space; what is forced is kept all the same."""
    monkeypatch.setitem(parity.LEAST, True, 1.0)
    made = export(Wish(source=str(checkpoint), name="small", int8=True, force=True), {}, tmp_path, lambda _: None)
    exact = read_pack(models / "small-image.toml")
    for one in made:
        assert 0.98 <= one.parity.cosine < 1.0
    small = read_pack(tmp_path / "small-image.toml")
    assert small.files[0].size < 0.6 * exact.files[0].size  # what is no product stays as it is
    words = read_pack(tmp_path / "small-text.toml").files[0]
    assert words.size < 0.3 * read_pack(models / "small-text.toml").files[0].size
    assert small.version.endswith(" int8")
    assert small.license == "LicenseRef-unknown"
    assert small.preprocess["space"] == exact.preprocess["space"]


def test_weights_in_a_file_of_their_own_load_too(
    open_clip: ModuleType, checkpoint: Path, models: Path, tmp_path: Path
) -> None:
    """A graph whose weights are too large for one file has two, and the engine takes them after its checks."""
    from callboard.export.checkpoints import open_checkpoint
    from callboard.export.clip import open_clip_towers
    from callboard.export.parity import measure

    with open_checkpoint(str(checkpoint), {}) as opened:
        tower = open_clip_towers(opened)[0]
    (tmp_path / "large").mkdir()
    files = write_graph(tower, tmp_path / "large", inline=1000)
    assert files == ["model.onnx", WEIGHTS]
    from callboard.export import _file

    pack = replace(
        read_pack(models / "small-image.toml"),
        files=tuple(_file(tmp_path / "large", name) for name in files),
        source=FileSource("large"),
        origin=str(tmp_path / "large.toml"),
    )
    assert (tmp_path / "large" / "model.onnx").stat().st_size < 0.5 * pack.files[1].size
    assert measure(tower, pack, tmp_path / "large").cosine > 0.99999


def test_asking_for_help_loads_no_torch() -> None:
    """Neither the list of models nor the help of the export imports torch, onnx or a runtime."""
    code = (
        "import sys; from callboard.cli import main; main(['models', 'list']); main(['models', 'export', '--help']);"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    loaded = set(done.stdout.partition("LOADED")[2].split())
    assert "callboard.export" in loaded
    assert {"torch", "onnx", "onnxruntime", "open_clip", "transformers", "numpy"} & loaded == set()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_differs_too_much_is_not_kept(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the cosine that is asked no pack is left, not even the tower that was near enough."""
    monkeypatch.setitem(parity.LEAST, True, 0.9999999)
    with pytest.raises(ExportError, match=r"differ too much .*0\.9"):
        export(Wish(source=str(checkpoint), name="poor", int8=True), {}, tmp_path, lambda _: None)
    assert find_packs(tmp_path, tmp_path).keys() & {"poor-image", "poor-text"} == set()
    assert [path for path in tmp_path.iterdir() if path.name != ".partial"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("none", "no such model pack, and no such folder"),
        ("empty", r"neither open_clip_config\.json nor config\.json"),
        ("pickle", r"Pickles .* are not read"),
        ("cut", "cannot load it"),
        ("other", "cannot load it"),
    ],
)
def test_what_is_no_checkpoint_is_refused(checkpoint: Path, tmp_path: Path, change: str, words: str) -> None:
    """Each wrong source is an error that says what is wrong with it and what to do."""
    folder = tmp_path / "source"
    if change != "none":
        folder.mkdir()
    if change not in ("none", "empty"):
        config = {**TINY, "model_cfg": {**TINY["model_cfg"], "embed_dim": 8 if change == "other" else 24}}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        weights = (checkpoint / "open_clip_model.safetensors").read_bytes()
        name = "weights.pt" if change == "pickle" else "open_clip_model.safetensors"
        (folder / name).write_bytes(weights[:-5000] if change == "cut" else weights)
    with pytest.raises(ExportError, match=words):
        export(Wish(source=str(folder), name="x"), {}, tmp_path / "store", lambda _: None)


def test_a_pack_of_torch_weights_is_exported_by_the_command(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``callboard models export`` says how near each pack comes, keeps licence and version, and tells what is wrong."""
    store = tmp_path / "store"
    pack = Pack(
        name="released",
        version="2026-01",
        task="checkpoint",
        engine="torch",
        license="Apache-2.0",
        summary="random",
        files=tuple(PackFile(path.name, digest(path), path.stat().st_size) for path in sorted(checkpoint.iterdir())),
        source=FileSource(str(checkpoint)),
        options={"architecture": "open_clip"},
    )
    write_pack(pack, store / "released.toml")
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CALLBOARD_STORE", str(store))
    monkeypatch.chdir(tmp_path)
    assert main(["models", "export", "released", "--name", "told", "--json", "-o", "given"]) == 0
    made = json.loads(capsys.readouterr().out)["exported"]
    assert [one["name"] for one in made] == ["told-image", "told-text"]
    assert made[0]["parity"]["cosine"] > 0.99999
    image = read_pack(tmp_path / "given" / "told-image.toml")
    assert (image.license, image.version) == ("Apache-2.0", "2026-01")
    assert not (tmp_path / "given" / ".partial").exists()
    arguments = ["models", "export", str(checkpoint), "--name"]
    assert main([*arguments, "x", "--transformers", "X", "--open-clip", "Y"]) == 2
    assert main(["models", "export", str(tmp_path / "home"), "--name", "told"]) == 1
    assert "no such model pack, and no such folder" in capsys.readouterr().err
    assert main([*arguments, "Not a name"]) == 1
    assert "is no name for a pack" in capsys.readouterr().err
