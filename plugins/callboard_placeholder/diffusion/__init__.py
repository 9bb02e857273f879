"""Drafts by a diffusion model: one picture made of the brief, and moved as the brief's camera does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from callboard_placeholder.diffusion.asking import ask
from callboard_placeholder.diffusion.choosing import choose, restricted
from callboard_placeholder.diffusion.keeping import keeping
from callboard_placeholder.diffusion.sizes import drawn_size, settings
from callboard_placeholder.engine import Array, Bench, Made, Order, Wary
from callboard_placeholder.moved import conformed, moved
from callboard_placeholder.prompts import Prompt, compose, read
from callboard_placeholder.starting import Start, start

if TYPE_CHECKING:
    from callboard.packs import Pack


class _Drawing(Struct, frozen=True):
    """What is asked of the model."""

    pack: Pack
    prompt: Prompt
    inputs: dict[str, Any]
    options: dict[str, Any]
    start: Start | None


def diffusion(order: Order, bench: Bench) -> Made:
    """Make one picture by the project's text-to-image model, and move it.

    Raises:
        JobError: the brief says nothing, the template or a reference is wrong, or the model refuses.
        Blocked: no model is here that may be used; the hint has the commands that bring one.
    """
    given = bench.context.parameters  # the project's: no request may choose a model or a file
    template = read(str(given.get("prompts", "")))
    pack = choose(bench.context, str(given.get("diffusion_model", "")))
    prompt = compose(template, order.brief, order.shot, pack.name)
    if isinstance(bench, Wary):
        bench.prompted(prompt.text, prompt.negative)
    begin, notes = start(order, bench, str(order.parameters.get("diffusion_from", "nothing")))
    drawing = _drawing(order, pack, prompt, begin)
    scene = begin.scene if begin is not None else None
    keeps = keeping(pack, scene, order, (drawing.options["width"], drawing.options["height"]), bench)
    answer = ask(bench, keeps.model, {**drawing.inputs, **keeps.inputs}, drawing.options)
    picture = answer["images"][0]
    return Made(
        pictures=_shown(picture, order),
        source_type="trainedAlgorithmicMedia",
        prompt=prompt.text,
        negative=prompt.negative,
        seed=order.seed,
        models={pack.name: pack.digest, **keeps.models, **(begin.models if begin is not None else {})},
        parameters=_told(drawing, answer),
        references={begin.name: begin.digest} if begin is not None and begin.scene is None else {},
        scene=scene,
        notes=(*_notes(order, drawing, answer, keeps.notes), *notes),
    )


def _drawing(order: Order, pack: Pack, prompt: Prompt, begin: Start | None) -> _Drawing:
    width, height = drawn_size(order, pack)
    inputs: dict[str, Any] = {"seeds": np.array([order.seed], np.int64)}
    options: dict[str, Any] = {"prompt": prompt.text, "negative": prompt.negative, "width": width, "height": height}
    if begin is not None:
        inputs["image"] = conformed(begin.picture, width, height)[None]
    return _Drawing(pack, prompt, inputs, {**options, **settings(order, pack, begins=begin is not None)}, begin)


def _shown(picture: Array, order: Order) -> Iterator[Array]:
    return moved(picture, order)


def _told(drawing: _Drawing, answer: dict[str, Any]) -> dict[str, Any]:
    """Say what, beside prompt, seed and model, it takes to make the same picture again."""
    settings = {key: value for key, value in drawing.options.items() if key not in ("prompt", "negative")}
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(answer.get("libraries", {}).items()))
    return {
        **settings,
        "scheduler": str(answer.get("scheduler", "")),
        "device": str(answer.get("device", "")),
        "libraries": libraries,
    }


def _notes(order: Order, drawing: _Drawing, answer: dict[str, Any], keeps: tuple[str, ...]) -> Iterator[str]:
    movement = order.brief.movement
    if movement == "static":
        yield "one generated picture, held: nothing in it moves"
    else:
        yield f"one generated picture, moved ({movement or 'slow push'}): nothing in it moves by itself"
    yield from keeps
    if drawing.start is not None:
        yield f"it starts from {drawing.start.told}"
    if answer.get("left_out"):
        yield f"the model does not read so long a prompt; it left out: {answer['left_out']}"
    if drawing.prompt.negative and drawing.options["guidance"] <= 1.0:
        yield "the negative prompt has no effect: this model is run without guidance"
    if answer.get("checked") is False:
        yield f"nothing looked for unsafe content: {drawing.pack.name} has no checker"
    if restricted(drawing.pack):
        yield f"the licence of {drawing.pack.name} ({drawing.pack.license}) may forbid commercial work"


__all__ = ["diffusion"]
