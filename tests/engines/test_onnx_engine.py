"""onnxruntime: which devices are used, threads, external data, memory that runs out, and a call that is stopped."""

import contextlib
import hashlib
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import psutil
import pytest
from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelMissing
from callboard.packs import Pack, find_packs, locate
from callboard.runtime import Control, NoMemory, Session, cores, make_engine
from callboard.runtime.engines import Device, available_devices, folder
from callboard.runtime.engines import onnx as engine
from callboard.runtime.engines.devices import ordered
from callboard.runtime.engines.folder import make_private
from onnx import TensorProto, helper

SETTINGS = RuntimeSettings(threads=1)
WEIGHTS = np.random.default_rng(7).standard_normal((16, 8), dtype=np.float32)
INPUTS = {"x": np.random.default_rng(0).standard_normal((3, 16), dtype=np.float32)}


def write_toml(folder: Path, name: str, files: dict[str, bytes], more: str = "") -> Pack:
    """Describe *files*, by path and content, as a pack in *folder*, and read it."""
    entries = ", ".join(
        f'{{path = "{path}", size = {len(data)}, sha256 = "{hashlib.sha256(data).hexdigest()}"}}'
        for path, data in files.items()
    )
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nmemory_mb = 8\nsource = {{kind = "file"}}\nfiles = [{entries}]\n{more}\n'
    )
    return find_packs(folder)[name]


def graph(location: str = "") -> bytes:
    """Give a graph ``y = x @ w`` whose weights lie inside, or at *location*."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [16, 8], WEIGHTS.tobytes(), raw=True)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "product",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 16])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 8])],
            [weights],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    if location:
        outside = model.graph.initializer[0]
        outside.ClearField("raw_data")
        outside.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", str(WEIGHTS.nbytes))):
            entry = outside.external_data.add()
            entry.key, entry.value = key, value
    return bytes(model.SerializeToString())


def load(pack: Pack, settings: RuntimeSettings = SETTINGS, device: str = "cpu") -> Session:
    """Load a pack as the runtime does."""
    return make_engine(pack).load(pack, locate(pack), settings, device)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """A pack of one product."""
    (tmp_path / "product.onnx").write_bytes(graph())
    return write_toml(tmp_path, "product", {"product.onnx": graph()})


@pytest.fixture
def listed_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have onnxruntime list the CUDA provider, as its GPU build does on machines without a GPU too."""
    listed = ["CUDAExecutionProvider", *onnxruntime.get_available_providers()]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    engine._makes_session.cache_clear()
    yield
    engine._makes_session.cache_clear()


@pytest.mark.filterwarnings("ignore:Specified provider")  # onnxruntime's own, of a provider that it does not have
def test_notices_a_provider_that_leaves_it_to_the_cpu(pack: Pack, listed_cuda: None) -> None:
    """A provider that is listed and makes no session here is not offered; a session says where it really is."""
    assert make_engine(pack).devices(pack, RuntimeSettings(devices=("cuda", "cpu"))) == ("cpu",)
    session = load(pack, device="cuda:0")
    assert session.device == "cpu"
    assert np.allclose(session.run(INPUTS, {}, Control())["y"], INPUTS["x"] @ WEIGHTS, atol=1e-5)
    session.close()


def test_the_probe_is_a_model_that_onnx_takes() -> None:
    """What providers are tried with is a valid model, and gives what it is given."""
    onnx.checker.check_model(onnx.load_from_string(engine._PROBE))
    session = onnxruntime.InferenceSession(engine._PROBE, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.array([7], np.float32)}) == [np.array([7], np.float32)]


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ((), "", ("cuda:0", "coreml", "cpu")),
        (("tensorrt", "cuda"), "", ("tensorrt:0", "cuda:0", "cpu")),
        (("coreml", "cpu", "cuda"), "", ("coreml", "cuda:0", "cpu")),
        (("cpu",), "", ("cpu",)),
        (("mps",), "", ("cpu",)),
        ((), 'options = {devices = ["coreml"]}', ("coreml", "cpu")),
        (("cuda",), 'options = {devices = "cpu"}', ("cpu",)),
    ],
)
def test_orders_devices_as_asked(tmp_path: Path, settings: Any, options: str, expected: tuple[str, ...]) -> None:
    """The settings' order counts, TensorRT only where they name it; a pack narrows it; the CPU is last."""
    pack = write_toml(tmp_path, "product", {"product.onnx": graph()}, options)
    here = ("tensorrt:0", "cuda:0", "coreml", "cpu")
    assert ordered(here, pack, RuntimeSettings(devices=settings)) == expected


def test_tells_the_devices_that_are_here() -> None:
    """Every engine that is installed has the CPU last, with its memory."""
    found = available_devices()
    assert {device.engine for device in found} == {"onnxruntime", "ctranslate2"}
    for name in ("onnxruntime", "ctranslate2"):
        last = [device for device in found if device.engine == name][-1]
        assert last == Device(name, "cpu", last.name, last.memory_mb)
        assert last.name
        assert last.memory_mb > 256


def test_shares_the_cores_among_calls(tmp_path: Path, pack: Pack) -> None:
    """A run has every core; ``parallel`` in a pack, and ``threads`` in the settings, bound calls and threads."""
    assert engine.plan(pack, RuntimeSettings())[0] == cores()
    for threads, expected in ((1, (1, 1)), (2, (1, 2)), (4, (3, 2)), (16, (13, 4))):
        assert engine.plan(pack, RuntimeSettings(threads=threads)) == (*expected, False)
    chosen = write_toml(tmp_path, "chosen", {"product.onnx": graph()}, "parallel = 4")
    assert engine.plan(chosen, RuntimeSettings(threads=8)) == (2, 4, False)
    assert load(chosen).parallel == 4


def test_shares_out_the_cores_where_calls_are_batched(tmp_path: Path) -> None:
    """Runs that gather calls have a thread each, up to four runs at once; together they keep within ``threads``."""
    pack = write_toml(tmp_path, "gathers", {"product.onnx": graph()}, "batch = {most = 8}")
    for threads, expected in ((1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (16, (4, 4))):
        assert engine.plan(pack, RuntimeSettings(threads=threads)) == (*expected, False)


def _helpers() -> set[int]:
    """The threads of this process that the kernel runs only where a core is idle."""
    found = set()
    for task in map(int, os.listdir("/proc/self/task")):
        with contextlib.suppress(ProcessLookupError):  # ended meanwhile
            if os.sched_getscheduler(task) == os.SCHED_IDLE:
                found.add(task)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no such rank, and a run has its own only")
def test_lets_a_lone_run_have_the_cores_that_nobody_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that gathers calls has a helper of the lowest rank for each further core, until it is closed."""
    monkeypatch.setattr(engine, "cores", lambda: 3)
    (tmp_path / "product.onnx").write_bytes(graph())
    pack = write_toml(tmp_path, "gathers", {"product.onnx": graph()}, "batch = {most = 8}")
    assert engine.plan(pack, RuntimeSettings()) == (3, 3, True)
    names, before = Path("/proc/self/task"), _helpers()
    own = (names / str(threading.get_native_id()) / "comm").read_text(encoding="utf-8")
    session = load(pack, RuntimeSettings())
    assert len(_helpers() - before) == 2
    assert (names / str(threading.get_native_id()) / "comm").read_text(encoding="utf-8") == own
    session.close()
    end = time.monotonic() + 60
    while _helpers() - before:  # one that was waited for is listed until the kernel has taken it away
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("path", ["../secret.data", "/etc/hostname", "a/../../secret.data", "C:secret.data", "a\\b"])
def test_refuses_a_pack_that_lists_what_lies_elsewhere(tmp_path: Path, path: str) -> None:
    """A path out of the pack's folder makes the pack a bad one, before any file is opened."""
    path = path.replace("\\", "\\\\")
    bad = write_toml(tmp_path, "product", {"product.onnx": graph(), path: WEIGHTS.tobytes()})
    with pytest.raises(ModelMissing, match="leads out of the pack's folder"):
        locate(bad)


@pytest.mark.parametrize("link", ["symlink", "hard link", "symlinked folder"])
def test_refuses_external_data_behind_a_link(tmp_path: Path, link: str) -> None:
    """Weights that are the right bytes are refused where their file is known under another name too."""
    (tmp_path / "elsewhere").mkdir()
    secret = tmp_path / "elsewhere" / "w.data"
    secret.write_bytes(WEIGHTS.tobytes())
    inside = tmp_path / "pack"
    inside.mkdir()
    where = "sub/w.data" if link == "symlinked folder" else "w.data"
    (inside / "product.onnx").write_bytes(graph(where))
    if link == "symlinked folder":
        (inside / "sub").symlink_to(tmp_path / "elsewhere")
    elif link == "symlink":
        (inside / where).symlink_to(secret)
    else:
        (inside / where).hardlink_to(secret)
    pack = write_toml(inside, "product", {"product.onnx": graph(where), where: WEIGHTS.tobytes()})
    with pytest.raises(ModelMissing, match="one name only" if link == "hard link" else "is a link"):
        load(pack)


@pytest.mark.parametrize("location", ["../w.data", "{absolute}", "w.data"])
def test_refuses_external_data_that_is_not_listed(tmp_path: Path, location: str) -> None:
    """A graph that refers to a file its pack does not list is refused, wherever that file is."""
    inside = tmp_path / "pack"
    inside.mkdir()
    for path in (tmp_path / "w.data", inside / "w.data"):
        path.write_bytes(WEIGHTS.tobytes())
    content = graph(location.format(absolute=tmp_path / "w.data"))
    (inside / "product.onnx").write_bytes(content)
    with pytest.raises(ModelMissing, match="onnxruntime cannot load it"):
        load(write_toml(inside, "product", {"product.onnx": content}))


def test_finds_external_data_beside_the_graph(tmp_path: Path) -> None:
    """A graph in a folder of the pack finds the weights beside it, as model hubs lay them out."""
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(graph("model.onnx_data"))
    (tmp_path / "onnx" / "model.onnx_data").write_bytes(WEIGHTS.tobytes())
    files = {"onnx/model.onnx": graph("model.onnx_data"), "onnx/model.onnx_data": WEIGHTS.tobytes()}
    session = load(write_toml(tmp_path, "product", files))
    assert np.allclose(session.run(INPUTS, {}, Control())["y"], INPUTS["x"] @ WEIGHTS, atol=1e-5)
    session.close()


def test_a_graph_behind_a_link_is_read(tmp_path: Path) -> None:
    """Installers and hub caches link files; a graph with the right digest is taken through a link."""
    (tmp_path / "blob").write_bytes(graph())
    (tmp_path / "product.onnx").symlink_to("blob")
    load(write_toml(tmp_path, "product", {"product.onnx": graph()})).close()


def test_says_when_memory_runs_out(tmp_path: Path) -> None:
    """A run that wants more than any address space is NoMemory, and the session lives on without all memory."""
    content = helper.make_model(
        helper.make_graph(
            [helper.make_node("ConstantOfShape", ["x"], ["y"])],
            "bomb",
            [helper.make_tensor_value_info("x", TensorProto.INT64, [1])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    ).SerializeToString()
    (tmp_path / "bomb.onnx").write_bytes(content)
    session = load(write_toml(tmp_path, "bomb", {"bomb.onnx": content}))
    before = psutil.Process().memory_info().vms
    with pytest.raises(NoMemory, match="bomb"):
        session.run({"x": np.array([10**15])}, {}, Control())
    assert session.run({"x": np.array([3])}, {}, Control())["y"].shape == (3,)
    assert psutil.Process().memory_info().vms - before < 1 << 30
    session.close()


def test_a_stopped_call_ends(pack: Pack) -> None:
    """A call that nobody waits for ends before its first node; the next call is answered."""
    session = load(pack)
    control = Control()
    control.stop()
    with pytest.raises(JobError, match="terminate"):
        session.run(INPUTS, {}, control)
    assert session.run(INPUTS, {}, Control())["y"].shape == (3, 8)
    session.close()


def test_private_folders_left_behind_are_removed(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed runtime left goes with the next one's first load; what a living one holds stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    held = make_private(pack, locate(pack))
    left = tmp_path / "callboard-model-left"
    left.mkdir()
    (left / "weights").write_bytes(b"x")
    for path in (held.path, left):
        os.utime(path, (1, 1))
    folder._sweep.cache_clear()
    load(pack).close()
    assert not left.exists()
    assert (held.path / "product.onnx").read_bytes() == graph()
    held.close()
    assert not held.path.exists()


def test_says_when_there_is_no_room_for_the_copy(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where copies may not be written the model is blocked, and the hint names the way out."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module cut off at the limit would be found by others
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        with pytest.raises(Blocked, match="no room in") as caught:
            load(pack)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "TMPDIR" in caught.value.hint
