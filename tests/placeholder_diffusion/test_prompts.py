"""Briefs become prompts by a template, single pictures become shots, repositories become packs that draw."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from callboard.errors import JobError, PullError
from callboard.packs.packfile import PackFile
from callboard.packs.painters import SUGGESTED, TASK, about, recognise
from callboard.packs.recipe import Offer, checkpoint_pack, name_of
from callboard.packs.recommended import RECOMMENDED
from callboard.timedtext.rate import Rate
from callboard_placeholder.diffusion.choosing import restricted
from callboard_placeholder.engine import Order
from callboard_placeholder.moved import conformed, moved, window
from callboard_placeholder.prompts import FIELDS, colour, compose, read
from callboard_schemas import MOVEMENTS, Brief

HARBOUR = Brief(
    purpose="Ana waits for the last ferry.",
    shot_size="close-up",
    angle="low angle",
    people=1,
    cast=("Ana Torres",),
    place="harbour",
    interior=False,
    time_of_day="night",
    mood="lonely",
    lens=85,
    palette=("#1b2a3c", "#d08030"),
)


def test_the_built_in_template_says_what_the_brief_says() -> None:
    """Everything that can be shown is in the prompt, names of people are not, and what nobody said leaves no trace."""
    prompt = compose(read(), HARBOUR, "SH010")
    assert prompt.text == (
        "close-up film still, Ana waits for the last ferry, one person, harbour, exterior, night, lonely mood, "
        "low angle, colours dark blue, orange, 85 mm lens, natural light, cinematic framing"
    )
    assert "Torres" not in prompt.text
    assert "watermark" in prompt.negative
    short = compose(read(), Brief(place="harbour"), "SH010")
    assert short.text == "harbour, natural light, cinematic framing"


def test_a_projects_template(tmp_path: Path) -> None:
    """A template of the project is used as it is written, with what it adds for one model."""
    (tmp_path / "prompts.toml").write_text(
        'prompt = ["{shot}: {cast}", "{before}"]\nnegative = ["{mood} faces"]\n'
        '[models.turbo]\nprompt = ["35mm grain"]\n'
    )
    template = read(str(tmp_path / "prompts.toml"))
    assert compose(template, HARBOUR, "SH010").text == "SH010: Ana Torres"
    assert compose(template, HARBOUR, "SH010", "turbo").text == "SH010: Ana Torres, 35mm grain"
    assert compose(template, HARBOUR, "SH010").negative == "lonely faces"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('prompt = ["{purpos}"]', r"no field \{purpos\}"),
        ('prompt = ["{purpose.__class__}"]', r"no field \{purpose.__class__\}"),
        ('prompt = ["{mood!r}"]', r"no field \{mood\}"),
        ('prompt = ["{mood"]', "is no template"),
        ('prompt = "a"', "cannot be read"),
        ('promt = ["a"]', "cannot be read"),
        ("prompt = [", "cannot be read"),
    ],
)
def test_a_wrong_template_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    """A field that there is not, or a line that is none, is told with the file; the fields are listed."""
    (tmp_path / "prompts.toml").write_text(text)
    with pytest.raises(JobError, match=said) as error:
        read(str(tmp_path / "prompts.toml"))
    assert str(tmp_path / "prompts.toml") in error.value.message


def test_every_field_is_documented_in_the_file() -> None:
    """The template that people start from lists each field, and no other."""
    from callboard_placeholder.prompts import DEFAULT

    lines = [line for line in DEFAULT.read_text().splitlines() if line.startswith("#   {")]
    assert tuple(line[5 : line.index("}")] for line in lines) == FIELDS


def test_an_empty_brief_is_no_prompt() -> None:
    """Nothing is made up where nobody said anything."""
    with pytest.raises(JobError, match="says nothing"):
        compose(read(), Brief(), "SH010")


@pytest.mark.parametrize(
    ("code", "name"),
    [("#000000", "black"), ("#ffffff", "white"), ("#808080", "grey"), ("#ff0000", "red"), ("#1b2a3c", "dark blue"),
     ("#6b4423", "brown"), ("#a0e8a0", "pale green"), ("#303030", "dark grey")],
)  # fmt: skip
def test_colours_have_plain_names(code: str, name: str) -> None:
    """Models know words and no codes."""
    assert colour(code) == name


def order(**given: Any) -> Order:
    """An order for a second; *given* are its fields."""
    brief = Brief(movement=given.pop("movement", None))
    return Order(shot="a", brief=brief, rate=Rate(25, 1), **{"frames": 25, "width": 96, "height": 54, **given})


@pytest.mark.parametrize("movement", [*MOVEMENTS, None])
def test_a_picture_is_moved_within_its_edges(movement: Any) -> None:
    """Every movement gives exactly the frames, none shows what is beside the picture, and the same order the same."""
    white = np.full((64, 200, 3), 255, np.uint8)
    asked = order(movement=movement)
    shot = list(moved(white, asked))
    assert len(shot) == 25
    assert all(picture.shape == (54, 96, 3) and picture.min() == 255 for picture in shot)
    ramp = np.tile(np.linspace(0, 255, 200, dtype=np.uint8)[None, :, None], (64, 1, 3))
    ramp[:, :, 1] = np.linspace(0, 255, 64, dtype=np.uint8)[:, None]
    first, again = (list(moved(ramp, asked)) for _ in range(2))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert (first[0] != first[-1]).any() == (movement != "static")


def test_the_camera_goes_where_the_brief_says() -> None:
    """A pan to the left ends on the left of the picture, a tilt up at its top, a push with less of it."""
    assert window("pan left", 0.0).x > 0 > window("pan left", 1.0).x
    assert window("tilt up", 0.0).y > 0 > window("tilt up", 1.0).y
    assert window("dolly in", 1.0).size < window("dolly in", 0.0).size
    assert window("dolly out", 1.0).size > window("dolly out", 0.0).size


def test_movement_is_even() -> None:
    """Between pixels a slow pan goes on by the same small step from frame to frame."""
    ramp = np.tile(np.linspace(0, 250, 960)[None, :, None], (540, 1, 3)).astype(np.uint8)
    middles = [float(picture[27, 20:76, 0].mean()) for picture in moved(ramp, order(movement="pan right", frames=50))]
    steps = np.diff(middles)
    assert steps.min() > 0
    assert steps.max() - steps.min() < 0.2  # grey levels; a whole pixel is 2.6


def test_nothing_is_stretched() -> None:
    """A circle stays one as it is shown, for wide pixels too, and what is too much is cut off evenly."""
    picture = np.zeros((200, 400, 3), np.uint8)
    rows, columns = np.mgrid[:200, :400]
    picture[(rows - 100) ** 2 + (columns - 200) ** 2 < 60**2] = 255
    for width, height, aspect in ((160, 90, Fraction(1)), (72, 90, Fraction(16, 15)), (80, 90, Fraction(2))):
        made = conformed(picture, width, height, aspect)[:, :, 0] > 127
        wide, high = made.any(axis=0).sum() * float(aspect), made.any(axis=1).sum()
        assert wide / high == pytest.approx(1.0, abs=0.06)


FILES = {
    "model_index.json": {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    },
    "unet/config.json": {"sample_size": 64},
    **{f"{part}/config.json": {} for part in ("vae", "text_encoder", "safety_checker")},
    "scheduler/scheduler_config.json": {},
    "tokenizer/vocab.json": {},
    "tokenizer/merges.txt": {},
    "unet/diffusion_pytorch_model.safetensors": {},
    "unet/diffusion_pytorch_model.bin": {},
    "unet/diffusion_pytorch_model.fp16.safetensors": {},
    "vae/diffusion_pytorch_model.safetensors": {},
    "vae/diffusion_pytorch_model.fp16.safetensors": {},
    "text_encoder/model.safetensors": {},
    "text_encoder/model.fp16.safetensors": {},
    "safety_checker/pytorch_model.bin": {},
    "v1-5-pruned.ckpt": {},
    "README.md": {},
}


def looked(files: dict[str, Any], repository: str = "studio/sd") -> Any:
    """Recognise a repository with these files."""
    return recognise(repository, files, lambda name: json.dumps(files[name]).encode())


def test_a_pipeline_at_a_hub_is_recognised() -> None:
    """Of each part the half-precision safetensors are taken, once, the network first; pickles and the rest are not."""
    found = looked(FILES)
    assert found.files[0] == "unet/diffusion_pytorch_model.fp16.safetensors"
    assert sorted(found.files) == sorted(
        [
            "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ]
    )  # fmt: skip
    assert (found.size, found.variant) == (512, "fp16")
    assert looked({name: given for name, given in FILES.items() if name != "model_index.json"}) is None


def test_whole_precision_where_half_is_not_whole() -> None:
    """A part without half precision has all parts taken in whole precision; one with pickles only is refused."""
    files = {name: given for name, given in FILES.items() if name != "vae/diffusion_pytorch_model.fp16.safetensors"}
    found = looked(files)
    assert found.variant == ""
    assert not [name for name in found.files if "fp16" in name]
    with pytest.raises(PullError, match="'unet' is there as a pickle only"):
        looked({name: given for name, given in files.items() if not name.startswith("unet/d") or name.endswith(".bin")})


CONTROL = {
    "config.json": {"_class_name": "ControlNetModel", "cross_attention_dim": 768},
    "diffusion_pytorch_model.safetensors": {},
    "diffusion_pytorch_model.fp16.safetensors": {},
    "diffusion_pytorch_model.bin": {},
    "README.md": {},
}


@pytest.mark.parametrize(
    ("repository", "condition"),
    [("lllyasviel/control_v11p_sd15_openpose", "pose"), ("lllyasviel/control_v11f1p_sd15_depth", "depth")],
)
def test_a_controlnet_at_a_hub_is_recognised(repository: str, condition: str) -> None:
    """Its safetensors and its config are taken, and its name says what it goes by; its pack is no model that draws."""
    found = looked(CONTROL, repository)
    assert found.files == ("diffusion_pytorch_model.fp16.safetensors", "config.json")
    assert (found.task, found.condition, found.variant) == ("controlnet", condition, "fp16")
    told = about(found, repository, 700 << 20)
    assert (told["task"], told["engine"], told["memory_mb"]) == ("controlnet", "torch", 700)
    assert told["options"] == {"architecture": "diffusers", "condition": condition, "variant": "fp16"}
    assert repository in {one.repository for one in RECOMMENDED if one.task == "draw"}


def test_other_controlnets_are_refused() -> None:
    """One for edges, and one that is a pickle only, is refused with the reason; another config is none."""
    with pytest.raises(PullError, match="neither depth nor openpose"):
        looked(CONTROL, "lllyasviel/control_v11p_sd15_canny")
    pickled = {name: given for name, given in CONTROL.items() if not name.endswith(".safetensors")}
    with pytest.raises(PullError, match="a pickle only"):
        looked(pickled, "lllyasviel/control_v11p_sd15_openpose")
    assert looked({**CONTROL, "config.json": {"_class_name": "AutoencoderKL"}}) is None


def test_its_pack_draws_as_it_is() -> None:
    """The pack is for the engine that draws, is pinned, and is run as its page says: four steps for a turbo."""
    for repository, steps, guidance in (("stabilityai/sd-turbo", 4, 0.0), ("studio/sd", 30, 7.5)):
        painter = looked(FILES, repository)
        offer = Offer(
            repository=repository, revision="a" * 40, license="LicenseRef-sai-nc-community", kind=TASK, space="b" * 64,
            files=(PackFile("unet/x.safetensors", "b" * 64, 900 << 20),), painter=painter,
        )  # fmt: skip
        pack = checkpoint_pack(offer, name_of(repository))
        assert (pack.task, pack.engine, pack.memory_mb) == (TASK, "torch", 900)
        assert (pack.options["steps"], pack.options["guidance"]) == (steps, guidance)
        assert (pack.options["variant"], pack.options["dtype"]) == ("fp16", "float16")
        assert offer.runs
        assert restricted(pack)
        assert not restricted(msgspec.structs.replace(pack, license="LicenseRef-creativeml-openrail-m"))


def test_what_is_recommended_first_permits_every_work() -> None:
    """The first model that is named is free for any work, and those that are not say so."""
    drawn = [one for one in RECOMMENDED if one.task == "draw"]
    assert drawn[0].repository == SUGGESTED
    assert drawn[0].license == "MIT"
    assert all("NOT for commercial work" in one.note for one in drawn if "nc" in one.license)
    assert about(looked(FILES), "a/b", 1)["memory_mb"] == 256
