"""The engine that draws loads whole pipelines of safetensors and nothing else, and says what it does not take."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelFault, ModelMissing
from callboard.packs import Pack, find_packs, locate, named, read_pack
from callboard.packs.packfile import Batch
from callboard.runtime import Control, NoMemory, Session, ladder
from callboard.runtime import calls as calls_module
from callboard.runtime.calls import Call, Piece
from callboard.runtime.engines.painting import Painter
from callboard.runtime.engines.pipeline import load_pipeline
from callboard.runtime.engines.pytorch import TorchEngine
from callboard.runtime.tickets import NOBODY
from callboard.testing.tinypainter import describe, make_controlnet, make_pipeline
from msgspec.structs import replace

SEEDS = np.array([3, 4], np.int64)
NOISE = np.random.default_rng(1).integers(0, 255, (2, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small pipeline's files and pack."""
    folder = tmp_path_factory.mktemp("sd")
    make_pipeline(folder)
    describe(folder, size=32)
    return folder


def load(folder: Path) -> Painter:
    """Load the pack in *folder*."""
    pack = read_pack(folder / "pack.toml")
    assert not pack.problem
    session = TorchEngine().load(pack, folder, RuntimeSettings(threads=1))
    assert isinstance(session, Painter)
    return session


@pytest.fixture(scope="module")
def painter(folder: Path) -> Painter:
    """It, loaded."""
    return load(folder)


@pytest.mark.parametrize("kind", ["xl", "controlnet"])
def test_other_pipelines_draw_too(tmp_path: Path, kind: str) -> None:
    """SDXL, and a ControlNet with what it is conditioned on, give the same picture alone and among others."""
    make_pipeline(tmp_path, **{kind: True})
    describe(tmp_path, size=32)
    session = load(tmp_path)
    more = {"condition": NOISE} if kind == "controlnet" else {}
    both = session.run({"seeds": SEEDS, **more}, {"prompt": "the harbour"}, Control())["images"]
    one = {name: array[1:] for name, array in more.items()}
    alone = session.run({"seeds": SEEDS[1:], **one}, {"prompt": "the harbour"}, Control())["images"]
    assert (both[1] == alone[0]).all()
    assert (both[0] != both[1]).mean() > 0.5
    if kind == "controlnet":
        other = {"condition": 255 - NOISE[1:]}
        turned = session.run({"seeds": SEEDS[1:], **other}, {"prompt": "the harbour"}, Control())["images"]
        assert (turned != alone).mean() > 0.1
        with pytest.raises(JobError, match="wants a condition"):
            session.run({"seeds": SEEDS}, {"prompt": "the harbour"}, Control())


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pack]:
    """What draws, SD and XL, and two ControlNets for SD, each a pack."""
    home = tmp_path_factory.mktemp("controlled")
    make_pipeline(home / "sd")
    make_pipeline(home / "xl", xl=True)
    for seed, name in enumerate(("depth", "pose")):
        make_controlnet(home / name, seed)
        describe(home / name, name, "controlnet", condition=name)
    for name in ("sd", "xl"):
        describe(home / name, name, size=32)
    for path in home.glob("*/pack.toml"):
        text = path.read_text().replace('"file"', f'"file", folder = "{path.parent}"')
        (home / f"{path.parent.name}.toml").write_text(text)
    return find_packs(home)


def test_controlnets_of_packs_of_their_own(controlled: dict[str, Pack]) -> None:
    """One or two ControlNets change what is drawn, each by what it is shown, from a picture too; the order counts."""
    other = np.ascontiguousarray(255 - NOISE[:1])

    def loaded(name: str) -> Session:
        pack = named(controlled, name)
        assert pack is not None
        return TorchEngine().load(pack, locate(pack), RuntimeSettings(threads=1))

    def draw(session: Session, **inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        asked: dict[str, np.ndarray[Any, Any]] = {"seeds": SEEDS[:1], "condition": NOISE[:1], **inputs}
        answer = session.run(asked, {"prompt": "the harbour", "steps": 4}, Control())
        picture: np.ndarray[Any, Any] = answer["images"]
        return picture

    session = loaded("sd+depth+pose")
    both = draw(session, condition_1=NOISE[:1])
    changed = [
        draw(session, condition_1=other),
        draw(session, condition=other, condition_1=NOISE[:1]),
        draw(session, condition_1=NOISE[:1], image=other),
        draw(loaded("sd+pose")),
    ]
    assert all((one != both).mean() > 0.1 for one in changed)
    assert (draw(session, condition_1=NOISE[:1]) == both).all()
    with pytest.raises(JobError, match="wants a condition: condition_1"):
        draw(session)
    with pytest.raises(ModelMissing, match=r"'pose'.*another kind of model"):
        loaded("xl+pose")
    with pytest.raises(ModelMissing, match=r"'xl'.*no ControlNet"):
        loaded("sd+xl")


def test_a_pack_with_its_controlnets_is_another_model(controlled: dict[str, Pack]) -> None:
    """Its digest and memory are those of all of them, and a part that is not here makes it unknown."""
    alone, both, turned = (named(controlled, name) for name in ("sd", "sd+depth+pose", "sd+pose+depth"))
    assert alone is not None
    assert both is not None
    assert turned is not None
    assert len({alone.digest, both.digest, turned.digest}) == 3
    assert both.memory_mb == 3 * alone.memory_mb
    assert named(controlled, "sd+nothing") is named(controlled, "nothing+pose") is None


def test_a_long_prompt_says_what_is_left_out(painter: Painter) -> None:
    """What is behind the model's last word is told, and a short prompt loses nothing."""
    words = "the harbour at night " * 40
    answer = painter.run({"seeds": SEEDS[:1]}, {"prompt": f"{words} film still"}, Control())
    assert answer["left_out"].endswith("film still")
    assert not painter.run({"seeds": SEEDS[:1]}, {"prompt": "film still"}, Control())["left_out"]


@pytest.mark.parametrize(
    ("inputs", "options", "said"),
    [
        ({}, {"prompt": "a"}, "takes 'seeds'"),
        ({"seeds": np.array([-1], np.int64)}, {"prompt": "a"}, "none below 0"),
        ({"seeds": SEEDS}, {}, "wants a prompt"),
        ({"seeds": SEEDS}, {"prompt": "a", "width": 63}, "multiples of 2"),
        ({"seeds": SEEDS}, {"prompt": "a", "steps": 0}, "1 to 200 steps"),
        ({"seeds": SEEDS}, {"prompt": "a", "sampler": "x"}, "unknown options"),
        ({"seeds": SEEDS, "image": NOISE[:1]}, {"prompt": "a"}, "takes 'image' as uint8"),
        ({"seeds": SEEDS, "image": NOISE}, {"prompt": "a", "strength": 0.1}, "takes no step"),
        ({"seeds": SEEDS, "condition": NOISE}, {"prompt": "a"}, "no ControlNet"),
    ],
)
def test_refuses_what_it_does_not_take(
    painter: Painter, inputs: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    """Wrong arrays and options are told by name."""
    with pytest.raises(JobError, match=said):
        painter.run(inputs, options, Control())


def test_stops_between_two_steps(painter: Painter) -> None:
    """A call that is stopped in its first step takes no second."""
    steps: list[float] = []

    def follow(fraction: float) -> None:
        steps.append(fraction)
        control.stop()

    control = Control(follow)
    with pytest.raises(JobError, match="stopped"):
        painter.run({"seeds": SEEDS}, {"prompt": "a", "steps": 50}, control)
    assert steps == [1 / 100]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(MemoryError(), NoMemory), (RuntimeError("CUDA out of memory. Tried"), NoMemory), (ValueError("x"), JobError)],
)
def test_memory_that_runs_out_is_said_so(
    painter: Painter, monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: type[Exception]
) -> None:
    """The runtime hears that memory is short, whatever the library calls it, and can go on elsewhere."""

    def short(*_: object, **__: object) -> None:
        raise raised

    with monkeypatch.context() as patched:
        patched.setattr(painter._pipe.unet, "forward", short)
        with pytest.raises(expected):
            painter.run({"seeds": SEEDS}, {"prompt": "a"}, Control())
    assert painter.run({"seeds": SEEDS}, {"prompt": "a"}, Control())["images"].shape == (2, 32, 32, 3)


def test_what_is_no_number_is_a_fault(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half precision that overflows gives NaN; that is told, and no black picture handed out."""
    decode = painter._pipe.vae.decode

    def overflown(*given: Any, **more: Any) -> Any:
        return tuple(part * float("nan") for part in decode(*given, **more))

    monkeypatch.setattr(painter._pipe.vae, "decode", overflown)
    with pytest.raises(ModelFault, match="NaN"):
        painter.run({"seeds": SEEDS[:1]}, {"prompt": "a"}, Control())


def test_its_own_checker_is_heard(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that the pipeline's own checker refuses is an error, with the seed."""
    monkeypatch.setattr(painter._pipe, "run_safety_checker", lambda image, *_: (image, [True]))
    with pytest.raises(JobError, match="seed 3"):
        painter.run({"seeds": SEEDS}, {"prompt": "a"}, Control())


def test_calls_that_are_batched_give_the_same(painter: Painter) -> None:
    """A pack that lets its calls be joined answers each with its own pictures, the same as alone."""
    pack = replace(painter._pack, batch=Batch(most=4))
    session = Painter(pack, painter._pipe, "cpu")
    calls = [Call(pack.name, {"seeds": SEEDS[at : at + 1]}, {"prompt": "a"}, NOBODY, None) for at in range(2)]
    for call in calls:
        call.prepare(pack)
    outcome = ladder.run(pack, calls_module.Batch([Piece(call) for call in calls], session))
    assert not outcome.failed
    alone = painter.run({"seeds": SEEDS}, {"prompt": "a"}, Control())["images"]
    assert [(answer["images"][0] == alone[at]).all() for at, (_, answer) in enumerate(outcome.answers)] == [True, True]


Change = Callable[[Path], object]


def without(path: str) -> Change:
    """Make a change that takes a file away."""
    return lambda folder: (folder / path).unlink()


def index(**parts: object) -> Change:
    """Make a change of the pipeline's index."""

    def change(folder: Path) -> None:
        given = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps({**given, **parts}))

    return change


def shrink(folder: Path) -> None:
    """Take a weight out of the network."""
    from safetensors.numpy import load_file, save_file

    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights.pop("conv_in.weight")
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("model_index.json"), "model_index.json cannot be read"),
        (index(_class_name=["pipeline", "Mine"]), "no pipeline of diffusers"),
        (index(_class_name="DiffusionPipeline"), "no pipeline of diffusers"),
        (index(unet=["os", "system"]), "wants os.system"),
        (index(unet=["diffusers", "nowhere"]), "wants diffusers.nowhere"),
        (lambda folder: shutil.rmtree(folder / "vae"), "a part 'vae', of which the pack has no file"),
        (shrink, "unet lacks 1 weights, such as conv_in.weight"),
        (lambda folder: (folder / "unet" / "x.bin").write_bytes(b"a pickle"), "x.bin is a pickle"),
    ],
)
def test_what_is_no_whole_pipeline(folder: Path, tmp_path: Path, change: Change, said: str) -> None:
    """A pack that is not whole, or names code, is refused when it is loaded, and no weight is made up."""
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    change(copied)
    pack = read_pack(describe(copied))
    with pytest.raises(ModelMissing, match=said):
        load_pipeline(pack, copied, torch.float32, "cpu")


def test_a_pickle_is_refused_before(folder: Path, tmp_path: Path) -> None:
    """A pack with a pickle among its files is refused without being loaded."""
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copied / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
    describe(copied)
    pack = find_packs(copied)["tiny-painter"]
    with pytest.raises(ModelMissing, match="can carry code"):
        locate(pack)


def test_without_diffusers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed, the command that installs it is told."""
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ModelMissing) as missing:
        TorchEngine().devices(read_pack(folder / "pack.toml"))
    assert missing.value.hint == "pip install 'callboard[diffusion]'"


def test_another_scheduler(folder: Path, painter: Painter) -> None:
    """A pack may name another scheduler of diffusers; one that is none is refused."""
    pack = read_pack(folder / "pack.toml")
    other = replace(pack, options={**pack.options, "scheduler": "DDIMScheduler"})
    answer = Painter(other, load_pipeline(other, folder, torch.float32, "cpu"), "cpu").run(
        {"seeds": SEEDS[:1]}, {"prompt": "a"}, Control()
    )
    assert answer["scheduler"] == "DDIMScheduler"
    assert (answer["images"] != painter.run({"seeds": SEEDS[:1]}, {"prompt": "a"}, Control())["images"]).any()
    wrong = replace(pack, options={**pack.options, "scheduler": "UNet2DModel"})
    with pytest.raises(ModelMissing, match="no scheduler 'UNet2DModel'"):
        load_pipeline(wrong, folder, torch.float32, "cpu")
