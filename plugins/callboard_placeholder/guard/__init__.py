"""Looks at what is asked before anything is made, and writes down what was made, refused, or has to wait.

Order: can the project sign; banned terms and subjects; likenesses; references; limits. Engines that make nothing up
(slate, fills, previs) show the script's own words, so only rules that say ``everywhere`` hold for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from callboard.audit import Audit, Decision, Entry
from callboard.errors import Blocked, JobError
from callboard.spending import Ledger
from callboard_schemas import Brief
from msgspec.structs import replace

from callboard_placeholder import marks
from callboard_placeholder.guard import likeness, limits
from callboard_placeholder.guard.rules import obey, rules_of, texts

if TYPE_CHECKING:
    from pathlib import Path

    from callboard.context import Context
    from callboard_schemas import Placeholder, PlaceholderRequested

    from callboard_placeholder.engine import Made

DREAM: Final = ("diffusion", "comfyui")
"""Engines that make up what nobody drew."""
_REFUSED: Final = timedelta(minutes=1)
"""A job that fails is tried a second time by itself, at once; who asks again is written down again."""
_WAITS: Final = timedelta(days=1)
"""A job that waits is tried every few minutes."""


def check(asked: PlaceholderRequested, engines: Sequence[str], context: Context) -> None:
    """Say whether a request may be made, and write down where it may not.

    Raises:
        JobError: it is against a rule of the project: which, whose, and where it stands.
        Blocked: a limit is reached, a rule cannot be read, or it cannot be written down or signed.
    """
    folder = _folder(context)
    marks.ready(context)
    entry = _entry(asked, engines)
    try:
        _rules(asked, engines, context)
        _limits(asked, engines, context, folder)
    except JobError as error:
        Audit(folder).append(replace(entry, decision="refused", reason=error.message), once=_REFUSED)
        raise
    except Blocked as error:
        Audit(folder).append(replace(entry, decision="waits", reason=error.message), once=_WAITS)
        raise


def prompted(asked: PlaceholderRequested, engine: str, done: Made, context: Context) -> None:
    """Look at the words that an engine did go by, before its pictures are taken, whoever composed them.

    Raises:
        JobError: they are against a rule of the project.
        Blocked: a rule cannot be read.
    """
    if not done.prompt:
        return
    try:
        rules = [rule for rule in rules_of(context.parameters) if rule.everywhere or engine in DREAM]
        obey(rules, iter([("the prompt", done.prompt)]), engine)
        if engine in DREAM and context.parameters.get("likeness") != "allowed":
            likeness.people(asked, iter([("the prompt", done.prompt)]))
    except JobError as error:
        entry = replace(_entry(asked, (engine,)), prompt=done.prompt, negative=done.negative, reason=error.message)
        Audit(_folder(context)).append(entry, once=_REFUSED)
        raise


def wrote(told: Placeholder, asked: PlaceholderRequested, context: Context) -> None:
    """Write down what was made and where it lies.

    Raises:
        Blocked: it cannot be written down.
    """
    folder = _folder(context)
    Ledger(folder).settle(_turn(asked, told.generator))
    made = replace(
        _entry(asked, (told.generator,), "made"),
        models=told.models,
        prompt=told.prompt,
        negative=told.negative,
        seed=told.seed,
        references=told.references,
        file=told.file,
        digest=told.digest,
        credentials=told.credentials,
    )
    Audit(folder).append(made)


def _folder(context: Context) -> Path:
    if context.folder is None:
        raise Blocked("there is nowhere to write down what is made", "Run this in a project.")
    return context.folder


def _key(asked: PlaceholderRequested) -> str:
    return "sha256:" + hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def _entry(asked: PlaceholderRequested, engines: Sequence[str], decision: Decision = "refused") -> Entry:
    agreed = asked.parameters.get(likeness.AGREED) is True
    return Entry(
        decision=decision, shot=asked.shot, request=_key(asked), engines=tuple(engines), by=asked.by, agreed=agreed
    )


def _rules(asked: PlaceholderRequested, engines: Sequence[str], context: Context) -> None:
    rules = rules_of(context.parameters)
    everywhere = [rule for rule in rules if rule.everywhere]
    for engine in engines:
        if engine not in DREAM:
            obey(everywhere, texts(asked), engine)
            continue
        obey(rules, texts(asked), engine)
        composed = list(_composed(asked, engine, context))
        obey(rules, composed, engine)
        if context.parameters.get("likeness") != "allowed":
            likeness.people(asked, texts(asked))
            likeness.people(asked, composed)
        likeness.pictures(asked, engine, context)


def _composed(asked: PlaceholderRequested, engine: str, context: Context) -> Iterator[tuple[str, str]]:
    """Give the prompts that an engine may make of a brief: before they leave for anywhere."""
    from callboard_placeholder.prompts import compose, read

    template = read(str(context.parameters.get("prompts", "")))
    brief = asked.brief or Brief(purpose=asked.purpose[:1000])
    models = {"comfyui"} if engine == "comfyui" else {"", *template.models} - {"comfyui"}
    for model in sorted(models):
        yield "the prompt", compose(template, brief, asked.shot, model).text


def _limits(asked: PlaceholderRequested, engines: Sequence[str], context: Context, folder: Path) -> None:
    for engine in limits.costing(engines, context.parameters):
        takes = limits.amounts(asked, engine)
        Ledger(folder).reserve(_turn(asked, engine), takes, limits.limits_of(context.parameters))


def _turn(asked: PlaceholderRequested, engine: str) -> str:
    return f"{engine} {_key(asked)}"


__all__ = ["DREAM", "check", "prompted", "wrote"]
