"""Jobs whose model is not here, or not whole: they wait, say what mends it, and go on by themselves when it is."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs
from callboard.config import Project, find_project
from callboard.daemon import Daemon
from callboard.packs import packs_of
from callboard.packs.store import place
from callboard.testing import TmpPlugin
from onnx import TensorProto, helper

T = TypeVar("T")
USER = """
    import numpy as np
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        answer = context.runtime.call("doubler", {"x": np.array([21.0], np.float32)})
        return Tags(items=(Tag(label=f"{answer['y'][0]:.0f}", score=0.9, method="doubled"),), confidence=0.9)
"""


def weights() -> bytes:
    """Make a model that doubles."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubler", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def listed(path: str, content: bytes, table: str) -> str:
    """Write the TOML of one file."""
    digest = hashlib.sha256(content).hexdigest()
    return f'[[{table}]]\npath = "{path}"\nsize = {len(content)}\nsha256 = "{digest}"\n'


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Give a wheel that carries the model."""
    path = tmp_path / "doubler-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doubler/doubler.onnx", weights())
    return path


@pytest.fixture
def project(tmp_path: Path, wheel: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with a plugin that needs the model, which is in the wheel and not in the store."""
    tmp_plugin("doubling", USER, models=["doubler"], events=["media.settled"])
    (tmp_path / "footage").mkdir()
    (tmp_path / "packs").mkdir()
    content = wheel.read_bytes()
    (tmp_path / "packs" / "doubler.toml").write_text(
        'name = "doubler"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "MIT"\nsummary = "doubles"\n'
        'memory_mb = 8\n[source]\nkind = "wheel"\ndistribution = "doubler"\nversion = "1"\n'
        f'size = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        + listed("doubler/doubler.onnx", weights(), "source.members")
        + listed("doubler.onnx", weights(), "files")
        + '[[inputs]]\nname = "x"\ndtype = "float32"\nshape = [-1]\n'
    )
    (tmp_path / "callboard.toml").write_text(
        'allow_plugins = ["doubling"]\n[[watch]]\npath = "footage"\nquiet = 0.2\n'
        '[runtime]\nmodels = "packs"\nstore = "store"\nthreads = 1\n'
        "[plugins.caption]\nenabled = false\n[plugins.autotag]\nenabled = false\n"
    )
    found = find_project(tmp_path)
    assert found is not None
    return found


async def until(what: Callable[[], T], seconds: float = 60.0) -> T:
    """Wait until *what* gives something, and give that."""
    async with asyncio.timeout(seconds):
        while not (found := what()):
            await asyncio.sleep(0.05)
    return found


async def pull(project: Project, wheel: Path) -> str:
    """Run the command that the hint names, with the wheel that was brought."""
    arguments = ["models", "pull", "doubler", "--from", str(wheel)]
    code = "import sys; from callboard.cli import main; sys.exit(main(sys.argv[1:]))"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, *arguments],
        cwd=project.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("how", ["missing", "altered"])
async def test_a_job_waits_for_its_model(project: Project, wheel: Path, how: str) -> None:
    """Without its model, or with one byte of it flipped, a job waits and names the command; once run, it goes on."""
    pack = packs_of(project.settings.runtime)["doubler"]
    stored = place(pack, project.folder / "store") / "doubler.onnx"
    if how == "altered":
        await pull(project, wheel)
        content = bytearray(stored.read_bytes())
        content[len(content) // 2] ^= 1
        stored.write_bytes(content)
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        catalog = daemon.board.catalog
        (project.folder / "footage" / "a.mp4").write_text("sunset")
        (job,) = await until(lambda: catalog.read(jobs.blocked))
        why = job.why
        assert why is not None
        assert (why.code, why.hint) == ("model-missing", "callboard models pull doubler")
        assert ("is not the file" if how == "altered" else "is not there") in why.message
        assert "every byte checked" in await pull(project, wheel)
        sidecar = project.folder / "footage" / "a.mp4.xmp"
        await until(sidecar.exists)
        assert catalog.read(jobs.counts) == {"done": 1}
        daemon.stopping.set()
        await serving
    assert ">42<" in sidecar.read_text()
