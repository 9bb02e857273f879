"""Memory that really runs out, in a process that may have only so much; and ten plugins that use one model."""

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.runtime.client import RuntimeClient
from callboard.runtime.supervise import RuntimeSupervisor
from onnx import GraphProto, TensorProto, helper

PROGRAM = """
import asyncio, json, resource, sys
from pathlib import Path
import numpy as np
from callboard.config import RuntimeSettings
from callboard.errors import Blocked
from callboard.runtime.local import LocalRuntime

def data_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData")) << 10

async def main(models, spare_mb):
    with LocalRuntime(RuntimeSettings(threads=1, models=models)) as runtime:
        one = {"x": np.ones((1, 1), np.float32)}
        if spare_mb >= 64:
            await runtime.run("wide", one)
        else:
            await runtime.run("wide", {}, metadata=True)  # loaded, and not run
        limit = data_bytes() + (spare_mb << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        calls = [runtime.run("wide", {"x": np.full((1, 1), number, np.float32)}) for number in range(1, 17)]
        runtime._scheduler.busy("pause")  # until all wait: they are to be one batch
        tasks = [asyncio.ensure_future(call) for call in calls]
        while runtime.status()[0].waiting < 16:
            await asyncio.sleep(0)
        runtime._scheduler.busy("")
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        kinds = [type(answer).__name__ for answer in answers]
        values = [float(answer["y"][0, 0]) for answer in answers if isinstance(answer, dict)]
        model = runtime.status()[0]
        ceiling = runtime._scheduler._models["wide"].pace.ceiling
        said = next((answer.message for answer in answers if isinstance(answer, Blocked)), "")
        print(json.dumps({"kinds": kinds, "values": values, "device": model.device, "ceiling": ceiling, "said": said}))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""
WIDTH = 8 << 20
"""Floats that one row grows to: 32 MiB."""


def write(folder: Path, name: str, graph: GraphProto, more: str) -> None:
    """Write a model and its pack."""
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    (folder / f"{name}.onnx").write_bytes(data)
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nsource = {{kind = "file"}}\nmemory_mb = 8\n{more}[[files]]\n'
        f'path = "{name}.onnx"\nsize = {len(data)}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    )


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A folder with a pack whose graph needs 32 MiB for each row, and gives the mean of what it made of it."""
    graph = helper.make_graph(
        [
            helper.make_node("Expand", ["x", "shape"], ["grown"]),
            helper.make_node("ReduceMean", ["grown"], ["y"], axes=[1], keepdims=1),
        ],
        "wide",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        [helper.make_tensor("shape", TensorProto.INT64, [2], np.array([1, WIDTH]).tobytes(), raw=True)],
    )
    write(tmp_path, "wide", graph, "batch = {most = 16}\n")
    return tmp_path


async def test_ten_plugins_hold_one_copy(tmp_path: Path) -> None:
    """Ten clients with their own connections cost the runtime no more than a tenth over what one costs."""
    weights = np.random.default_rng(1).standard_normal((4096, 4096), dtype=np.float32)  # 64 MiB
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4096])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 4096])],
        [helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)],
    )
    write(tmp_path, "large", graph, "batch = {most = 16}\n")
    shared = tmp_path / "shm"
    shared.mkdir()
    x = np.ones((1, 4096), np.float32)
    async with RuntimeSupervisor(tmp_path / "run", shared, RuntimeSettings(models=str(tmp_path))) as supervisor:
        await supervisor.ensure()
        clients = [RuntimeClient(supervisor.address, shared) for _ in range(10)]
        for _ in range(8):
            await clients[0].run("large", {"x": x})
        one = await asyncio.to_thread(clients[0].status)  # which waits as long as it takes, unlike the supervisor
        for _ in range(8):
            await asyncio.gather(*(client.run("large", {"x": x}) for client in clients))
        ten = await asyncio.to_thread(clients[0].status)
        for client in clients:
            client.close()
    assert [model.loads for model in ten.models] == [1]
    assert one.models[0].memory_mb >= 64
    assert ten.rss_mb <= 1.1 * one.rss_mb


def run(models: Path, spare_mb: int) -> dict[str, object]:
    """Run sixteen calls at once in a process that may grow by so many MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, models, str(spare_mb)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the data of a process")
def test_smaller_batches_where_memory_is_short(wide: Path) -> None:
    """Sixteen rows want half a gigabyte and there is a third of that: all are answered, in batches that fit."""
    told = run(wide, 160)
    assert told["kinds"] == ["dict"] * 16
    assert told["values"] == [float(number) for number in range(1, 17)]
    assert told["ceiling"] in (1, 2, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the data of a process")
def test_blocked_where_there_is_not_even_room_for_one(wide: Path) -> None:
    """The last step of the ladder says what is missing, to each caller, and the process lives."""
    told = run(wide, 8)
    assert told["kinds"] == ["Blocked"] * 16
    assert "no memory" in str(told["said"])
