"""The localizer: what an event asks for becomes one translation for each language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from callboard.errors import JobError
from callboard.glossary.terms import primary
from callboard.timedtext.document import as_result
from callboard.timedtext.files import read_file
from callboard_schemas import (
    Asset,
    Captions,
    CaptionsAccepted,
    Envelope,
    MediaSettled,
    Parameters,
    Translation,
    TranslationRequested,
)
from msgspec import Struct

from callboard_localize.engines import choose
from callboard_localize.tongue import Tongues
from callboard_localize.translator import Options, Progress, Texts, Translator

if TYPE_CHECKING:
    from callboard.context import Context

_LIKELY: Final = 0.8
"""Probability from which a subtitle file that does not say its language is taken to be in the likeliest one."""


class Asked(Struct, frozen=True):
    """What an event asks for."""

    languages: tuple[str, ...]
    texts: Texts | None
    """Nothing where the asset itself is a subtitle file to be read."""
    source: str = ""
    """BCP 47, where somebody says it."""


def localize(event: Envelope, asset: Asset | None, context: Context) -> list[Translation] | None:
    """Translate what *event* brings, once for each language that it or the settings ask for.

    Returns:
        Translations in the order of the languages; ``None`` where no language is asked for, or nothing but the
        language that is there, or nobody says anything.

    Raises:
        JobError: nothing can be translated, or it cannot be said from which language.
        Blocked: no engine is here for a pair of languages; the error says what to install.
        SubtitleError: the subtitle file cannot be read.
    """
    wished = tuple(str(one) for one in _strings(context.parameters, "languages"))
    asked = _asked(event, wished)
    if not asked.languages:
        return None
    tongues = Tongues()
    texts = asked.texts or _read(context, asked.source, by_itself=event.type == "media.settled")
    if texts is None or texts.empty:
        return None
    source = _source(texts, asked.source, tongues)
    # a variety of the same language is a matter of spelling, for a person
    languages = [one for one in dict.fromkeys(asked.languages) if primary(one) != primary(source)]
    translations: list[Translation] = []
    for number, language in enumerate(languages):

        def progress(share: float, number: int = number, language: str = language) -> None:
            context.progress(min((number + share) / len(languages), 0.99), language)

        translations.append(_translate(texts, (source, language), context, tongues, progress))
    return translations or None


def _translate(
    texts: Texts, pair: tuple[str, str], context: Context, tongues: Tongues, progress: Progress
) -> Translation:
    source, language = pair
    parameters = context.parameters
    name = str(parameters["engine"])
    engine = choose(source, language, context, name)
    back = None
    if parameters["back_translation"]:
        try:
            back = choose(language, source, context, name)
        except Exception as error:  # noqa: BLE001 - it is a check, and the translation does not wait for it
            context.log.info("no translation back from %s: %s", language, error)
    try:
        translator = Translator(engine, back, options(parameters), context.glossary, tongues)
        return translator.translate(texts, source, language, progress)
    finally:
        for one in (engine, back):
            close = getattr(one, "close", None)
            if close is not None:
                close()


def options(parameters: Parameters) -> Options:
    """Take the options out of the plugin's parameters, whose types the manifest warrants."""
    return msgspec.convert(
        {name: parameters[name] for name in Options.__struct_fields__ if name in parameters}, Options, strict=False
    )


def _asked(event: Envelope, wished: tuple[str, ...]) -> Asked:
    if event.type == "captions.accepted":
        accepted = msgspec.json.decode(event.data, type=CaptionsAccepted)
        return Asked(wished, Texts(captions=accepted.captions))
    if event.type == "translation.requested":
        wanted = msgspec.json.decode(event.data, type=TranslationRequested)
        texts = Texts(captions=wanted.captions, description=wanted.description, labels=wanted.labels)
        empty = wanted.captions is None and not wanted.description and not wanted.labels
        return Asked(wished or wanted.languages, None if empty else texts, wanted.source_language or "")
    msgspec.json.decode(event.data, type=MediaSettled)
    return Asked(wished, None)


def _read(context: Context, language: str, *, by_itself: bool) -> Texts | None:
    """Read the asset as a subtitle file; ``None`` for a translation that nobody asked to have translated again."""
    if context.path is None:
        raise JobError("there are no captions to translate", "Accept captions first, or give a subtitle file.")
    document = read_file(context.path, language=language or None)
    made = as_result(document)
    if not isinstance(made, Captions):
        if by_itself:
            return None
        raise JobError(
            f"{context.path.name} is itself a translation from {made.source_language}",
            "Translate from the original, so that no mistakes of the first translation are carried on.",
        )
    return Texts(captions=made)


def _source(texts: Texts, said: str, tongues: Tongues) -> str:
    """Say which language the texts are in.

    Raises:
        JobError: neither they, the request nor their letters tell.
    """
    named = texts.captions.language if texts.captions is not None else said
    if named and primary(named) != "und":
        return named
    if said and primary(said) != "und":
        return said
    guess, likely = tongues.guess(texts.sample())
    if likely < _LIKELY:
        raise JobError(
            f"nothing says which language it is in; it reads as {guess}, which is {likely:.0%} sure",
            "Put the language into the file's name, as in Film.en.srt, or say it in the request.",
        )
    return guess


def _strings(parameters: Parameters, name: str) -> Sequence[str]:
    value = parameters.get(name)
    return value if isinstance(value, list | tuple) else ()


__all__ = ["Asked", "localize", "options"]
