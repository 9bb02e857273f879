"""The torch engine: what it loads, what it refuses, and how its answers compare with the libraries' own."""

import hashlib
import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, read_pack
from callboard.runtime import Control, Session
from callboard.runtime.engines.memory import is_short
from callboard.runtime.engines.pytorch import TorchEngine, TorchSession, import_open_clip, import_transformers
from safetensors.torch import load_file, save_file

SETTINGS = RuntimeSettings(threads=1)
CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": 3, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 16, "vocab_size": 600, "width": 64, "heads": 2, "layers": 2},
}
TOKENS = """
inputs = [
  {name = "input_ids", dtype = "int64", shape = [-1, -1]},
  {name = "attention_mask", dtype = "int64", shape = [-1, -1]},
]
"""
MEAN = 'options = {architecture = "transformers", class = "BertModel", pool = "mean"}'
IMAGES = np.random.default_rng(0).standard_normal((3, 3, 64, 64), dtype=np.float32)
TEXTS = np.array([[598, 5, 7, 599] + [0] * 12, [598, 9, 599] + [0] * 13])


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects or looks up a name fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an engine wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def write_pack(folder: Path, more: str, architecture: str = "") -> Pack:
    """Describe every file of *folder* as a pack for torch, and read it."""
    entries = ", ".join(
        f'{{path = "{path.name}", size = {path.stat().st_size}, '
        f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}'
        for path in sorted(folder.iterdir())
        if path.suffix != ".toml"
    )
    (folder / "pack.toml").write_text(
        'name = "pack"\nversion = "1"\ntask = "test"\nengine = "torch"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nmemory_mb = 1\nfiles = [{entries}]\nsource = {{kind = "file"}}\n{more}\n'
    )
    return read_pack(folder / "pack.toml")


def load(pack: Pack, settings: RuntimeSettings = SETTINGS) -> Session:
    """Load a pack as the runtime does."""
    return TorchEngine().load(pack, Path(pack.origin).parent, settings)


def make_bert(folder: Path, hidden: int = 32, layers: int = 2) -> Any:
    """Save a small BERT with random weights; return it."""
    transformers = import_transformers()
    torch.manual_seed(0)
    model = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=600,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    ).eval()
    model.save_pretrained(folder)
    return model


def make_clip(folder: Path) -> Any:
    """Save a small CLIP with random weights; return it."""
    torch.manual_seed(0)
    model = import_open_clip().CLIP(**CLIP).eval()
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CLIP, "preprocess_cfg": {}}))
    return model


def tokens(lengths: tuple[int, ...] = (9, 4)) -> dict[str, np.ndarray[Any, Any]]:
    """Make sentences of these lengths, padded to the longest."""
    ids = np.random.default_rng(0).integers(0, 600, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    return {"input_ids": ids, "attention_mask": mask}


def open_clip_pack(folder: Path, tower: str, more: str = "") -> Pack:
    """Describe a tower."""
    return write_pack(folder, f'options = {{architecture = "open_clip", tower = "{tower}"{more}}}')


def test_a_tower_answers_as_open_clip_does(tmp_path: Path) -> None:
    """Each tower gives what the whole model in open_clip gives, within rounding; normalised where the pack asks."""
    model = make_clip(tmp_path)
    for tower, given, encode in (("image", IMAGES, model.encode_image), ("text", TEXTS, model.encode_text)):
        session = load(open_clip_pack(tmp_path, tower))
        found = session.run({tower: given}, {}, Control())["embedding"]
        with torch.inference_mode():
            expected = encode(torch.from_numpy(given)).numpy()
        assert found.shape == (len(given), 16)
        assert np.abs(found - expected).max() < 1e-5
        normal = load(open_clip_pack(tmp_path, tower, ", normalize = true")).run({tower: given}, {}, Control())
        assert np.allclose(normal["embedding"], expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)


def test_keeps_the_wanted_tower_alone(tmp_path: Path) -> None:
    """A session holds the weights of its tower, not those of the other."""
    model = make_clip(tmp_path)
    session = load(open_clip_pack(tmp_path, "image"))
    assert isinstance(session, TorchSession)
    assert session._module is not None
    assert {p.numel() for p in session._module.parameters()} == {p.numel() for p in model.visual.parameters()}
    assert sum(p.numel() for p in session._module.parameters()) < sum(p.numel() for p in model.parameters()) / 1.3


def test_builds_an_architecture_that_open_clip_knows(tmp_path: Path) -> None:
    """Weights alone are enough where the pack names a model of open_clip's."""
    model = make_clip(tmp_path)
    known = tmp_path / "open_clip_config.json"
    known.write_text(json.dumps(CLIP))
    import_open_clip().add_model_config(known.rename(tmp_path.parent / "callboard-test-clip.json"))
    session = load(open_clip_pack(tmp_path, "image", ', model = "callboard-test-clip"'))
    with torch.inference_mode():
        expected = model.encode_image(torch.from_numpy(IMAGES)).numpy()
    assert np.abs(session.run({"image": IMAGES}, {}, Control())["embedding"] - expected).max() < 1e-5
    with pytest.raises(ModelMissing, match="open_clip has no model 'nonesuch'"):
        load(open_clip_pack(tmp_path, "image", ', model = "nonesuch"'))


def test_sentences_are_the_mean_of_their_own_tokens(tmp_path: Path) -> None:
    """Pooled vectors have length 1, and are those of the sentence by itself, however far it is padded."""
    model = make_bert(tmp_path)
    session = load(write_pack(tmp_path, TOKENS + MEAN))
    given = tokens()
    found = session.run(given, {}, Control())["embedding"]
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    with torch.inference_mode():
        alone = model(torch.from_numpy(given["input_ids"][1:, :4])).last_hidden_state.mean(1)[0].numpy()
    assert found[1] @ alone / np.linalg.norm(alone) > 0.999999


def test_gives_the_outputs_that_the_pack_names(tmp_path: Path) -> None:
    """Outputs are transformers' own fields, under the pack's names."""
    model = make_bert(tmp_path)
    outputs = 'outputs = [{name = "whole", dtype = "float32", shape = [-1, 32]}]\n'
    options = 'options = {architecture = "transformers", class = "BertModel", output = "pooler_output"}'
    answer = load(write_pack(tmp_path, TOKENS + outputs + options)).run(tokens(), {}, Control())
    with torch.inference_mode():
        expected = model(**{name: torch.from_numpy(value) for name, value in tokens().items()}).pooler_output.numpy()
    assert set(answer) == {"whole"}
    assert np.allclose(answer["whole"], expected, atol=1e-6)


def test_half_precision_answers_in_float32(tmp_path: Path) -> None:
    """bfloat16 weights take half the memory; answers are float32 and near the full ones."""
    make_clip(tmp_path)
    full = load(open_clip_pack(tmp_path, "image")).run({"image": IMAGES}, {}, Control())["embedding"]
    session = load(open_clip_pack(tmp_path, "image", ', dtype = "bfloat16"'))
    half = session.run({"image": IMAGES}, {}, Control())["embedding"]
    assert half.dtype == np.float32
    assert not np.array_equal(half, full)
    assert (half * full).sum() / np.linalg.norm(half) / np.linalg.norm(full) > 0.999
    make_bert(tmp_path / "bert")
    pack = write_pack(tmp_path / "bert", TOKENS + MEAN.replace("}", ', dtype = "bfloat16"}'))
    assert load(pack).run(tokens(), {}, Control())["embedding"].dtype == np.float32


def spoil_weights(folder: Path) -> None:
    """Take one tensor out of a BERT's file."""
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.attention.self.query.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def other_size(folder: Path) -> None:
    """Have the config speak of a wider layer than the file has."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 65}))


def foreign_code(folder: Path) -> None:
    """Have the config name code of its own for a kind that transformers does not have."""
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "nonesuch",
        "auto_map": {"AutoConfig": "evil.C", "AutoModel": "someone/repository--evil.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))


def nothing(folder: Path) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize(
    ("spoil", "more", "says"),
    [
        (spoil_weights, TOKENS + MEAN, "lack 1 weights of the model, such as encoder.layer.1"),
        (other_size, TOKENS + MEAN, "torch cannot load it"),
        (foreign_code, TOKENS + MEAN.replace("BertModel", "AutoModel"), "torch cannot load it"),
        (nothing, MEAN, "does not say what the model takes"),
        (nothing, TOKENS + MEAN.replace("BertModel", "pipeline"), "no model class 'pipeline'"),
        (nothing, TOKENS + MEAN.replace("BertModel", "BertConfig"), "no model class 'BertConfig'"),
        (nothing, TOKENS + MEAN.replace("transformers", "diffusers"), "options.architecture is 'diffusers'"),
        (nothing, TOKENS + MEAN.replace(', pool = "mean"', ""), "does not name an output"),
        (nothing, TOKENS + MEAN.replace("}", ', dtype = "int4"}'), "options.dtype 'int4'"),
    ],
)
def test_refuses_a_pack_that_does_not_fit(tmp_path: Path, spoil: Callable[[Path], None], more: str, says: str) -> None:
    """What transformers would fill with random numbers, or with code from elsewhere, is a ModelMissing."""
    make_bert(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelMissing) as caught:
        load(write_pack(tmp_path, more))
    assert says in caught.value.problem
    assert "pack.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        ({}, ', tower = "sound"', "neither"),
        ({"hf_model_name": "xlm-roberta-base"}, ', tower = "text"', "torch cannot load it"),
        ({"width": 32}, ', tower = "text"', "torch cannot load it"),
    ],
)
def test_refuses_a_tower_that_does_not_fit(tmp_path: Path, text: dict[str, Any], more: str, says: str) -> None:
    """A config that differs from the weights, or that wants more from a hub, is a ModelMissing; nothing is fetched."""
    make_clip(tmp_path)
    config = {**CLIP, "text_cfg": {**CLIP["text_cfg"], **text}}  # type: ignore[dict-item]  # a nested mapping
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    with pytest.raises(ModelMissing) as caught:
        load(write_pack(tmp_path, f'options = {{architecture = "open_clip"{more}}}'))
    assert says in caught.value.problem


class Evil:
    """A pickle that would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_is_read_only_with_leave_and_never_run(tmp_path: Path) -> None:
    """A pickle is refused unless its digest is allowed; then its tensors are read, and code in it is refused still."""
    model = make_bert(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    weights = tmp_path / "pytorch_model.bin"
    torch.save(model.state_dict(), weights)
    pack = write_pack(tmp_path, TOKENS + MEAN)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    with pytest.raises(ModelMissing) as caught:
        load(pack)
    assert "pickle" in caught.value.problem
    assert digest in caught.value.hint
    assert "allow_pickles under [runtime] in callboard.toml" in caught.value.hint
    answer = load(pack, RuntimeSettings(threads=1, allow_pickles=(digest,))).run(tokens(), {}, Control())
    assert answer["embedding"].shape == (2, 32)
    touched = tmp_path / "touched"
    weights.write_bytes(pickle.dumps({"embeddings.word_embeddings.weight": Evil(touched)}))
    pack = write_pack(tmp_path, TOKENS + MEAN)
    allowed = RuntimeSettings(allow_pickles=tuple(file.sha256 for file in pack.files))
    with pytest.raises(ModelMissing):
        load(pack, allowed)
    assert not touched.exists()


def test_a_stopped_call_ends_before_the_next_layer(tmp_path: Path) -> None:
    """A call that is stopped while a layer runs does not run the next one; the session lives on."""
    make_bert(tmp_path, layers=3)
    session = load(write_pack(tmp_path, TOKENS + MEAN))
    assert isinstance(session, TorchSession)
    ran: list[int] = []
    control = Control()
    module: Any = session._module

    def left(number: int) -> None:
        ran.append(number)
        if not number:
            control.stop()

    for number, layer in enumerate(module.encoder.layer):
        layer.register_forward_hook(lambda *_, number=number: left(number))
    with pytest.raises(JobError, match="stopped"):
        session.run(tokens(), {}, control)
    assert ran == [0]
    assert session.run(tokens(), {}, Control())["embedding"].shape == (2, 32)
    assert ran == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("Failed to allocate memory for requested buffer of size 4096", True),
        ("Available memory of 10 is smaller than requested bytes of 20", True),
        ("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("CUDA failed with error out of memory", True),
        ("The size of tensor a (3) must match the size of tensor b (4)", False),
        ("CUDA error: device-side assert triggered", False),
    ],
)
def test_knows_the_words_for_memory_that_ran_out(said: str, short: bool) -> None:
    """Libraries raise it as a plain RuntimeError; nothing else is taken for it."""
    assert is_short(RuntimeError(said)) is short
    assert is_short(MemoryError())
    assert is_short(torch.OutOfMemoryError())


ALONE = """
import importlib, pkgutil, resource, sys
from pathlib import Path
import numpy as np, psutil
import callboard.runtime.engines as engines
from callboard.config import RuntimeSettings
from callboard.packs import find_packs, locate, read_pack
from callboard.runtime import Control, NoMemory, make_engine
settings = RuntimeSettings(threads=1)
heavy = {"torch", "transformers", "open_clip", "torchvision"}
for module in pkgutil.iter_modules(engines.__path__):
    importlib.import_module(f"callboard.runtime.engines.{module.name}")
engines.available_devices()
pack = find_packs()["silero-vad"]
engine = make_engine(pack)
engine.load(pack, locate(pack), settings, engine.devices(pack)[0]).close()
print("light", heavy & set(sys.modules) or "")
try:
    import torchvision
except RuntimeError:
    pass
from callboard.runtime.engines.vision import import_open_clip
print(import_open_clip().CLIP.__name__, engines.available_devices(["torch"])[-1].device)
pack = read_pack(Path(sys.argv[1]))
session = make_engine(pack).load(pack, locate(pack), settings)
def run(rows):
    ids = np.ones((rows, 64), np.int64)
    return session.run({"input_ids": ids, "attention_mask": ids}, {}, Control())["embedding"].shape
run(2)
limit = psutil.Process().memory_info().data + (400 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    run(60_000)
except NoMemory as error:
    print("NoMemory", error)
print(run(3))
"""


def test_torch_comes_late_and_lives_on_when_memory_runs_out(tmp_path: Path) -> None:
    """In a process of its own: torch waits for a pack that asks, and a batch too large is NoMemory, a smaller one not.

    No engine's module imports torch, and no other engine's session; open_clip is imported though torchvision failed.
    """
    make_bert(tmp_path)
    write_pack(tmp_path, TOKENS + MEAN)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, tmp_path / "pack.toml"], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.stdout.splitlines() == [
        "light ",
        "CLIP cpu",
        "NoMemory model 'pack': no memory for this input on cpu",
        "(3, 32)",
    ], done.stderr
