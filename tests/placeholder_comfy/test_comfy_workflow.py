"""Which nodes of a workflow take what is told by their titles; what a title cannot mean is told with its node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from callboard.errors import JobError
from callboard_placeholder.comfy.address import Refused, address_of
from callboard_placeholder.comfy.results import wanted
from callboard_placeholder.comfy.running import failure, refusal
from callboard_placeholder.comfy.workflow import Slot, Workflow, filled, read


def node(kind: str, title: str, **inputs: Any) -> dict[str, Any]:
    """A node as ComfyUI exports it."""
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}


def flow(folder: Path, *nodes: dict[str, Any]) -> Workflow:
    """Read a workflow of these nodes and one that takes the prompt."""
    given = {"1": node("CLIPTextEncode", "callboard:prompt", text="", clip=["2", 0])}
    given |= {str(number): each for number, each in enumerate(nodes, 2)}
    (folder / "flow.json").write_text(json.dumps(given))
    return read(folder / "flow.json")


@pytest.mark.parametrize(
    ("given", "slots"),
    [
        (node("KSampler", "callboard:seed", seed=1, steps=4), {"seed": ("seed",)}),
        (node("KSamplerAdvanced", "Callboard: Seed", noise_seed=1), {"seed": ("noise_seed",)}),
        (node("PrimitiveInt", "callboard:seed", value=1), {"seed": ("value",)}),
        (node("EmptyLatentImage", "callboard:width,height,frames", width=1, height=1, batch_size=1),
         {"width": ("width",), "height": ("height",), "frames": ("batch_size",)}),
        (node("EmptyHunyuanLatentVideo", "callboard:frames", length=25, batch_size=1), {"frames": ("length",)}),
        (node("KSampler", "callboard:strength", denoise=1.0), {"strength": ("denoise",)}),
        (node("Mine", "callboard:seed=luck", luck=1, seed=2), {"seed": ("luck",)}),
        (node("CLIPTextEncodeSDXL", "callboard:negative", text_g="", text_l="", width=1),
         {"negative": ("text_g", "text_l")}),
        (node("KSampler", "the seed of callboard:seed", seed=1), {}),
    ],
)  # fmt: skip
def test_titles_say_what_goes_where(tmp_path: Path, given: dict[str, Any], slots: dict[str, tuple[str, ...]]) -> None:
    """A field goes to the input that fits its name, or to the one that is named; other titles say nothing."""
    found = flow(tmp_path, given).slots
    assert found.pop("prompt") == (Slot("1", "text"),)
    assert {field: tuple(slot.input for slot in each) for field, each in found.items()} == slots


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (node("KSampler", "callboard:sede", seed=1), "no field 'sede'"),
        (node("KSampler", "callboard:width", seed=1), r"callboard:width \(KSampler, node 2\) has no input 'width'"),
        (node("KSampler", "callboard:seed=luck", seed=1), "has no input 'luck'"),
        (node("KSampler", "callboard:seed", seed=["1", 0]), r"'seed' comes from callboard:prompt \(CLIPTextEncode"),
    ],
)
def test_titles_that_cannot_be_meant(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    """What a node does not take is told with its title, its kind and its number."""
    with pytest.raises(JobError, match=said):
        flow(tmp_path, given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"nodes": [], "links": []}', "saved for ComfyUI's canvas"),
        ("[]", "no workflow"),
        ('{"1": {"inputs": {}}}', "no workflow"),
        ("{", "cannot be read"),
        ('{"1": {"class_type": "KSampler", "inputs": {}}}', "no node of .* takes the prompt"),
    ],
)
def test_what_is_no_workflow(tmp_path: Path, text: str, said: str) -> None:
    """A file that is not one in API format says how one is exported."""
    (tmp_path / "flow.json").write_text(text)
    with pytest.raises(JobError, match=said):
        read(tmp_path / "flow.json")


def test_filling_leaves_the_rest_alone(tmp_path: Path) -> None:
    """Only what a title asks for is changed, and what was read stays as it was."""
    workflow = flow(tmp_path, node("KSampler", "callboard:seed", seed=1, steps=4))
    nodes = filled(workflow, {"prompt": "a", "seed": 7, "width": 640})
    assert nodes["2"]["inputs"] == {"seed": 7, "steps": 4}
    assert workflow.nodes["2"]["inputs"]["seed"] == 1


@pytest.mark.parametrize(
    ("url", "shown", "local"),
    [
        ("127.0.0.1:8188", "http://127.0.0.1:8188", True),
        ("http://localhost", "http://localhost:8188", True),
        ("https://gpu.example.com/comfy/", "https://gpu.example.com:443/comfy", False),
        ("http://192.168.1.20:8188", "http://192.168.1.20:8188", False),
        ("http://[::1]:8188", "http://[::1]:8188", True),
    ],
)
def test_addresses(url: str, shown: str, local: bool) -> None:
    """A server is named by its address; whether it is this machine is known."""
    address = address_of(url)
    assert (address.shown, address.local) == (shown, local)
    assert address.socket("me").startswith(shown.replace("http", "ws"))


@pytest.mark.parametrize(
    "url", ["http://gpu.example.com:8188", "ftp://a", "http://me:secret@127.0.0.1", "http://a?b=c"]
)
def test_addresses_that_are_refused(url: str) -> None:
    """Nothing goes unencrypted over a network, and no password stands in an address."""
    with pytest.raises(JobError, match="comfy_server"):
        address_of(url)


def test_what_a_server_says_is_put_into_words(tmp_path: Path) -> None:
    """Errors without a node, of an unknown node, and interruptions are told too."""
    nodes = flow(tmp_path).nodes
    assert "no prompt" in refusal(nodes, Refused(400, {"error": "no prompt", "node_errors": []}, ""))
    wrong = {"9": {"errors": [{"message": "Bad", "details": "x"}]}}
    assert "node 9: Bad (x)" in refusal(nodes, Refused(400, {"error": {"message": "m"}, "node_errors": wrong}, ""))
    assert "somebody stopped" in failure(nodes, [["execution_interrupted", {}]])
    assert "does not say" in failure(nodes, [])


def test_what_is_temporary_is_taken_only_alone(tmp_path: Path) -> None:
    """A preview counts where nothing is saved; sound and texts never do."""
    workflow = flow(tmp_path, node("PreviewImage", "", images=["1", 0]))
    temp = {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]}
    saved = {"images": [{"filename": "b.png", "subfolder": "", "type": "output"}]}
    assert wanted({"2": temp}, workflow)[0]["filename"] == "a.png"
    assert wanted({"2": temp, "3": saved, "4": {"audio": [{"filename": "c.flac"}]}}, workflow)[0]["filename"] == "b.png"
    with pytest.raises(JobError, match="no pictures"):
        wanted({"4": {"text": ["hello"]}}, workflow)
