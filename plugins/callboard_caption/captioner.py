"""The captioner: chooses the model and the language, has the asset heard, and captions composed of that."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from callboard.errors import JobError, ModelMissing
from callboard.packs import find_packs
from callboard_schemas import Captions, Envelope, Request

from callboard_caption.choosing import AUTO, Choice, choose
from callboard_caption.composing import compose
from callboard_caption.hearing import Listener, hear

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Parameters


_HINTS = 600
"""Characters: about the half of Whisper's context that hints may take."""


def asked_for(event: Envelope, parameters: Parameters) -> tuple[str, ...]:
    """Give the languages to choose from: those that a request names, else the one of *parameters*."""
    asked: tuple[str, ...] = ()
    if event.type == "captions.requested":
        asked = msgspec.json.decode(event.data, type=Request).languages
    return asked or (str(parameters["language"]),)


def caption(context: Context, languages: Sequence[str]) -> Captions | None:
    """Caption the asset of *context* in the first of *languages* that a model which is here hears.

    Returns:
        Cues, and in ``left_out`` the lines that the recogniser invented; ``None`` when there is no sound.

    Raises:
        JobError: the model that was asked for does not know the language.
        MediaError: the asset cannot be opened.
        ModelMissing: a model is not installed.
        RuntimeGone: the runtime died; the job is tried again.
    """
    facts = context.media.probe()
    if not facts.audio:
        return None
    choice = chosen(context, languages)
    heard = hear(context, facts, listener_of(context, choice))
    if heard.end == 0.0:  # a stream that never gives a sample is no sound
        return None
    return compose(context, heard, facts, choice, context.parameters)


def chosen(context: Context, languages: Sequence[str]) -> Choice:
    """Choose model and language among the packs that the job was made for.

    Raises:
        JobError: the model that was asked for knows none of *languages*.
        ModelMissing: no model that is here knows one of them.
    """
    packs = find_packs()
    known: dict[str, tuple[str, ...]] = {}
    for name in context.models:
        codes = packs[name].options.get("languages", ()) if name in packs else ()
        known[name] = codes if isinstance(codes, tuple) else ()
    for language in languages[:-1]:
        with contextlib.suppress(JobError, ModelMissing):
            return choose({**context.parameters, "language": language}, known)
    return choose({**context.parameters, "language": languages[-1]}, known)


def listener_of(context: Context, choice: Choice) -> Listener:
    """Make what hears windows, as the parameters say."""
    given: Any = context.parameters
    return Listener(
        runtime=context.runtime,
        choice=choice,
        threshold=float(given["voice_threshold"]),
        faint=float(given["faint_threshold"]) if given["speech_only"] else 0.0,
        beam=int(given["beam_size"]),
        speech_only=bool(given["speech_only"]),
        second=bool(given["second_look"]),
        hotwords=_hints(context, choice) if given["glossary_hints"] else None,
    )


def _hints(context: Context, choice: Choice) -> str | None:
    """List the glossary's terms for the recogniser, which reads some two hundred tokens of them at most."""
    terms = context.glossary.of("" if choice.tag == AUTO else choice.tag) if context.glossary is not None else ()
    return ", ".join(term.text for term in terms)[:_HINTS] or None


__all__ = ["asked_for", "caption", "chosen", "listener_of"]
