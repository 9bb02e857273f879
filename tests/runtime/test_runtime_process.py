"""The runtime process when things go wrong: killed, slow, left by its clients or by its board."""

import asyncio
import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import pytest_asyncio
from callboard.config import RuntimeSettings
from callboard.errors import RuntimeGone
from callboard.runtime import Ticket
from callboard.runtime.client import RuntimeClient, _Link
from callboard.runtime.status import ModelStatus
from callboard.runtime.supervise import RuntimeSupervisor
from callboard.testing.frozen import freeze
from callboard.testing.processes import PATIENT, children, ends, started
from onnx import TensorProto, helper

FOREVER = 10**12


def write_loop(folder: Path) -> None:
    """Write a pack whose graph squares a matrix ``turns`` times: as slow as a test wants it."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("MatMul", ["m", "m"], ["squared"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m", TensorProto.FLOAT, [8, 8]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("squared", TensorProto.FLOAT, [8, 8]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["turns", "yes", "x"], ["y"], body=body)],
        "loop",
        [
            helper.make_tensor_value_info("turns", TensorProto.INT64, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 8]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 8])],
        [helper.make_tensor("yes", TensorProto.BOOL, [], [True])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    write_toml(folder, "loop", model.SerializeToString())


def write_batched(folder: Path) -> None:
    """Write a pack that may be batched, and whose batch takes as many turns as its row that asks for most."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("MatMul", ["m", "unit"], ["same"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m", TensorProto.FLOAT, ["rows", 64]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("same", TensorProto.FLOAT, ["rows", 64]),
        ],
    )
    unit = np.eye(64, dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMax", ["turns"], ["most"], keepdims=0),
            helper.make_node("Loop", ["most", "yes", "x"], ["y"], body=body),
        ],
        "batched",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64]),
            helper.make_tensor_value_info("turns", TensorProto.INT64, ["rows", 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 64])],
        [
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
            helper.make_tensor("unit", TensorProto.FLOAT, [64, 64], unit.tobytes(), raw=True),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    write_toml(folder, "batched", model.SerializeToString(), "batch = {most = 4}\n")


def batched(number: int, turns: int) -> dict[str, Any]:
    """Inputs of one row."""
    return {"x": np.full((1, 64), number, np.float32), "turns": np.full((1, 1), turns, np.int64)}


def write_toml(folder: Path, name: str, data: bytes, more: str = "") -> None:
    """Write a model and describe it as a pack."""
    (folder / f"{name}.onnx").write_bytes(data)
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "CC0-1.0"\n'
        f'summary = "slow"\nsource = {{kind = "file"}}\n{more}[[files]]\npath = "{name}.onnx"\nsize = {len(data)}\n'
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    )


def turns(count: int) -> dict[str, Any]:
    """Inputs for a call that takes *count* turns."""
    return {"turns": np.array(count, np.int64), "x": np.eye(8, dtype=np.float32)}


@pytest.fixture
def settings(tmp_path: Path) -> RuntimeSettings:
    """Settings that know the slow pack."""
    write_loop(tmp_path)
    return RuntimeSettings(threads=1, models=str(tmp_path))


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder for arrays."""
    folder = tmp_path / "shm"
    folder.mkdir()
    return folder


@pytest_asyncio.fixture
async def supervisor(tmp_path: Path, shared: Path, settings: RuntimeSettings) -> AsyncIterator[RuntimeSupervisor]:
    """A runtime process that listens; nothing is left in the shared folder after it."""
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as running:
        await running.ensure()
        yield running


async def until(supervisor: RuntimeSupervisor, holds: Callable[[ModelStatus], bool]) -> ModelStatus:
    """Ask for the slow model's status until *holds* is true of it; another process raises no event here."""
    async with asyncio.timeout(PATIENT):
        while True:
            models = (await supervisor.status()).models
            if models and holds(models[0]):
                return models[0]
            await asyncio.sleep(0.02)


async def kill(supervisor: RuntimeSupervisor) -> int:
    """Kill the runtime, which must be there: 0 would mean every process of these tests. Give its pid."""
    pid = (await supervisor.status()).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    return pid


async def test_killed_during_a_call(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """Callers of a runtime that is killed hear that it is gone; the next call is answered by a new one."""
    client = RuntimeClient(supervisor.address, shared)
    calls = [asyncio.create_task(client.run("loop", turns(FOREVER))) for _ in range(3)]
    await until(supervisor, lambda model: model.calls == 1 and model.waiting == 2)
    before = await kill(supervisor)
    for gone in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(gone, RuntimeGone)
        assert gone.message == "the model runtime ended during the call"
    answer = await client.run("loop", turns(2))
    assert (answer["y"] == np.eye(8)).all()
    await supervisor.ensure()  # it may answer before the supervisor has heard that it does
    after = await supervisor.status()
    assert after.pid not in (0, before)
    assert after.restarts == 1
    client.close()
    assert list(shared.iterdir()) == []


async def test_killed_again_and_again(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """Three kills in a row cost three answers at most, and no process is left behind."""
    client = RuntimeClient(supervisor.address, shared)
    for _ in range(3):
        await supervisor.ensure()
        await kill(supervisor)
        async with asyncio.timeout(PATIENT):
            while True:
                try:
                    await client.run("loop", turns(1))
                    break
                except RuntimeGone:
                    continue
    client.close()
    assert len(children(supervisor.address)) == 1


async def test_calls_of_a_killed_client_are_dropped(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """What a killed client still waited for ends or is never begun, and its arrays go."""
    code = f"""
import asyncio, numpy as np
from pathlib import Path
from callboard.runtime.client import RuntimeClient, _Link
async def main():
    client = RuntimeClient({supervisor.address!r}, Path({str(shared)!r}))
    x = np.eye(8, dtype=np.float32)
    await asyncio.gather(*(client.run("loop", {{"turns": np.array({FOREVER}), "x": x}}) for _ in range(20)))
asyncio.run(main())
"""
    async with started(sys.executable, "-c", code, stderr=subprocess.DEVNULL):
        await until(supervisor, lambda model: model.calls == 1 and model.waiting == 19)
        assert len(list(shared.iterdir())) == 1
    free = await until(supervisor, lambda model: not model.running)
    assert (free.waiting, free.calls) == (0, 1)
    assert list(shared.iterdir()) == []


async def test_a_cancelled_call_ends(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """A call that would go on for ever ends when its task is cancelled, and the model serves the next."""
    client = RuntimeClient(supervisor.address, shared)
    for _ in range(3):
        task = asyncio.create_task(client.run("loop", turns(FOREVER)))
        await until(supervisor, lambda model: model.running > 0)
        task.cancel()
        assert (await client.run("loop", turns(2)))["y"].shape == (8, 8)
    client.close()
    assert (await supervisor.status()).restarts == 0


async def test_a_call_that_is_cancelled_on_its_way_ends(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """A task that stops waiting while a thread hands its call over leaves no call behind that goes on for ever."""
    underway, go = threading.Event(), threading.Event()

    class Slow(RuntimeClient):
        def _connected(self) -> _Link:
            underway.set()
            assert go.wait(PATIENT)
            return super()._connected()

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    client = Slow(supervisor.address, shared)
    task = asyncio.create_task(client.run("loop", turns(FOREVER)))
    while not underway.is_set():  # by the only thread that could wait for it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await asyncio.to_thread(int)  # behind it in the one thread: the call has been handed over
    async with asyncio.timeout(PATIENT):
        assert (await client.run("loop", turns(2)))["y"].shape == (8, 8)
    client.close()


def test_a_connection_that_is_lost_at_once_leaves_nothing(shared: Path) -> None:
    """A runtime that is just being killed may still take a connection: neither socket nor folder of it is left."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(RuntimeGone):
        _Link(ours, shared)
    assert ours.fileno() == -1
    assert list(shared.iterdir()) == []


async def test_a_cancelled_call_is_not_begun(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """A task that stops waiting takes its queued call out of the queue."""
    client = RuntimeClient(supervisor.address, shared)
    running = asyncio.create_task(client.run("loop", turns(FOREVER)))
    await until(supervisor, lambda model: model.calls == 1)
    queued = [asyncio.create_task(client.run("loop", turns(1))) for _ in range(4)]
    await until(supervisor, lambda model: model.waiting == 4)
    for task in queued:
        task.cancel()
    assert (await until(supervisor, lambda model: model.waiting == 0)).calls == 1
    client.close()
    with pytest.raises(RuntimeGone):
        await running


async def test_stops_during_a_call(tmp_path: Path, shared: Path, settings: RuntimeSettings) -> None:
    """The board ends though a call would go on for ever; nothing is left but an empty log."""
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        call = asyncio.create_task(client.run("loop", turns(FOREVER)))
        await until(supervisor, lambda model: model.calls == 1)
        pid = (await supervisor.status()).pid
        assert pid
    assert not psutil.pid_exists(pid)
    assert not Path(supervisor.address).exists()
    with pytest.raises(RuntimeGone):
        await call
    client.close()
    assert (tmp_path / "run" / "runtime.log").read_text() == ""


async def test_one_that_must_be_killed_leaves_no_socket(
    tmp_path: Path, shared: Path, settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runtime that does not end when it is asked to is killed, and its socket goes all the same."""
    monkeypatch.setattr("callboard.runtime.supervise._STOP_SECONDS", 0.1)
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.ensure()
        pid = (await supervisor.status()).pid
        freeze(pid)
    assert not psutil.pid_exists(pid)
    assert not Path(supervisor.address).exists()


async def test_is_private_to_its_user(supervisor: RuntimeSupervisor, tmp_path: Path) -> None:
    """The socket is 0600 in a folder that is 0700."""
    assert stat.S_IMODE(Path(supervisor.address).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


async def test_starts_in_a_deep_folder(tmp_path: Path, shared: Path, settings: RuntimeSettings) -> None:
    """A project too deep for a socket's path works the same, by a short path that only its user can enter."""
    deep = tmp_path / ("d" * 120) / "run"
    async with RuntimeSupervisor(deep, shared, settings) as supervisor:
        assert len(supervisor.address) <= 100
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        assert (await client.run("loop", turns(1)))["y"].shape == (8, 8)
        assert stat.S_IMODE(Path(supervisor.address).parent.stat().st_mode) == 0o700
        client.close()


async def test_does_not_start_before_it_is_needed(tmp_path: Path, shared: Path, settings: RuntimeSettings) -> None:
    """Entering the supervisor starts nothing, and its status says so."""
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        assert (await supervisor.status()).pid == 0
        await asyncio.gather(supervisor.ensure(), supervisor.ensure())
        assert psutil.pid_exists((await supervisor.status()).pid)


async def test_ends_with_a_killed_board(tmp_path: Path, shared: Path, settings: RuntimeSettings) -> None:
    """A board that is killed takes its runtime with it."""
    code = f"""
import asyncio
from pathlib import Path
from callboard.config import RuntimeSettings
from callboard.runtime.supervise import RuntimeSupervisor
async def main():
    async with RuntimeSupervisor(Path({str(tmp_path / "run")!r}), Path({str(shared)!r}), RuntimeSettings()) as it:
        await it.ensure()
        print((await it.status()).pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    async with started(sys.executable, "-c", code, stdout=subprocess.PIPE) as board:
        assert board.stdout is not None
        runtime = psutil.Process(int(await board.stdout.readline()))
    await ends(runtime)


async def test_cuts_off_what_is_no_client(supervisor: RuntimeSupervisor, shared: Path) -> None:
    """Rubbish on the socket costs its sender the connection and nobody else anything."""
    for rubbish in (b"\xff" * 64, b"\x00\x00\x00\x02\x80\x80", b"GET / HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_unix_connection(supervisor.address)
        writer.write(rubbish)
        assert await asyncio.wait_for(reader.read(), PATIENT) == b""
        writer.close()
        await writer.wait_closed()
    client = RuntimeClient(supervisor.address, shared)
    assert (await client.run("loop", turns(1)))["y"].shape == (8, 8)
    client.close()
    assert (await supervisor.status()).restarts == 0


async def test_killed_in_the_middle_of_a_batch(tmp_path: Path, shared: Path) -> None:
    """Of forty calls, batched and waiting, each is answered or told that the runtime is gone; tried again, all are.

    The first are short; a batch with one of the others would go on for ever, so that it is killed in the middle of it.
    """
    write_batched(tmp_path)
    settings = RuntimeSettings(threads=1, models=str(tmp_path))
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        await client.run("batched", batched(0, 1))  # connected: from now on calls are sent at once, and in order
        answered: list[int] = []

        async def job(number: int) -> int:
            for tries in range(1, 4):
                try:
                    answer = await client.run("batched", batched(number, FOREVER if number > 5 and tries == 1 else 2))
                except RuntimeGone:
                    continue
                assert (answer["y"] == number).all()
                answered.append(number)
                return tries
            raise AssertionError(number)

        jobs = [asyncio.create_task(job(number)) for number in range(1, 41)]
        # All are sent, and more have begun than end: the batch that runs now will not.
        await until(supervisor, lambda model: model.calls + model.waiting == 41 and model.calls > 6)
        await kill(supervisor)
        tries = await asyncio.gather(*jobs)
        assert sorted(answered) == list(range(1, 41))
        assert max(tries) == 2
        assert (await until(supervisor, lambda model: not model.running)).rows == tries.count(2)
        client.close()
    assert list(shared.iterdir()) == []


async def test_a_runtime_that_starts_again_still_makes_way(
    tmp_path: Path, shared: Path, settings: RuntimeSettings
) -> None:
    """What makes models wait outlives the process: one that is started again holds bulk calls too, until it is over."""
    async with RuntimeSupervisor(tmp_path / "run", shared, settings) as supervisor:
        await supervisor.busy("pause", "blender renders")
        assert (await supervisor.status()).busy == "pause"  # known before it runs
        await supervisor.ensure()
        client = RuntimeClient(supervisor.address, shared)
        held = asyncio.create_task(client.run("loop", turns(1)))
        urgent = await client.run("loop", turns(1), ticket=Ticket("p", urgent=True))
        assert urgent["y"].shape == (8, 8)
        waits = await until(supervisor, lambda model: model.waiting == 1)
        assert waits.why == "held: blender renders"
        await kill(supervisor)
        with pytest.raises(RuntimeGone):
            await held
        held = asyncio.create_task(client.run("loop", turns(1)))
        await client.run("loop", turns(1), ticket=Ticket("p", urgent=True))
        await until(supervisor, lambda model: model.waiting == 1)
        now = await supervisor.status()
        assert (now.busy, now.reason, now.restarts) == ("pause", "blender renders", 1)
        await supervisor.busy("", "")
        assert (await held)["y"].shape == (8, 8)
        client.close()
