"""A small pipeline with random weights draws placeholders, end to end: pack, runtime process, engine."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelMissing
from callboard.manifests import load_manifest, resolve_parameters
from callboard.packs import Pack, read_pack
from callboard.plugin.context import Cancelled, JobContext, Surroundings
from callboard.runtime.client import RuntimeClient
from callboard.testing import HookFailed, PluginHarness, make_event
from callboard.testing.tinypainter import describe, make_controlnet, make_pipeline
from callboard.timedtext.rate import Rate
from callboard_placeholder.diffusion import diffusion
from callboard_placeholder.diffusion.choosing import controls
from callboard_placeholder.diffusion.depth import depth
from callboard_placeholder.diffusion.keeping import keeping
from callboard_placeholder.engine import Array, Made, Order
from callboard_schemas import Brief, Placeholder, PlaceholderRequested
from PIL import Image

MANIFEST = Path(sys.modules["callboard_placeholder"].__file__ or "").with_name("manifest.toml")


class Bench:
    """What the maker gives an engine."""

    def __init__(self, context: JobContext, folder: Path, said: Callable[[float], None] = lambda _: None) -> None:
        self.context, self.folder, self._said = context, folder, said

    def progress(self, fraction: float, note: str = "") -> None:
        """Pass it on, as the maker does."""
        self._said(fraction)
        self.context.progress(fraction, note)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack that draws."""
    folder = tmp_path_factory.mktemp("painter")
    make_pipeline(folder)
    pack = read_pack(describe(folder))
    assert not pack.problem
    return pack


@pytest.fixture(scope="module")
def guided(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack with a ControlNet for depth, beside the other."""
    folder = tmp_path_factory.mktemp("guided")
    make_pipeline(folder, controlnet=True)
    text = describe(folder, "guided", condition="depth").read_text()
    path = Path(pack.origin).with_name("guided.toml")
    path.write_text(text.replace('{kind = "file"}', f'{{kind = "file", folder = "{folder}"}}'))
    return read_pack(path)


@pytest.fixture(scope="module")
def nets(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> list[Pack]:
    """ControlNets for depth and for pose, each a pack of its own beside what draws."""
    made = []
    for seed, condition in enumerate(("depth", "pose")):
        folder = tmp_path_factory.mktemp(condition)
        make_controlnet(folder, seed)
        text = describe(folder, f"tiny-{condition}", "controlnet", condition=condition).read_text()
        path = Path(pack.origin).with_name(f"{condition}.toml")
        path.write_text(text.replace('{kind = "file"}', f'{{kind = "file", folder = "{folder}"}}'))
        made.append(read_pack(path))
    return made


@pytest.fixture(scope="module")
def runtime(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A runtime process that knows it: its address, and the folder for arrays."""
    folder = tmp_path_factory.mktemp("runtime")
    address, shm = folder / "socket", folder / "shm"
    shm.mkdir()
    settings = RuntimeSettings(threads=1, models=str(Path(pack.origin).parent))
    command = [sys.executable, "-m", "callboard.runtime.process", str(address), str(shm)]
    process = subprocess.Popen([*command, "--settings", msgspec.json.encode(settings).decode()], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield str(address), shm
    process.terminate()
    try:
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def bench(runtime: tuple[str, Path], pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose context reaches that process, in a project of its own."""
    monkeypatch.setenv("CALLBOARD_PACKS", str(Path(pack.origin).parent))
    surroundings = Surroundings(*runtime)
    context = context_of(tmp_path, {pack.name: pack.digest}, surroundings)
    yield Bench(context, tmp_path)
    context.close()
    surroundings.close()


def context_of(project: Path, models: dict[str, str], surroundings: Surroundings, **given: Any) -> JobContext:
    """Make a job's context; *given* are the project's settings."""
    return JobContext(
        parameters=resolve_parameters(load_manifest(MANIFEST), given),
        path=None,
        asset=None,
        log=logging.getLogger("test"),
        surroundings=surroundings,
        models=models,
        project=project,
    )


def order(bench: Bench, **given: Any) -> Order:
    """An order for six pictures of a harbour; *given* are its fields, parameters and those of the brief."""
    brief = {"purpose": "The harbour at night.", "shot_size": "wide shot", "movement": "pan left"}
    named = {name: given.pop(name) for name in tuple(given) if name in Brief.__struct_fields__}
    own = {name: given.pop(name) for name in tuple(given) if name in Order.__struct_fields__}
    size = {"width": 160, "height": 90, "frames": 6, "seed": 7}
    return Order(
        shot="SH010",
        brief=msgspec.convert({**brief, **named}, Brief),
        rate=Rate(24, 1),
        parameters={**bench.context.parameters, **given},
        **{**size, **own},
    )


def pictures(made: Made) -> list[Array]:
    """All of them."""
    return list(made.pictures)


def test_a_brief_becomes_a_shot(bench: Bench, pack: Pack) -> None:
    """Pictures come at the ordered size and number, move, and everything that made them is told."""
    far: list[float] = []
    made = diffusion(asked := order(bench), Bench(bench.context, bench.folder, far.append))
    shot = pictures(made)
    assert [picture.shape for picture in shot] == [(90, 160, 3)] * 6
    assert all(picture.dtype == np.uint8 for picture in shot)
    assert shot[0].std() > 10
    assert (shot[0] != shot[-1]).mean() > 0.3
    assert made.source_type == "trainedAlgorithmicMedia"
    assert made.prompt.startswith("wide shot film still, The harbour at night")
    assert "watermark" in made.negative
    assert (made.seed, made.models) == (7, {pack.name: pack.digest})
    told = made.parameters
    assert (told["steps"], told["guidance"], told["scheduler"], told["device"]) == (
        2,
        3.0,
        "EulerDiscreteScheduler",
        "cpu",
    )
    assert (told["width"], told["height"]) == (88, 48)  # about as many pixels as 64 x 64, in the shape of 16:9
    assert "diffusers" in str(told["libraries"])
    assert any("moved (pan left)" in note for note in made.notes)
    assert any("unsafe content" in note for note in made.notes)
    assert 0 < max(far) <= 0.9
    assert asked.brief.movement == "pan left"


def test_the_seed_decides(bench: Bench) -> None:
    """The same order gives the same pictures whatever came between; another seed gives others."""
    first = pictures(diffusion(order(bench), bench))
    other = pictures(diffusion(order(bench, seed=8), bench))
    again = pictures(diffusion(order(bench), bench))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert (first[0] != other[0]).mean() > 0.5


def test_it_starts_from_a_reference(bench: Bench, tmp_path: Path) -> None:
    """With little strength what comes out is near the brief's reference, which is told with its digest."""
    left = np.zeros((100, 200, 3), np.uint8)
    left[:, :100] = 255
    Image.fromarray(left).save(tmp_path / "look.png")
    shown = {}
    for strength in (0.05, 1.0):
        made = diffusion(order(bench, references=("look.png",), movement="static", diffusion_strength=strength), bench)
        shown[strength] = pictures(made)[0].astype(int)
        assert list(made.references) == ["look.png"]
        assert made.references["look.png"].startswith("sha256:")
        assert any("starts from the reference look.png" in note for note in made.notes)
        steps, least = made.parameters["steps"], 1 / strength
        assert isinstance(steps, int)
        assert steps >= least
    plain = pictures(diffusion(order(bench, movement="static"), bench))[0].astype(int)
    assert (shown[0.05] != plain).mean() > 0.5
    assert (shown[0.05] != shown[1.0]).mean() > 0.5


@pytest.mark.parametrize("name", ["../outside.png", "/etc/hostname", "missing.png"])
def test_only_the_projects_pictures_are_read(bench: Bench, tmp_path: Path, name: str) -> None:
    """A reference that is not in the project is refused by its name."""
    with pytest.raises(JobError, match="is not in the project"):
        diffusion(order(bench, references=(name,)), bench)


def test_a_cancelled_job_stops_the_model(bench: Bench, runtime: tuple[str, Path], pack: Pack) -> None:
    """A job that is cancelled while the model draws ends at once, and the model is free behind its next step."""

    def said(fraction: float) -> None:
        if fraction > 0:
            bench.context.cancelled.set()

    endless = order(bench, diffusion_steps=200, diffusion_size=128)
    with pytest.raises(Cancelled):
        diffusion(endless, Bench(bench.context, bench.folder, said))
    client = RuntimeClient(*runtime)
    answer = client.call(pack.name, {"seeds": np.array([1], np.int64)}, prompt="a harbour")
    assert answer["images"].shape == (1, 64, 64, 3)
    client.close()


def test_a_name_that_no_pack_has(bench: Bench, tmp_path: Path) -> None:
    """A model that the settings name and nobody has is asked for with the commands that bring one; no request may."""
    context = context_of(tmp_path, {}, Surroundings(), diffusion_model="nowhere")
    with pytest.raises(ModelMissing, match="callboard models pull"):
        diffusion(order(bench), Bench(context, tmp_path))


def test_without_a_model(bench: Bench, tmp_path: Path) -> None:
    """Where no model is here the job waits, and says exactly what to type."""
    empty = context_of(tmp_path, {}, Surroundings())
    with pytest.raises(Blocked) as blocked:
        diffusion(order(bench), Bench(empty, tmp_path))
    assert "callboard models add-hub SimianLuo/LCM_Dreamshaper_v7" in blocked.value.hint
    assert "callboard models pull lcm_dreamshaper_v7" in blocked.value.hint


def test_no_restricted_licence_by_itself(
    pack: Pack, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose licence forbids commercial work draws only where the project names it, and says so."""
    text = Path(pack.origin).read_text().replace("CC0-1.0", "LicenseRef-sai-nc-community").replace(pack.name, "turbo")
    folder = Path(pack.origin).parent
    (tmp_path / "pack.toml").write_text(text.replace('{kind = "file"}', f'{{kind = "file", folder = "{folder}"}}'))
    monkeypatch.setenv("CALLBOARD_PACKS", str(tmp_path))
    turbo = read_pack(tmp_path / "pack.toml")
    context = context_of(tmp_path, {turbo.name: turbo.digest}, Surroundings())
    with pytest.raises(Blocked, match='diffusion_model = "turbo"'):
        diffusion(order(bench), Bench(context, tmp_path))


def test_wide_pixels_are_not_stretched(bench: Bench) -> None:
    """For pixels that are twice as wide the model draws a wider picture."""
    made = diffusion(order(bench, width=80, pixel_aspect=Fraction(2)), bench)
    assert (made.parameters["width"], made.parameters["height"]) == (88, 48)
    assert pictures(made)[0].shape == (90, 80, 3)


@pytest.mark.timeout(900)  # Blender, several times, on a machine with much else to do
def test_it_goes_by_the_depth_of_a_previs(bench: Bench, guided: Pack, tmp_path: Path) -> None:
    """A ControlNet for depth is given that of a scene which Blender builds of the brief; the scene is kept."""
    asked = order(bench, people=1, shot_size="medium shot", movement="static", diffusion_from="previs")
    surroundings = bench.context._surroundings
    context = context_of(tmp_path, {}, surroundings, diffusion_model=guided.name)
    made = diffusion(asked, Bench(context, tmp_path))
    assert len(pictures(made)) == 6
    assert made.models[guided.name] == guided.digest
    assert "Blender" in made.models
    assert made.scene is not None
    assert made.scene.read_bytes()
    assert "it goes by the depth of the previs" in made.notes
    assert not made.references
    seen = depth(made.scene, 160, 88, Bench(context, tmp_path))
    assert seen.shape == (88, 160, 3)
    middle, top = seen[30:, :, 0], seen[:8, :, 0]
    assert middle.max() == 255  # who stands before the camera
    assert np.median(top) < 20  # the sky
    with pytest.raises(JobError, match='diffusion_from = "previs"'):
        diffusion(order(bench), Bench(context, tmp_path))


@pytest.mark.timeout(900)  # as above
def test_it_goes_by_depth_and_pose_of_a_previs(bench: Bench, pack: Pack, nets: list[Pack], tmp_path: Path) -> None:
    """ControlNets that are here are put to the model, for what is asked for; the same again gives the same picture."""
    shown: list[Array] = []
    there = {one.name: one.digest for one in (pack, *nets)}
    context = context_of(tmp_path, there, bench.context._surroundings)
    asked = order(bench, people=1, shot_size="medium shot", movement="static", diffusion_from="previs", frames=1)
    for keeps in (["pose", "depth"], ["depth", "pose"]):
        (folder := tmp_path / keeps[0]).mkdir()
        asked = msgspec.structs.replace(asked, parameters={**asked.parameters, "diffusion_keeps": keeps})
        made = diffusion(asked, Bench(context, folder))
        shown += pictures(made)
        assert made.models.items() >= there.items()
        assert "it goes by the depth and the pose of the previs" in made.notes
    assert (shown[0] == shown[1]).all()
    free = msgspec.structs.replace(asked, parameters={**asked.parameters, "diffusion_keeps": []})
    for one, scene in ((free, made.scene), (asked, None)):
        assert keeping(pack, scene, one, (88, 48), Bench(context, tmp_path)).model == pack.name


def test_a_controlnet_that_does_not_fit_is_left_out(bench: Bench, pack: Pack, nets: list[Pack], tmp_path: Path) -> None:
    """One for a wider network, or whose licence forbids work, is not put to the model; of two that fit the first is."""
    make_controlnet(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"cross_attention_dim": 32', '"cross_attention_dim": 1024'))
    describe(tmp_path, "a-wider", "controlnet", condition="pose")
    wider = read_pack(tmp_path / "pack.toml")
    folder = Path(pack.origin).parent
    texts = {
        "a-wider": Path(wider.origin).read_text().replace('"file"', f'"file", folder = "{tmp_path}"'),
        "b-forbidden": Path(nets[1].origin).read_text().replace("CC0-1.0", "CC-BY-NC-4.0"),
        "z-later": Path(nets[1].origin).read_text(),
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text.replace(f'"{nets[1].name}"', f'"{name}"'))
    others = [read_pack(folder / f"{name}.toml") for name in texts]
    there = {one.name: one.digest for one in (pack, *others, *nets)}
    context = context_of(tmp_path, there, Surroundings())
    assert {asked: one.name for asked, one in controls(context, pack).items()} == {
        "depth": "tiny-depth",
        "pose": "tiny-pose",
    }
    xl = msgspec.structs.replace(pack, files=tuple(file for file in pack.files if "unet/" not in file.path))
    assert not controls(context, xl)
    for name in texts:
        (folder / f"{name}.toml").unlink()


def test_the_plugin_makes_versions_to_choose_from(
    runtime: tuple[str, Path], pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request for two versions gives two that differ, with everything that made them; a banned word makes none."""
    monkeypatch.setenv("CALLBOARD_PACKS", str(Path(pack.origin).parent))
    (shm := tmp_path / "shm").mkdir()
    client = RuntimeClient(*runtime)
    harness = PluginHarness(shm, client)

    def request(purpose: str) -> list[Placeholder]:
        brief = Brief(purpose=purpose, movement="static")
        asked = PlaceholderRequested(shot="SH010", frames=3, width=64, height=36, versions=2, seed=5, brief=brief)
        event = make_event(kind="placeholder.requested", data=asked)
        given = {"engines": ["diffusion"], "codec": "h264", "banned_terms": ["dragon"]}
        answers = harness.run("callboard_placeholder", event=event, parameters=given)
        return [answer for answer in answers if isinstance(answer, Placeholder)]

    first, second = request("The harbour at night.")
    assert (first.seed, second.seed) == (5, 6)
    assert first.digest != second.digest
    assert first.models == second.models == {pack.name: pack.digest}
    assert first.prompt == second.prompt
    assert first.source_type == "trainedAlgorithmicMedia"
    assert Path(first.file).name.startswith("SH010_PLACEHOLDER_v001_diffusion")
    again, _ = request("The harbour at night.")
    assert (again.file, again.digest) == (first.file, first.digest)
    with pytest.raises(HookFailed, match="dragon"):
        request("A dragon over the harbour.")
    client.close()
