"""A project's workflow on a ComfyUI server makes placeholders; the server is a real one that speaks its protocol."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from callboard.errors import Blocked, JobError
from callboard.manifests import load_manifest, resolve_parameters
from callboard.plugin.context import Cancelled, JobContext, Surroundings
from callboard.testing import HookFailed, PluginHarness, make_event
from callboard.testing.comfyserver import ComfyServer
from callboard.testing.ports import reserved_port
from callboard.timedtext.rate import Rate
from callboard_placeholder.comfy import comfyui, running
from callboard_placeholder.engine import Made, Order
from callboard_schemas import Brief, Placeholder, PlaceholderRequested
from PIL import Image

MANIFEST = Path(sys.modules["callboard_placeholder"].__file__ or "").with_name("manifest.toml")
WORKFLOW: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny.safetensors"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1},
        "_meta": {"title": "callboard:width,height"},
    },
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "", "clip": ["4", 1]},
        "_meta": {"title": "callboard:prompt"},
    },
    "7": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "", "clip": ["4", 1]},
        "_meta": {"title": "Callboard: negative"},
    },
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["4", 0], "seed": 0, "steps": 4, "cfg": 1.0, "sampler_name": "euler",
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], "denoise": 1.0,
        },
        "_meta": {"title": "callboard:seed"},
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "harbour"}},
}  # fmt: skip
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ComfyServer]:
    """A server with nothing to do, for whose answers there is time on any machine."""
    monkeypatch.setattr(running, "_SOON", 100.0)
    (tmp_path / "comfy").mkdir()
    server = ComfyServer(tmp_path / "comfy")
    yield server
    server.close()


class Bench:
    """What the maker gives an engine."""

    def __init__(self, context: JobContext, folder: Path, said: Callable[[float, str], None]) -> None:
        self.context, self.folder, self._said = context, folder, said

    def progress(self, fraction: float, note: str = "") -> None:
        """Pass it on, as the maker does."""
        self._said(fraction, note)
        self.context.progress(fraction, note)


class Project:
    """A project with a workflow."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.said: list[tuple[float, str]] = []
        self.when: Callable[[float], object] = lambda _: None
        self.context = self._context({})
        self.made = 0

    def _context(self, more: dict[str, Any]) -> JobContext:
        given = {"comfy_server": self.url, "comfy_workflow": str(self.folder / "flow.json"), **more}
        return JobContext(
            parameters=resolve_parameters(load_manifest(MANIFEST), {k: v for k, v in given.items() if v}),
            path=None,
            asset=None,
            log=logging.getLogger("test"),
            surroundings=Surroundings(),
            project=self.folder,
        )

    def make(self, change: Change = dict, nodes: dict[str, Any] | None = None, **given: Any) -> Made:
        """Run the workflow, changed, for six pictures of a harbour; *given* are fields of the order and parameters."""
        flow = json.loads(json.dumps(nodes if nodes is not None else WORKFLOW))
        change(flow)
        (self.folder / "flow.json").write_text(json.dumps(flow))
        own = {name: given.pop(name) for name in tuple(given) if name in Order.__struct_fields__}
        brief = {name: given.pop(name) for name in tuple(given) if name in Brief.__struct_fields__}
        self.context = self._context(given)
        order = Order(
            shot="SH010",
            brief=msgspec.convert({"purpose": "The harbour at night.", **brief}, Brief),
            rate=Rate(24, 1),
            parameters=self.context.parameters,
            **{"width": 160, "height": 90, "frames": 6, "seed": 7, **own},
        )
        self.made += 1
        (work := self.folder / f"work{self.made}").mkdir()
        return comfyui(order, Bench(self.context, work, self._hear))

    def _hear(self, fraction: float, note: str) -> None:
        self.said.append((fraction, note))
        self.when(fraction)


@pytest.fixture
def project(tmp_path: Path, server: ComfyServer) -> Project:
    """A project that names the server."""
    (tmp_path / "film").mkdir()
    return Project(tmp_path / "film", server.url)


def pictures(made: Made) -> list[np.ndarray[Any, Any]]:
    """All of them."""
    return list(made.pictures)


def test_a_workflow_makes_a_shot(project: Project, server: ComfyServer) -> None:
    """The brief goes into the titled nodes, progress comes back, and what was sent is kept beside the pictures."""
    made = project.make(movement="pan right")
    shot = pictures(made)
    assert [picture.shape for picture in shot] == [(90, 160, 3)] * 6
    assert (shot[0] != shot[-1]).any()
    (sent,) = server.prompts
    assert sent["6"]["inputs"]["text"] == made.prompt
    assert "The harbour at night" in made.prompt
    assert sent["7"]["inputs"]["text"] == made.negative
    assert sent["3"]["inputs"]["seed"] == made.seed == 7
    assert (sent["5"]["inputs"]["width"], sent["5"]["inputs"]["height"]) == (160, 88)
    assert made.workflow is not None
    assert json.loads(made.workflow.read_text()) == sent
    assert made.models["ComfyUI"] == "0.3.75"
    assert made.parameters["weights"] == ["tiny.safetensors"]
    assert made.source_type == "trainedAlgorithmicMedia"
    assert any("one generated picture, moved (pan right)" in note for note in made.notes)
    heard = [fraction for fraction, _ in project.said]
    assert heard == sorted(heard)
    assert any("callboard:seed (KSampler, node 3)" in note for _, note in project.said)


def test_the_seed_decides(project: Project, server: ComfyServer) -> None:
    """The same order gives the same pictures, from the server's cache too; another seed gives others."""
    first, again, other = (pictures(project.make(seed=seed))[0] for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()
    assert len(server.prompts) == 3


def test_as_many_pictures_as_frames(project: Project) -> None:
    """A batch of as many pictures as were ordered is the shot, one for one."""

    def batch(flow: dict[str, Any]) -> None:
        flow["5"]["_meta"]["title"] = "callboard:width,height,frames"

    made = project.make(batch)
    assert len({picture.tobytes() for picture in pictures(made)}) == 6
    assert not [note for note in made.notes if "picture" in note]


def test_fewer_pictures_are_spread(project: Project) -> None:
    """Three pictures for six frames are each shown twice, and that is told."""
    made = project.make(lambda flow: flow["5"]["inputs"].update(batch_size=3))
    shot = pictures(made)
    assert [(one == two).all() for one, two in zip(shot[::2], shot[1::2], strict=True)] == [True] * 3
    assert any(note.startswith("3 pictures came for 6 frames") for note in made.notes)


@pytest.mark.parametrize(("rate", "frames", "kinds"), [(24, 6, 6), (12, 3, 3), (24, 4, 4), (24, 9, 6)])
def test_a_film_is_conformed(project: Project, rate: int, frames: int, kinds: int) -> None:
    """A film gives exact frames: one for one, by time where its rate differs, and its last one held at the end."""

    def film(flow: dict[str, Any]) -> None:
        flow["5"]["inputs"].update(batch_size=frames)
        flow["9"] = {"class_type": "VHS_VideoCombine", "inputs": {"images": ["8", 0], "frame_rate": rate}}

    made = project.make(film, width=160, height=96)
    shot = pictures(made)
    assert len(shot) == 6
    assert len({picture.tobytes() for picture in shot}) == kinds
    assert any("the film lasts" in note for note in made.notes) == (frames != 6)


def test_it_starts_from_a_reference(project: Project, server: ComfyServer) -> None:
    """The brief's reference is uploaded at the asked size, and the node loads it."""
    left = np.zeros((180, 320, 3), np.uint8)
    left[:, :160] = 255
    Image.fromarray(left).save(project.folder / "look.png")

    def image(flow: dict[str, Any]) -> None:
        flow["10"] = {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "_meta": {"title": "callboard:image"}}
        flow["11"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0], "vae": ["4", 2]}}
        flow["3"]["inputs"].update(latent_image=["11", 0])
        flow["3"]["_meta"]["title"] = "callboard:seed,strength"

    made = project.make(image, references=["look.png"], diffusion_strength=0.05, movement="static")
    picture = pictures(made)[0].astype(int)
    assert picture[:, :60].mean() > 220
    assert picture[:, 100:].mean() < 30
    assert list(made.references) == ["look.png"]
    (stored,) = (server.folder / "input" / "callboard").iterdir()
    with Image.open(stored) as kept:
        assert kept.size == (160, 88)
    with pytest.raises(JobError, match=r"callboard:image \(LoadImage, node 10\) wants a picture"):
        project.make(image)


def broken(node: str, **inputs: Any) -> Change:
    """Make a change of a node's inputs."""
    return lambda flow: flow[node]["inputs"].update(inputs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (broken("4", ckpt_name="gone.ckpt"), r"CheckpointLoaderSimple, node 4\): Value not in list \(ckpt_name"),
        (broken("3", steps=0), r"callboard:seed \(KSampler, node 3\): Value 0 smaller than min of 1"),
        (lambda flow: flow["8"]["inputs"].pop("vae"), r"node 8\): Required input is missing \(vae\)"),
        (broken("8", samples=["6", 0]), "Return type mismatch"),
        (lambda flow: flow["8"].update(class_type="Nowhere"), "node Nowhere does not exist"),
        (lambda flow: flow.pop("9"), "Prompt has no outputs"),
    ],
)
def test_what_the_server_refuses_names_the_node(project: Project, change: Change, said: str) -> None:
    """A workflow that the server refuses is told with the node's title and what is wrong with it."""
    with pytest.raises(JobError, match=said):
        project.make(change)


def test_what_fails_on_the_way_names_the_node(project: Project, server: ComfyServer) -> None:
    """A node that fails is named, with the server's own words; the next workflow runs."""
    server.fails = "VAEDecode"
    with pytest.raises(JobError, match=r"failed at VAEDecode \(VAEDecode, node 8\): RuntimeError: mat1 and mat2"):
        project.make()
    server.fails = ""
    assert len(pictures(project.make())) == 6


def test_a_cancelled_job_is_interrupted(project: Project, server: ComfyServer) -> None:
    """A job that is cancelled while its workflow runs stops it on the server, and that one alone."""
    server.hold.clear()

    def cancel() -> None:
        project.context.cancelled.set()

    project.when = lambda _: cancel() if server.waiting.is_set() else None
    with pytest.raises(Cancelled):
        project.make()
    assert [route for route, _ in server.posted] == ["/prompt", "/interrupt"]
    server.waiting.clear()
    project.when = lambda _: server.hold.set() if server.waiting.is_set() else None
    assert len(pictures(project.make())) == 6
    first = next(iter(server.history.values()))
    assert [kind for kind, _ in first["status"]["messages"]][-1] == "execution_interrupted"


def test_a_cancelled_job_leaves_the_queue(project: Project, server: ComfyServer, tmp_path: Path) -> None:
    """A job that is cancelled while it waits behind another leaves the queue; the other goes on."""
    server.hold.clear()
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", server.url)
    came: list[Made] = []
    thread = threading.Thread(target=lambda: came.append(other.make(seed=99)))
    thread.start()
    assert server.waiting.wait(60)

    def cancel() -> None:
        project.context.cancelled.set()

    project.when = lambda _: cancel() if server.pending else None
    with pytest.raises(Cancelled):
        project.make()
    assert server.posted[-1][0] == "/queue"
    assert not server.pending
    assert len(server.running) == 1
    server.hold.set()
    thread.join(60)
    assert len(pictures(came[0])) == 6


def test_a_lost_connection_is_made_again(project: Project, server: ComfyServer) -> None:
    """A socket that breaks off is opened again, and nothing is queued twice."""
    server.hold.clear()
    dropped = threading.Event()

    def when(_: float) -> None:
        if server.waiting.is_set() and not dropped.is_set():
            dropped.set()
            server.drop_sockets()
        elif dropped.is_set() and server.sockets:
            server.hold.set()

    project.when = when
    assert len(pictures(project.make())) == 6
    assert len(server.prompts) == 1


def test_a_server_that_forgets_is_asked_again(project: Project, server: ComfyServer) -> None:
    """A server that is started anew in the middle gets the workflow again, and that is told."""
    server.hold.clear()

    def when(_: float) -> None:
        if server.waiting.is_set() and not server.hold.is_set():
            server.forget()
            server.hold.set()

    project.when = when
    made = project.make()
    assert len(pictures(made)) == 6
    assert len(server.prompts) == 2
    assert server.prompts[0] == server.prompts[1]
    assert any("queued again" in note for note in made.notes)


def test_without_messages_the_history_tells(
    project: Project, server: ComfyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow whose messages are all lost is found done in the history."""
    monkeypatch.setattr(running, "_ASK", 0.2)
    server.silent = True
    assert len(pictures(project.make())) == 6


def test_a_job_that_begins_before_it_can_leave_the_queue_is_interrupted(
    project: Project, server: ComfyServer, tmp_path: Path
) -> None:
    """A cancelled job whose turn comes just then is stopped: the server does not go on with what nobody wants."""
    server.hold.clear()
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", server.url)
    failures: list[str] = []

    def first() -> None:
        with pytest.raises(JobError) as stopped:
            other.make(seed=99)
        failures.append(stopped.value.message)

    def its_turn() -> None:
        server.waiting.clear()
        server.interrupted = True  # somebody stops the first in ComfyUI, and the second begins
        assert server.waiting.wait(60)

    thread = threading.Thread(target=first)
    thread.start()
    assert server.waiting.wait(60)
    server.before_delete = its_turn
    project.when = lambda _: project.context.cancelled.set() if server.pending else None
    with pytest.raises(Cancelled):
        project.make()
    assert [route for route, _ in server.posted[-2:]] == ["/queue", "/interrupt"]
    assert server.interrupted
    thread.join(60)
    assert failures == ["somebody stopped the workflow in ComfyUI"]


def test_a_server_that_is_away_blocks(project: Project) -> None:
    """Where nobody answers the job waits, and is told where it asked."""
    with reserved_port() as port:
        project.url = f"http://127.0.0.1:{port}"
        with pytest.raises(Blocked, match=project.url):
            project.make()


def test_too_long_is_told(project: Project, server: ComfyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow that is begun and takes too long is stopped."""
    late = 0.0

    def when(_: float) -> None:
        nonlocal late
        if project.said[-1][1].startswith("ComfyUI"):  # the server has begun
            late = 601.0

    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + late, sleep=time.sleep))
    server.hold.clear()
    project.when = when
    with pytest.raises(JobError, match="not done within 600 s"):
        project.make(comfy_seconds=600.0)
    assert server.posted[-1][0] == "/interrupt"


def test_too_large_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is fetched than a limit."""
    monkeypatch.setattr("callboard_placeholder.comfy.results._PICTURE_BYTES", 1 << 10)
    with pytest.raises(JobError, match="has more than"):
        project.make()


def test_two_results_are_a_question(project: Project) -> None:
    """Where two nodes save pictures, the one titled so is taken; without a title both are named."""

    def two(flow: dict[str, Any]) -> None:
        flow["12"] = {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "other"}}

    def titled(flow: dict[str, Any]) -> None:
        two(flow)
        flow["12"]["_meta"] = {"title": "callboard:output"}

    with pytest.raises(JobError, match=r"SaveImage, node 9.*SaveImage, node 12"):
        project.make(two)
    assert len(pictures(project.make(titled))) == 6
    preview = project.make(
        lambda flow: flow.update({"13": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}})
    )
    assert len(pictures(preview)) == 6


def test_nothing_is_sent_unless_a_project_says_where(project: Project, server: ComfyServer) -> None:
    """Without a server or a workflow in the settings the job waits, and says which setting is missing."""
    url, project.url = project.url, ""
    with pytest.raises(Blocked, match="no ComfyUI server") as blocked:
        project.make()
    assert "comfy_server" in blocked.value.hint
    project.url = url.replace("127.0.0.1", "example.com")
    with pytest.raises(JobError, match="unencrypted"):
        project.make()
    assert not server.prompts


def test_the_plugin_keeps_what_was_sent(project: Project, server: ComfyServer, tmp_path: Path) -> None:
    """A request makes a placeholder with the workflow beside it; what a project bans is never sent."""
    (project.folder / "flow.json").write_text(json.dumps(WORKFLOW))
    (shm := tmp_path / "shm").mkdir()
    harness = PluginHarness(shm)

    def request(purpose: str) -> Placeholder:
        asked = PlaceholderRequested(shot="SH010", frames=3, width=64, height=36, brief=Brief(purpose=purpose))
        event = make_event(kind="placeholder.requested", data=asked)
        given = {"comfy_server": server.url, "comfy_workflow": str(project.folder / "flow.json"), "codec": "png"}
        more = {"engines": ["comfyui"], "banned_terms": ["dragon"]}
        (answer,) = harness.run("callboard_placeholder", event=event, parameters={**given, **more})
        assert isinstance(answer, Placeholder)
        return answer

    made = request("The harbour at night.")
    (kept,) = [harness.output.parent / file.file for file in made.files if file.what == "workflow"]
    assert kept.name == "SH010_PLACEHOLDER_v001_comfyui.json"
    assert json.loads(kept.read_text()) == server.prompts[0]
    with pytest.raises(HookFailed, match="dragon"):
        request("A dragon over the harbour.")
    assert len(server.prompts) == 1
