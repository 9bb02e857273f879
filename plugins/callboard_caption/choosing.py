"""Which model hears a job, in which language: from the parameters, and from the packs that are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from callboard.errors import JobError, ModelMissing
from msgspec import Struct

if TYPE_CHECKING:
    from callboard_schemas import Parameters

ENGLISH: Final = "whisper-tiny-en"
"""The model that comes with the plugin."""
MULTILINGUAL: Final = (
    "whisper-large-v3-turbo",
    "whisper-medium",
    "whisper-small",
    "whisper-base",
    "whisper-tiny",
)
"""Names under which multilingual sizes are looked for, best first."""
AUTO: Final = "auto"
_BROUGHT: Final = (
    "'callboard models pull whisper-base' brings one that hears 99 languages;"
    " 'callboard models add-hub --recommended' lists larger ones."
)
_CODES: Final = {"jv": "jw", "nb": "no", "iw": "he", "cmn": "zh", "fil": "tl"}
"""BCP 47 language to what Whisper calls it, where they differ."""
_TAGS: Final = {"jw": "jv"}


class Choice(Struct, frozen=True, kw_only=True):
    """How a job is heard."""

    model: str
    language: str | None
    """Code for the model; ``None`` has it found out."""
    tag: str
    """BCP 47, as it was asked for; ``auto`` where it is found out."""
    task: Literal["transcribe", "translate"] = "transcribe"

    def tag_of(self, code: str) -> str:
        """Give the BCP 47 tag of a language that the model names."""
        return self.tag if self.tag != AUTO else _TAGS.get(code, code)


def choose(parameters: Parameters, known: Mapping[str, tuple[str, ...]]) -> Choice:
    """Choose the model and the language.

    Args:
        parameters: ``language``, ``model`` and ``task`` of the plugin.
        known: Each model that is here, and the language codes that its pack says it knows; one that says none knows
            all.

    Raises:
        JobError: the model that was asked for does not know the language.
        ModelMissing: no model that is here knows it, or the one that was asked for is not here.
    """
    tag, asked, task = (str(parameters[name]) for name in ("language", "model", "task"))
    code = None if tag == AUTO else code_of(tag)
    english = code in ("en", None) and task == "transcribe"
    if asked != AUTO:
        if asked not in known:
            raise ModelMissing(asked, "it is not here, and the settings ask for it", _BROUGHT)
        if asked == ENGLISH and not english:
            raise JobError(
                f"{ENGLISH} hears English only, and is to {task} {tag}", "Leave 'model' at auto. " + _BROUGHT
            )
        return _made(asked, code, tag, task, known)
    here = [name for name in MULTILINGUAL if name in known]
    # For English the small English model is better than the multilingual one of its size.
    if not here or (code == "en" and english and here[0] == "whisper-tiny"):
        if not english:
            raise ModelMissing(
                "whisper-base", f"captions of {_spoken(tag)} were asked for; {ENGLISH} hears English only", _BROUGHT
            )
        return _made(ENGLISH, "en", "en" if tag == AUTO else tag, task, known)
    return _made(here[0], code, tag, task, known)


def _made(model: str, code: str | None, tag: str, task: str, known: Mapping[str, tuple[str, ...]]) -> Choice:
    codes = known.get(model, ())
    if codes == ("en",):
        code, tag = "en", "en" if tag == AUTO else tag
    elif code is not None and codes and code not in codes:
        raise JobError(f"{model} does not know the language {tag}", f"It knows {', '.join(codes)}.")
    return Choice(model=model, language=code, tag=tag, task="translate" if task == "translate" else "transcribe")


def _spoken(tag: str) -> str:
    return "any language" if tag == AUTO else tag


def code_of(tag: str) -> str:
    """Give what Whisper calls the language of a BCP 47 tag."""
    first = tag.split("-")[0].lower()
    return _CODES.get(first, first)


__all__ = ["AUTO", "ENGLISH", "MULTILINGUAL", "Choice", "choose", "code_of"]
