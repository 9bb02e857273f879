"""Drafts by a workflow of the project's own on a ComfyUI server."""

from __future__ import annotations

import hashlib
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import Blocked, JobError
from PIL import Image

from callboard_placeholder.comfy.address import Away, Http, Refused, address_of, away
from callboard_placeholder.comfy.results import fetched, shot, wanted
from callboard_placeholder.comfy.running import Run
from callboard_placeholder.comfy.workflow import Nodes, Workflow, filled, read
from callboard_placeholder.engine import Array, Bench, Made, Order, Wary
from callboard_placeholder.moved import conformed
from callboard_placeholder.prompts import Prompt, compose
from callboard_placeholder.prompts import read as read_prompts
from callboard_placeholder.starting import Start, start

if TYPE_CHECKING:
    from callboard.context import Context

_RUNS: Final = 0.8
"""Share of a version's time until its files are fetched."""
_MULTIPLE: Final = 8


def comfyui(order: Order, bench: Bench) -> Made:
    """Run the project's workflow with the brief filled in, and conform what it puts out.

    Raises:
        JobError: the workflow, the template or the brief is wrong, or ComfyUI refuses or fails; nodes are named.
        Blocked: no server is named, or it is away or busy.
    """
    given = bench.context.parameters
    http, workflow = _server(bench.context), _workflow(str(given.get("comfy_workflow", "")))
    prompt = compose(read_prompts(str(given.get("prompts", ""))), order.brief, order.shot, "comfyui")
    if isinstance(bench, Wary):
        bench.prompted(prompt.text, prompt.negative)
    begin, notes = start(order, bench, str(order.parameters.get("comfy_from", "reference")))
    version = _version(http)
    nodes, used = _filled(order, workflow, prompt, begin, http)
    sent = bench.folder / "workflow.json"
    sent.write_text(json.dumps(nodes, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    seconds = float(str(given.get("comfy_seconds", 1800.0)))
    until = time.monotonic() + seconds
    run = Run(http, nodes, seconds, lambda far, note: bench.progress(far * _RUNS, note))
    outputs = run.outputs()
    (files := bench.folder / "files").mkdir()
    came = shot(fetched(http, wanted(outputs, workflow), files, until), order, bench.folder / "decoding")
    return Made(
        pictures=came.pictures,
        source_type="trainedAlgorithmicMedia",
        prompt=prompt.text if "prompt" in used else "",
        negative=prompt.negative if "negative" in used else "",
        seed=order.seed if "seed" in used else None,
        models={"workflow": f"sha256:{hashlib.sha256(sent.read_bytes()).hexdigest()}", "ComfyUI": version},
        parameters=_told(workflow, used),
        references={begin.name: begin.digest} if begin is not None and not begin.scene and "image" in used else {},
        scene=begin.scene if begin is not None else None,
        workflow=sent,
        notes=(*_missing(workflow, begin), *notes, *run.notes, *came.notes),
    )


def _server(context: Context) -> Http:
    url = str(context.parameters.get("comfy_server", ""))
    if not url:
        raise Blocked(
            "no ComfyUI server is named",
            'Say comfy_server = "http://127.0.0.1:8188" under [plugins.placeholder] in callboard.toml.',
        )
    address = address_of(url)
    where = "a program on this machine" if address.local else "another machine: they leave this one"
    context.log.warning("prompts and pictures are sent to ComfyUI at %s, %s", address.shown, where)
    return Http(address)


def _workflow(path: str) -> Workflow:
    if not path:
        raise Blocked(
            "no workflow for ComfyUI is named",
            'Export one (Workflow > Export (API)), and say comfy_workflow = "FILE.json" under [plugins.placeholder].',
        )
    return read(Path(path))


def _version(http: Http) -> str:
    try:
        stats = http.get("/system_stats")
        return str(stats["system"].get("comfyui_version") or "unknown")
    except Away as error:
        raise away(http.address, error) from None
    except (Refused, KeyError, TypeError, AttributeError) as error:
        raise JobError(f"what answers at {http.address.shown} is not ComfyUI: {error}", "See comfy_server.") from None


def _filled(
    order: Order, workflow: Workflow, prompt: Prompt, begin: Start | None, http: Http
) -> tuple[Nodes, dict[str, Any]]:
    """Put the order into the workflow, and give what was put in."""
    width, height = _size(order)
    values: dict[str, str | int | float] = {
        "prompt": prompt.text,
        "negative": prompt.negative,
        "seed": order.seed,
        "width": width,
        "height": height,
        "frames": order.frames,
        "rate": round(float(order.rate.fps), 3),
        "strength": float(str(order.parameters.get("diffusion_strength", 0.6))),
    }
    if "image" in workflow.slots:
        if begin is None:
            raise JobError(
                f"{workflow.title(workflow.slots['image'][0].node)} wants a picture, and the brief has none",
                "Give the brief a reference, or set comfy_from.",
            )
        values["image"] = _uploaded(conformed(begin.picture, width, height), http)
    return filled(workflow, values), {name: value for name, value in values.items() if name in workflow.slots}


def _size(order: Order) -> tuple[int, int]:
    """Give the size for the workflow: of the frame as it is shown, or of as many pixels as ``comfy_size`` says."""
    wide, high = float(order.width * order.pixel_aspect), float(order.height)
    side = int(str(order.parameters.get("comfy_size") or 0))
    scale = side / (wide * high) ** 0.5 if side else 1.0
    width, height = (max(round(each * scale / _MULTIPLE), 1) * _MULTIPLE for each in (wide, high))
    return width, height


def _uploaded(picture: Array, http: Http) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=False)
    content = buffer.getvalue()
    try:
        return http.upload(f"callboard-{hashlib.sha256(content).hexdigest()[:16]}.png", content)
    except Away as error:
        raise away(http.address, error) from None
    except Refused as error:
        raise JobError(f"ComfyUI does not take the picture to start from: {error}") from None


def _told(workflow: Workflow, used: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in used.items() if name not in ("prompt", "negative", "seed")}
    return {**plain, **({"weights": workflow.models} if workflow.models else {})}


def _missing(workflow: Workflow, begin: Start | None) -> list[str]:
    """Say what the workflow takes no notice of."""
    lost = [name for name in ("prompt", "negative", "seed") if name not in workflow.slots]
    notes = [f"no node of the workflow takes the {name}" for name in lost]
    if begin is not None and "image" not in workflow.slots:
        notes.append(f"no node of the workflow takes {begin.told}")
    return notes


__all__ = ["comfyui"]
