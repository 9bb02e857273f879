"""Which model hears a job, in which language."""

from __future__ import annotations

import pytest
from callboard.errors import JobError, ModelMissing
from callboard_caption.choosing import choose
from callboard_schemas import Parameters

ENGLISH = {"whisper-tiny-en": ("en",), "silero-vad": ()}
BOTH = {**ENGLISH, "whisper-small": (), "whisper-tiny": ()}


def asked(language: str = "auto", model: str = "auto", task: str = "transcribe") -> Parameters:
    """Make parameters."""
    return {"language": language, "model": model, "task": task}


@pytest.mark.parametrize(
    ("language", "models", "expected"),
    [
        ("auto", ENGLISH, ("whisper-tiny-en", "en", "en")),
        ("en-GB", ENGLISH, ("whisper-tiny-en", "en", "en-GB")),
        ("auto", BOTH, ("whisper-small", None, "auto")),
        ("pt-BR", BOTH, ("whisper-small", "pt", "pt-BR")),
        ("jv", BOTH, ("whisper-small", "jw", "jv")),
        ("en", {**ENGLISH, "whisper-tiny": ()}, ("whisper-tiny-en", "en", "en")),
        ("auto", {**ENGLISH, "whisper-tiny": ()}, ("whisper-tiny", None, "auto")),
    ],
)
def test_the_best_model_that_is_here_is_taken(
    language: str, models: dict[str, tuple[str, ...]], expected: tuple[str, str | None, str]
) -> None:
    """The largest multilingual one, and the small English one where it is better or all there is."""
    found = choose(asked(language), models)
    assert (found.model, found.language, found.tag) == expected


@pytest.mark.parametrize("parameters", [asked("fr-CA"), asked(task="translate"), asked(model="whisper-medium")])
def test_a_model_that_is_not_here_is_asked_for_by_name(parameters: Parameters) -> None:
    """A job that needs another model waits, and says how one is brought."""
    with pytest.raises(ModelMissing, match="callboard models add-hub") as caught:
        choose(parameters, ENGLISH)
    assert caught.value.model in ("whisper-base", "whisper-medium")


def test_a_model_is_not_made_to_write_a_language_that_it_does_not_know() -> None:
    """The English model asked for by name refuses French, and a pack's list of languages is believed."""
    with pytest.raises(JobError, match="English only"):
        choose(asked("fr", model="whisper-tiny-en"), BOTH)
    with pytest.raises(JobError, match="does not know the language eo"):
        choose(asked("eo"), {**ENGLISH, "whisper-small": ("en", "fr")})


def test_a_found_language_gets_its_bcp_47_tag() -> None:
    """Whisper's own codes do not reach captions."""
    found = choose(asked(), BOTH)
    assert [found.tag_of(code) for code in ("de", "jw")] == ["de", "jv"]
