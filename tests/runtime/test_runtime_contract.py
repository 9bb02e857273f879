"""One contract for the runtime in process and in a process of its own."""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import pytest_asyncio
from callboard import shm
from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelFault, ModelMissing
from callboard.runtime import Ticket
from callboard.runtime.client import RuntimeClient
from callboard.runtime.local import LocalRuntime
from callboard.runtime.status import RuntimeStatus
from callboard.runtime.supervise import RuntimeSupervisor
from onnx import TensorProto, helper

AnyRuntime = LocalRuntime | RuntimeClient
WEIGHTS = np.random.default_rng(7).standard_normal((64, 32), dtype=np.float32)


def write_pack(folder: Path, name: str, memory_mb: int = 8) -> Path:
    """Write a pack whose graph gives ``y = softmax(x @ weights)`` and ``n``, x's row count; return its ONNX file."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node("Softmax", ["z"], ["y"], axis=-1),
            helper.make_node("Shape", ["x"], ["s"]),
            helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        ],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 32]),
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
        ],
        [
            helper.make_tensor("w", TensorProto.FLOAT, [64, 32], WEIGHTS.tobytes(), raw=True),
            helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"classes": "cat,dog"})
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    write_toml(folder, name, [path], memory_mb, 'inputs = [{name = "x", dtype = "float32", shape = [-1, 64]}]')
    return path


def write_toml(folder: Path, name: str, files: list[Path], memory_mb: int = 8, more: str = "") -> None:
    """Describe *files* of *folder* as a pack."""
    entries = ", ".join(
        f'{{path = "{file.name}", size = {len(data)}, sha256 = "{hashlib.sha256(data).hexdigest()}"}}'
        for file in files
        for data in [file.read_bytes()]
    )
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nmemory_mb = {memory_mb}\nsource = {{kind = "file"}}\n'
        f"files = [{entries}]\n{more}\n"
    )


def some_input(rows: int = 5, seed: int = 0) -> dict[str, Any]:
    """Make rows for the graph."""
    return {"x": np.random.default_rng(seed).standard_normal((rows, 64), dtype=np.float32)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with one pack."""
    folder = tmp_path / "models"
    folder.mkdir()
    write_pack(folder, "affine")
    return folder


@pytest.fixture
def settings(models: Path) -> RuntimeSettings:
    """One thread, so that sums are added in one order, and room for two of the test's models."""
    return RuntimeSettings(threads=1, memory_mb=64, models=str(models))


@pytest_asyncio.fixture(params=["local", "process"])
async def runtime(
    request: pytest.FixtureRequest, settings: RuntimeSettings, tmp_path: Path
) -> AsyncIterator[AnyRuntime]:
    """The runtime in process, then as a client of the real process; neither leaves an array behind."""
    if request.param == "local":
        with LocalRuntime(settings) as local:
            yield local
        return
    shared = tmp_path / "shm"
    shared.mkdir()
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        yield client
        client.close()
    assert list(shared.iterdir()) == []


def reported(runtime: AnyRuntime) -> RuntimeStatus:
    """Ask the runtime how it is."""
    return runtime.report() if isinstance(runtime, LocalRuntime) else runtime.status()


def loads(runtime: AnyRuntime) -> dict[str, tuple[int, int]]:
    """Give, per model, how often it was loaded and the MiB it takes now."""
    return {model.name: (model.loads, model.memory_mb) for model in reported(runtime).models}


async def test_answers_what_onnxruntime_answers_bit_for_bit(runtime: AnyRuntime, models: Path) -> None:
    """Both give exactly the arrays that onnxruntime gives, types and shapes too."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(models / "affine.onnx"), options, providers=["CPUExecutionProvider"])
    for rows in (1, 5, 3000):  # inside the message, and through shared memory
        inputs = some_input(rows)
        expected: dict[str, Any] = dict(zip(("y", "n"), session.run(["y", "n"], inputs), strict=True))
        for answer in (await runtime.run("affine", inputs), runtime.call("affine", inputs)):
            assert set(answer) == {"y", "n"}
            for name, value in expected.items():
                assert answer[name].dtype == value.dtype
                assert answer[name].shape == value.shape
                assert answer[name].tobytes() == value.tobytes()


async def test_gives_named_outputs_and_metadata(runtime: AnyRuntime) -> None:
    """A caller may take some outputs, and what the model file carries."""
    assert set(await runtime.run("affine", some_input(), outputs=["n"])) == {"n"}
    assert await runtime.run("affine", {}, metadata=True) == {"metadata": {"classes": "cat,dog"}}


async def test_loads_once_for_many_callers(runtime: AnyRuntime) -> None:
    """Thirty-two calls at once load the model once, and each gets its own answer."""
    inputs = [some_input(3, seed) for seed in range(32)]
    answers = await asyncio.gather(*(runtime.run("affine", given) for given in inputs))
    assert loads(runtime)["affine"][0] == 1
    for given, answer in zip(inputs, answers, strict=True):
        again = runtime.call("affine", given)
        assert again["y"].tobytes() == answer["y"].tobytes()
    assert len({answer["y"].tobytes() for answer in answers}) == 32


async def test_serves_plain_threads(runtime: AnyRuntime) -> None:
    """Eight threads that call at the same moment each get their own answer."""
    start = threading.Barrier(8)

    def work(seed: int) -> bool:
        given = some_input(200, seed)
        start.wait()
        answers = [runtime.call("affine", given) for _ in range(10)]
        expected = given["x"] @ WEIGHTS
        return all((answer["y"].argmax(1) == expected.argmax(1)).all() for answer in answers)

    def all_of_them() -> list[bool]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(work, range(8)))

    assert await asyncio.to_thread(all_of_them) == [True] * 8


async def test_carries_a_hundred_megabytes(runtime: AnyRuntime) -> None:
    """An input of 100 MB and its answer cross whole, and belong to the caller."""
    inputs = some_input(400_000)
    assert inputs["x"].nbytes > 100_000_000
    answer = await runtime.run("affine", inputs)
    assert answer["y"].shape == (400_000, 32)
    assert np.allclose(answer["y"].sum(1), 1.0, atol=1e-5)
    answer["y"][0] = 0  # writable: not a view of somebody else's memory


@pytest.mark.parametrize(
    ("inputs", "options", "says"),
    [
        ({"x": np.zeros((2, 63), np.float32)}, {}, "is float32 [2, 63], not float32 [-1, 64]"),
        ({"x": np.zeros((2, 64), np.float64)}, {}, "is float64 [2, 64]"),
        ({"q": np.zeros((2, 64), np.float32)}, {}, "input 'x' is missing"),
        ({"x": np.zeros((2, 64), np.float32), "q": np.zeros(1)}, {}, "takes ['x']"),
        ({"x": np.zeros((2, 64), np.float32)}, {"outputs": ["nothing"]}, "takes ['x'] and gives ['y', 'n']"),
        ({"x": np.zeros((2, 64), np.float32)}, {"speed": 11}, "unknown options ['speed']"),
    ],
)
async def test_refuses_wrong_inputs(
    runtime: AnyRuntime, inputs: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    """What would fail again is a JobError that names the input, and the model serves on."""
    with pytest.raises(JobError) as caught:
        await runtime.run("affine", inputs, **options)
    assert says in str(caught.value)
    assert (await runtime.run("affine", some_input(2)))["n"] == 2


async def test_says_which_model_is_unknown(runtime: AnyRuntime) -> None:
    """A name that no pack has is a ModelMissing that names it."""
    with pytest.raises(ModelMissing) as caught:
        await runtime.run("nonesuch", {})
    assert caught.value.model == "nonesuch"
    assert "callboard models list" in caught.value.hint


async def test_refuses_an_altered_file_until_it_is_mended(runtime: AnyRuntime, models: Path) -> None:
    """One flipped bit, a cut or a missing file blocks the model; once it is mended the next call works."""
    path = models / "affine.onnx"
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for bad, says in ((bytes(flipped), "is not the file"), (good[:-1], "bytes, not"), (None, "is not there")):
        path.unlink()
        if bad is not None:
            path.write_bytes(bad)
        with pytest.raises(ModelMissing) as caught:
            await runtime.run("affine", some_input())
        assert says in caught.value.problem
        assert str(models) in caught.value.hint
        path.write_bytes(good)
    assert (await runtime.run("affine", some_input(4)))["n"] == 4
    assert loads(runtime)["affine"][0] == 1


async def test_lets_go_of_the_least_recently_used(runtime: AnyRuntime, models: Path) -> None:
    """Over the memory limit the model unused for longest goes, and comes back when it is asked for."""
    for name in ("one", "two", "three"):
        write_pack(models, name, memory_mb=30)
    for name in ("one", "two", "one", "three"):
        await runtime.run(name, some_input())
    assert loads(runtime) == {"one": (1, 30), "two": (1, 0), "three": (1, 30)}
    await runtime.run("two", some_input())
    assert loads(runtime) == {"one": (1, 0), "two": (2, 30), "three": (1, 30)}


async def test_refuses_what_can_never_fit(runtime: AnyRuntime, models: Path) -> None:
    """A model larger than the whole limit is Blocked, and the setting that mends it is named."""
    write_pack(models, "vast", memory_mb=65)
    with pytest.raises(Blocked) as caught:
        await runtime.run("vast", some_input())
    assert "needs 65 MiB" in caught.value.message
    assert "memory_mb" in caught.value.hint


async def test_says_so_when_memory_is_short(runtime: AnyRuntime, models: Path) -> None:
    """A graph that wants more than any address space is Blocked, and the runtime lives on."""
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["x"], ["y"])],
        "bomb",
        [helper.make_tensor_value_info("x", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (models / "bomb.onnx").write_bytes(model.SerializeToString())
    write_toml(models, "bomb", [models / "bomb.onnx"])
    with pytest.raises(Blocked, match="no memory"):
        await runtime.run("bomb", {"x": np.array([10**15])})
    assert (await runtime.run("bomb", {"x": np.array([3])}))["y"].shape == (3,)


def write_external(models: Path, location: str) -> Path:
    """Write a pack ``outside`` whose weights lie at *location*; only the graph itself is listed."""
    path = write_pack(models, "outside")
    model = onnx.load(str(path))
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(WEIGHTS.nbytes))):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())
    write_toml(models, "outside", [path])
    return path


@pytest.mark.parametrize("attack", ["parent", "absolute", "symlink", "hard link", "unlisted", "working folder"])
async def test_refuses_external_data_from_elsewhere(
    runtime: AnyRuntime, models: Path, attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph reads no file that its pack does not list, and none through a link."""
    secret = tmp_path / "secret.data"
    secret.write_bytes(WEIGHTS.tobytes())
    inside = models / "w.data"
    location = {"parent": "../secret.data", "absolute": str(secret), "working folder": "secret.data"}.get(
        attack, "w.data"
    )
    graph = write_external(models, location)
    if attack in ("symlink", "hard link"):
        inside.symlink_to(secret) if attack == "symlink" else inside.hardlink_to(secret)
        write_toml(models, "outside", [graph, inside])
    elif attack == "unlisted":
        inside.write_bytes(WEIGHTS.tobytes())
    else:
        monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelMissing) as caught:
        await runtime.run("outside", some_input())
    says = {"symlink": "is a link", "hard link": "one name only"}.get(attack, "External data path")
    assert says in caught.value.problem


async def test_reads_external_data_that_its_pack_lists(runtime: AnyRuntime, models: Path) -> None:
    """Weights beside the graph are used once they are listed and intact."""
    weights = models / "w.data"
    weights.write_bytes(WEIGHTS.tobytes())
    graph = write_external(models, "w.data")
    write_toml(models, "outside", [graph, weights])
    answer, expected = await runtime.run("outside", some_input()), await runtime.run("affine", some_input())
    assert answer["y"].tobytes() == expected["y"].tobytes()


async def test_a_cancelled_caller_leaves_nothing(runtime: AnyRuntime) -> None:
    """Callers that stop waiting do not disturb the rest."""
    tasks = [asyncio.create_task(runtime.run("affine", some_input(50_000, seed))) for seed in range(8)]
    await runtime.run("affine", some_input())
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, dict | asyncio.CancelledError) for one in done)
    assert all(isinstance(one, dict) for one in done[1::2])


def write_tokens(models: Path) -> None:
    """Write a pack ``tokens`` that may be batched: ``y = log(ids * mask)`` for each token, ``n`` the mask's sum."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["ids", "mask"], ["seen"]),
            helper.make_node("Add", ["seen", "tiny"], ["sure"]),
            helper.make_node("Log", ["sure"], ["y"]),
            helper.make_node("ReduceSum", ["mask", "axis"], ["n"], keepdims=0),
        ],
        "tokens",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", "length"]) for name in ("ids", "mask")],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", "length"]),
            helper.make_tensor_value_info("n", TensorProto.FLOAT, ["rows"]),
        ],
        [
            helper.make_tensor("tiny", TensorProto.FLOAT, [], [1e-6]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (models / "tokens.onnx").write_bytes(model.SerializeToString())
    batch = '[batch]\nmost = 16\npad = {ids = 0.0, mask = 0.0}\ntrim = ["y"]'
    write_toml(models, "tokens", [models / "tokens.onnx"], more=batch)


def some_tokens(rows: int, length: int, seed: int) -> dict[str, Any]:
    """Make rows of text as a model sees it."""
    ids = np.random.default_rng(seed).uniform(1, 1000, (rows, length)).astype(np.float32)
    return {"ids": ids, "mask": np.ones((rows, length), np.float32)}


async def test_batches_give_each_caller_their_own(runtime: AnyRuntime, models: Path) -> None:
    """Sixty calls of all sizes at once: each answer has its caller's rows and length, in fewer runs than calls."""
    write_tokens(models)
    sizes = [(1 + seed % 3, 5 + seed % 7) for seed in range(60)]
    calls = [some_tokens(*size, seed) for seed, size in enumerate(sizes)]
    tickets = [Ticket(f"job {seed % 5}", urgent=seed % 4 == 0) for seed in range(60)]
    answers = await asyncio.gather(
        *(runtime.run("tokens", given, ticket=ticket) for given, ticket in zip(calls, tickets, strict=True))
    )
    for given, answer, (rows, length) in zip(calls, answers, sizes, strict=True):
        assert np.allclose(answer["y"], np.log(given["ids"]), atol=1e-4)
        assert answer["n"].tolist() == [length] * rows
    model = next(each for each in reported(runtime).models if each.name == "tokens")
    assert (model.calls, model.loads, model.waiting) == (60, 1, 0)
    assert model.rows == sum(rows for rows, _ in sizes)
    assert model.batches < 60


async def test_a_model_that_gives_nan_is_a_fault(runtime: AnyRuntime, models: Path) -> None:
    """NaN from finite inputs is an error that names model and output; NaN that went in may come out."""
    write_tokens(models)
    bad = some_tokens(1, 6, 1)
    bad["ids"] *= -1
    good = [some_tokens(1, 6, seed) for seed in range(2, 9)]
    results = await asyncio.gather(*(runtime.run("tokens", given) for given in (bad, *good)), return_exceptions=True)
    fault = results[0]
    assert isinstance(fault, ModelFault)
    assert (fault.model, fault.output) == ("tokens", "y")
    assert "NaN" in fault.message
    assert all(isinstance(answer, dict) for answer in results[1:])
    bad["ids"][0, 0] = np.nan
    assert np.isnan((await runtime.run("tokens", bad))["y"][0, 0])


async def test_outputs_without_rows_are_a_fault_of_the_pack(runtime: AnyRuntime, models: Path) -> None:
    """A pack that promises rows and gives a single number is told so, whether calls come alone or together."""
    write_toml(models, "affine", [models / "affine.onnx"], more="[batch]\nmost = 16")
    with pytest.raises(ModelFault, match=r"'n'.*promises one for each"):
        await runtime.run("affine", some_input(3))
    assert (await runtime.run("affine", some_input(3), outputs=["y"]))["y"].shape == (3, 32)


async def test_a_deadline_that_passed_is_blocked(runtime: AnyRuntime) -> None:
    """A call whose job has no time left is not run."""
    with pytest.raises(Blocked, match="time was over"):
        await runtime.run("affine", some_input(), ticket=Ticket("job", deadline=time.monotonic() - 1.0))
    assert all(model.calls == 0 for model in reported(runtime).models)


async def test_arrays_of_objects_are_refused(tmp_path: Path, settings: RuntimeSettings) -> None:
    """What is no plain tensor never leaves the client's process."""
    shared = shm.make_folder()
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        with pytest.raises(JobError, match="holds Python objects"):
            await client.run("affine", {"x": np.array([object()])})
        client.close()
    assert list(shared.iterdir()) == []
    shared.rmdir()
