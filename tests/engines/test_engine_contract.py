"""One contract for every engine: onnxruntime, CTranslate2, torch with transformers and with open_clip, and library.

The weights are random and made here, save Whisper's, which are real. No test reaches the network: connecting fails.
"""

import hashlib
import importlib
import json
import shutil
import socket
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import psutil
import pytest
from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, find_packs, locate
from callboard.runtime import Control, Engine, Session, make_engine
from callboard.runtime.engines.vision import import_open_clip, import_transformers
from onnx import TensorProto, helper

Arrays = dict[str, np.ndarray[Any, Any]]
SETTINGS = RuntimeSettings(threads=1)
"""One thread: sums are added in one order."""
ENGINES = ("onnxruntime", "ctranslate2", "transformers", "sentences", "open_clip image", "open_clip text", "library")
WIDE = 2600
LIBRARY = '''
"""A package that ships a pack whose model OpenCV owns."""
import cv2
from callboard.errors import JobError


class Net:
    def __init__(self, folder):
        self._net = cv2.dnn.readNetFromONNX(str(folder / "net.onnx"))

    def run(self, inputs, options, control):
        if options:
            raise JobError(f"net: unknown options {sorted(options)}")
        self._net.setInput(inputs["x"])
        return {"y": self._net.forward().copy()}

    def close(self):
        del self._net


def load(folder, settings, device):
    return Net(folder)
'''


class Case(NamedTuple):
    """One engine's pack, and a call that it takes."""

    folder: Path
    name: str
    weights: str
    """The file that most of the memory is for."""
    inputs: Arrays
    output: str
    options: dict[str, Any]


def write_pack(folder: Path, name: str, engine: str, more: str, memory_mb: int = 1) -> None:
    """Describe every file of *folder* as a pack in it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in (".toml", ".py")]
    entries = ", ".join(
        f'{{path = "{path.relative_to(folder).as_posix()}", size = {path.stat().st_size}, '
        f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}'
        for path in files
    )
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "{engine}"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nmemory_mb = {memory_mb}\nfiles = [{entries}]\n'
        f'source = {{kind = "file"}}\n{more}\n'
    )


def write_graph(path: Path) -> None:
    """Write ``y = x @ w`` with 27 MB of weights."""
    weights = np.random.default_rng(7).standard_normal((WIDE, WIDE), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "wide",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, WIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, WIDE])],
        [helper.make_tensor("w", TensorProto.FLOAT, [WIDE, WIDE], weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def rows(seed: int = 0) -> Arrays:
    """Make two rows for the graph."""
    return {"x": np.random.default_rng(seed).standard_normal((2, WIDE), dtype=np.float32)}


def make_onnxruntime(folder: Path) -> Case:
    """A graph of one product."""
    write_graph(folder / "wide.onnx")
    write_pack(folder, "wide", "onnxruntime", f'inputs = [{{name = "x", dtype = "float32", shape = [2, {WIDE}]}}]')
    return Case(folder, "wide", "wide.onnx", rows(), "y", {})


def make_library(folder: Path) -> Case:
    """The same graph in OpenCV, which a package of the test's loads."""
    (folder / "__init__.py").write_text(LIBRARY)
    write_graph(folder / "net.onnx")
    write_pack(
        folder,
        "net",
        "library",
        f'options = {{factory = "{folder.name}:load"}}\n'
        f'inputs = [{{name = "x", dtype = "float32", shape = [2, {WIDE}]}}]',
    )
    return Case(folder, "net", "net.onnx", rows(), "y", {})


def make_ctranslate2(folder: Path) -> Case:
    """Real Whisper weights, and two words."""
    shipped = find_packs()["whisper-tiny-en"]
    source = locate(shipped)
    for file in shipped.files:
        shutil.copy(source / file.path, folder / file.path)
    write_pack(folder, "whisper", "ctranslate2", 'inputs = [{name = "samples", dtype = "float32", shape = [-1]}]')
    spoken = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-w", spoken, "Good morning."], check=True)
    with wave.open(str(spoken)) as file:
        count, rate = file.getnframes(), file.getframerate()
        heard = np.frombuffer(file.readframes(count), np.int16).astype(np.float32) / 32768
    samples = np.interp(np.arange(0, count, rate / 16000), np.arange(count), heard).astype(np.float32)
    options = {"vad": False, "language": "en", "beam_size": 1, "word_timestamps": False}
    return Case(folder, "whisper", "model.bin", {"samples": samples}, "segments", options)


def save_bert(folder: Path, vocabulary: int = 200_000) -> None:
    """Save a BERT with random weights, 27 MB of them in its vocabulary."""
    import torch

    transformers = import_transformers()
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    transformers.BertModel(config).save_pretrained(folder)


TOKENS = """
inputs = [
  {name = "input_ids", dtype = "int64", shape = [-1, -1]},
  {name = "attention_mask", dtype = "int64", shape = [-1, -1]},
]
"""


def tokens() -> Arrays:
    """Two sentences, the second padded."""
    ids = np.random.default_rng(0).integers(0, 200_000, (2, 9))
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def make_transformers(folder: Path) -> Case:
    """Two outputs of a BERT."""
    save_bert(folder)
    outputs = (
        'outputs = [{name = "last_hidden_state", dtype = "float32", shape = [-1, -1, 32]}, '
        '{name = "pooler_output", dtype = "float32", shape = [-1, 32]}]\n'
        'options = {architecture = "transformers", class = "BertModel"}'
    )
    write_pack(folder, "bert", "torch", TOKENS + outputs)
    return Case(folder, "bert", "model.safetensors", tokens(), "last_hidden_state", {})


def make_sentences(folder: Path) -> Case:
    """A BERT whose tokens are averaged to one vector for a sentence."""
    save_bert(folder)
    write_pack(
        folder,
        "sentences",
        "torch",
        TOKENS + 'options = {architecture = "transformers", class = "AutoModel", pool = "mean"}',
    )
    return Case(folder, "sentences", "model.safetensors", tokens(), "embedding", {})


def make_open_clip(folder: Path, tower: str) -> Path:
    """Save a small CLIP with random weights, 25 MB in each tower."""
    import torch
    from safetensors.torch import save_file

    config = {
        "embed_dim": 64,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 512, "head_width": 64, "patch_size": 32},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 2},
    }
    open_clip = import_open_clip()
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    write_pack(folder, tower, "torch", f'options = {{architecture = "open_clip", tower = "{tower}"}}')
    return folder


def make_image_tower(folder: Path) -> Case:
    """The image tower."""
    images = np.random.default_rng(0).standard_normal((2, 3, 64, 64), dtype=np.float32)
    return Case(
        make_open_clip(folder, "image"), "image", "open_clip_model.safetensors", {"image": images}, "embedding", {}
    )


def make_text_tower(folder: Path) -> Case:
    """The text tower."""
    texts = np.zeros((2, 16), np.int64)
    texts[:, :4] = [[49406, 320, 1125, 49407], [49406, 539, 2368, 49407]]
    return Case(make_open_clip(folder, "text"), "text", "open_clip_model.safetensors", {"text": texts}, "embedding", {})


MAKERS: dict[str, Callable[[Path], Case]] = {
    "onnxruntime": make_onnxruntime,
    "ctranslate2": make_ctranslate2,
    "transformers": make_transformers,
    "sentences": make_sentences,
    "open_clip image": make_image_tower,
    "open_clip text": make_text_tower,
    "library": make_library,
}


@pytest.fixture(scope="module", params=ENGINES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """One pack for each engine."""
    name = request.param.replace(" ", "_")
    folder = tmp_path_factory.mktemp("packs") / f"contract_{name}"
    folder.mkdir()
    sys.path.insert(0, str(folder.parent))
    importlib.invalidate_caches()
    yield MAKERS[request.param](folder)
    sys.path.remove(str(folder.parent))
    sys.modules.pop(folder.name, None)


@pytest.fixture(scope="module")
def session(made: Case) -> Iterator[Session]:
    """The case's pack, loaded once for the tests that leave it as it was."""
    loader = Loader(made)
    yield loader()
    loader.close_all()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects or looks up a name fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an engine wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


class Loader:
    """Loads the case's pack afresh from its TOML file."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sessions: list[Session] = []

    @property
    def pack(self) -> Pack:
        """The pack as the file says now."""
        return find_packs(self._case.folder)[self._case.name]

    @property
    def engine(self) -> Engine:
        """Its engine."""
        return make_engine(self.pack)

    def __call__(self, settings: RuntimeSettings = SETTINGS) -> Session:
        """Load it."""
        session = self.engine.load(self.pack, self._case.folder, settings)
        self._sessions.append(session)
        return session

    def close(self, session: Session) -> None:
        """Close one."""
        self._sessions.remove(session)
        session.close()

    def close_all(self) -> None:
        """Close what is left."""
        for session in self._sessions:
            session.close()


@pytest.fixture
def load(made: Case) -> Iterator[Loader]:
    """Load the case's pack; what was loaded is closed at the end."""
    loader = Loader(made)
    yield loader
    loader.close_all()


def call(session: Session, case: Case, inputs: Arrays | None = None) -> Any:
    """Make the case's call, and give its output."""
    return session.run(case.inputs if inputs is None else inputs, case.options, Control())[case.output]


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal to the last bit."""
    return one.tobytes() == other.tobytes() if isinstance(one, np.ndarray) else bool(one == other)


@pytest.fixture
def altered(made: Case) -> Iterator[Path]:
    """The case's weights, which a test may spoil; they are mended afterwards."""
    path = made.folder / made.weights
    kept = path.with_suffix(".kept")
    path.rename(kept)
    shutil.copy(kept, path)
    yield path
    path.unlink(missing_ok=True)
    kept.rename(path)


def test_answers_the_same_and_shares_nothing(session: Session, load: Loader, made: Case) -> None:
    """Sessions of one pack agree to the last bit, whatever either was asked before and when the other is closed."""
    first, other = call(session, made), load()
    turned = {name: np.ascontiguousarray(array[::-1]) for name, array in made.inputs.items()}
    call(other, made, turned)
    assert same(call(other, made), first)
    load.close(other)
    assert same(call(session, made), first)
    assert session.device == other.device == "cpu"
    assert session.parallel >= 1
    assert len(first)
    if isinstance(first, np.ndarray):
        assert first.dtype == np.float32
        assert first.shape[0] == 2
        assert not same(first[0], first[1])


def test_changes_none_of_its_inputs(session: Session, made: Case) -> None:
    """A caller's arrays are as before, and read-only ones are taken."""
    given = {name: array.copy() for name, array in made.inputs.items()}
    for array in given.values():
        array.setflags(write=False)
    call(session, made, given)
    assert all(same(given[name], made.inputs[name]) for name in given)


def test_refuses_wrong_inputs_and_lives_on(session: Session, made: Case) -> None:
    """A missing, an unknown and a wrongly typed input and an unknown option are each a JobError."""
    name, array = next(iter(made.inputs.items()))
    wrong = np.float64 if array.dtype == np.float32 else np.int32
    for inputs in (
        {},
        {**made.inputs, "nonesuch": array},
        {**made.inputs, name: array.astype(wrong)},
        {**made.inputs, name: array[None]},
    ):
        with pytest.raises(JobError) as caught:
            session.run(inputs, made.options, Control())
        assert made.name in caught.value.message
    with pytest.raises(JobError, match="nonesuch"):
        session.run(made.inputs, {**made.options, "nonesuch": 1}, Control())
    assert len(call(session, made))


def test_refuses_altered_weights(load: Loader, made: Case, altered: Path) -> None:
    """One flipped bit of the weights is refused at load, and the hint says how to mend it; mended, it loads."""
    good = altered.read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    altered.write_bytes(bad)
    with pytest.raises(ModelMissing) as caught:
        load()
    assert caught.value.model == made.name
    assert "is not the file that the pack names" in caught.value.problem
    assert str(made.folder) in caught.value.hint
    altered.write_bytes(good)
    load()


def test_says_what_is_missing(load: Loader, made: Case, altered: Path) -> None:
    """Weights that are gone are named, with the way to mend it."""
    altered.unlink()
    with pytest.raises(ModelMissing) as caught:
        load()
    assert str(altered) in caught.value.problem
    assert str(made.folder) in caught.value.hint


def test_refuses_what_is_no_model(load: Loader, made: Case, altered: Path) -> None:
    """Files whose digest is right and whose content is no model are a ModelMissing that names the pack's file."""
    toml = made.folder / f"{made.name}.toml"
    before = toml.read_text()
    junk = b"this is no model " * 100
    good = altered.read_bytes()
    altered.write_bytes(junk)
    toml.write_text(
        before.replace(hashlib.sha256(good).hexdigest(), hashlib.sha256(junk).hexdigest()).replace(
            f"size = {len(good)}", f"size = {len(junk)}"
        )
    )
    try:
        with pytest.raises(ModelMissing) as caught:
            load()
    finally:
        toml.write_text(before)
    assert str(toml) in caught.value.hint


def test_gives_its_memory_back(load: Loader, made: Case) -> None:
    """Closing returns most of what loading and one call took to the system; what is lost would be so each time."""

    def resident() -> float:
        return int(psutil.Process().memory_info().rss) / 2**20

    warm = load()  # libraries keep something for themselves at first use
    call(warm, made)
    load.close(warm)
    weights = (made.folder / made.weights).stat().st_size / 2**20
    told: list[str] = []
    for _ in range(4):  # where memory is short the system takes and gives pages of its own accord
        before = resident()
        session = load()
        call(session, made)
        took = resident() - before
        load.close(session)
        left = resident() - before
        told.append(f"{took:.0f} MiB for {weights:.0f} MiB of weights, of which {left:.0f} are left")
        if took > weights * 0.3 and left < took * 0.4:
            return
    pytest.fail("; ".join(told))


def test_tells_its_memory(session: Session, made: Case) -> None:
    """The memory told was measured: the pack's own figure of one MiB is far too low."""
    told = session.memory_mb
    weights = (made.folder / made.weights).stat().st_size >> 20
    assert weights // 4 <= told <= weights * 12 + 200


def test_leaves_no_files_behind(load: Loader, made: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Private copies are gone once a session is closed, or could not be loaded."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    load.close(load())
    assert list(tmp_path.iterdir()) == []
