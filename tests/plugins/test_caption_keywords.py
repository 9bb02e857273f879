"""Keywords of what is said: what stands out and was heard well, with its places; nothing that the recogniser doubts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard.vocabulary import parse, resolve
from callboard_caption.doubt import MAYBE_NOT_SPEECH, REPETITION
from callboard_caption.keywords import LEAST, METHOD, keywords
from callboard_schemas import Captions, Cue, Tag, Word

TALK = """The lighthouse keeper lived on the island for thirty years. Every night the lighthouse keeper climbed up.
When the storm came, the fishing boats turned back to Stornoway. We filmed the fishing boats with a drone.
I asked Margaret about the storm. She said the fishing boats never came home that night."""


def spoken(text: str, sure: float = 0.9, flags: tuple[str, ...] = (), language: str = "en") -> Captions:
    """Make captions of a text, three words a second, a cue for each line."""
    cues, time = [], 0.0
    for number, line in enumerate(text.splitlines(), 1):
        words = []
        for word in line.split():
            words.append(Word(text=word, start=round(time, 3), end=round(time + 0.3, 3), confidence=sure))
            time += 1 / 3
        last = words[-1].end
        cue = Cue(
            id=number, start=words[0].start, end=last, lines=(line,), confidence=sure, words=tuple(words), flags=flags
        )
        cues.append(cue)
    return Captions(language=language, cues=tuple(cues), confidence=sure)


def found(captions: Captions) -> list[Tag]:
    """Give the keywords."""
    tags = keywords(captions)
    return list(tags.items) if tags else []


def test_what_stands_out_is_named() -> None:
    """Phrases that come back and names are keywords, best first; parts that come only inside of them are not."""
    labels = [tag.label for tag in found(spoken(TALK))]
    assert labels[0] == "fishing boats"
    assert {"fishing boats", "lighthouse keeper", "storm", "night", "Stornoway", "Margaret"} == set(labels)


def test_each_keyword_says_where() -> None:
    """Evidence has the times and the words of each place, and how sure the recogniser was of them."""
    (boats,) = [tag for tag in found(spoken(TALK)) if tag.label == "fishing boats"]
    assert (boats.method, boats.group, boats.threshold) == (METHOD, ("speech", "keywords"), LEAST)
    words = [word for cue in spoken(TALK).cues for word in cue.words]
    starts = [word.start for word in words if word.text == "fishing"]
    assert [seen.start for seen in boats.evidence] == starts
    assert all(seen.text == "fishing boats" and seen.value == 0.9 for seen in boats.evidence)
    assert all(
        seen.end is not None and seen.start is not None and 0.5 < seen.end - seen.start < 0.7 for seen in boats.evidence
    )


@pytest.mark.parametrize("flag", [MAYBE_NOT_SPEECH, REPETITION])
def test_doubted_cues_have_no_keywords(flag: str) -> None:
    """What may be no speech, or a loop of the recogniser, is not talked about; nor is what was left out."""
    assert keywords(spoken(TALK, flags=(flag,))) is None
    sure = spoken("Hello there.")
    assert keywords(Captions(language="en", cues=sure.cues, confidence=0.9, left_out=spoken(TALK).cues)) is None


def test_words_heard_badly_are_no_keywords() -> None:
    """Below half a confidence a word is none; above it, a keyword is as sure as its words."""
    assert keywords(spoken(TALK, sure=0.45)) is None
    low, high = keywords(spoken(TALK, sure=0.7)), keywords(spoken(TALK, sure=0.95))
    assert low is not None
    assert high is not None
    assert (low.confidence, high.confidence) == (0.7, 0.95)
    assert [tag.label for tag in low.items] == [tag.label for tag in high.items]
    assert all(a.score < b.score for a, b in zip(low.items, high.items, strict=True))


def test_punctuation_and_pauses_end_a_phrase() -> None:
    """Words on two sides of a full stop, or of a silence, are no phrase."""
    parted = "We saw fishing. Boats came. We like fishing. Boats left."
    assert "fishing Boats" not in [tag.label for tag in found(spoken(parted))]
    captions = spoken("We saw fishing boats now.\nThey had fishing boats too.")
    slow = [
        Cue(
            id=cue.id,
            start=cue.start,
            end=cue.end + 10,
            lines=cue.lines,
            confidence=0.9,
            words=tuple(
                Word(text=word.text, start=word.start + 2 * at, end=word.end + 2 * at, confidence=0.9)
                for at, word in enumerate(cue.words)
            ),
        )
        for cue in captions.cues
    ]
    assert "fishing boats" in [tag.label for tag in found(captions)]
    assert "fishing boats" not in [
        tag.label for tag in found(Captions(language="en", cues=tuple(slow), confidence=0.9))
    ]


def test_nothing_is_said_of_nothing() -> None:
    """No cues, only stop words, or a language without known stop words give no keywords."""
    assert keywords(Captions(language="en", cues=(), confidence=0.9)) is None
    assert keywords(spoken("And so it is what it was. And so it is.")) is None
    assert keywords(spoken(TALK, language="xx")) is None


def test_german_is_read_with_german_stop_words() -> None:
    """The stop words are those of the language that is spoken."""
    text = "Der Leuchtturm ist alt. Wir haben den Leuchtturm gesehen und das Meer. Das Meer war ruhig."
    assert {tag.label for tag in found(spoken(text, language="de-AT"))} == {"Leuchtturm", "Meer"}


def vectors(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Put boats and the whole near each other, the storm and the night on one spot, the rest far off."""
    rows = []
    for text in texts:
        near = "boats" in text or len(text) > 40
        twin = text in ("storm", "night")
        rows.append([1.0, 0.2, 0.0] if near else [0.3, 0.0, 0.95] if twin else [0.1, 1.0, 0.0])
    made = np.array(rows, np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def test_a_sentence_model_ranks_by_meaning() -> None:
    """What is near to the whole comes first, what says the same as a better phrase is left out, scores stay shares."""
    tags = keywords(spoken(TALK), vectors, "d" * 64)
    assert tags is not None
    labels = [tag.label for tag in tags.items]
    assert labels[0] == "fishing boats"
    assert len({"storm", "night"} & set(labels)) == 1
    assert all(0 <= tag.score <= 1 and tag.model == "d" * 64 for tag in tags.items)


def test_keywords_become_concepts() -> None:
    """A vocabulary takes keywords over as its concepts, with their places."""
    words = parse('[[concepts]]\nid = "boat"\nlabel = "boat"\nsynonyms = ["fishing boats"]\n')
    (boat,) = [tag for tag in resolve(found(spoken(TALK)), words) if tag.concept]
    assert (boat.label, boat.method, len(boat.evidence)) == ("boat", METHOD, 3)


@pytest.mark.models
def test_real_speech_has_keywords_when_asked(plugin_harness: PluginHarness, samples: Path) -> None:
    """The plugin answers with captions first; keywords may follow, and never do where they are turned off."""
    with LocalRuntime() as runtime:
        both = plugin_harness.run("callboard_caption", samples / "harbour_take3.mp4", runtime=runtime)
        alone = plugin_harness.run(
            "callboard_caption", samples / "harbour_take3.mp4", parameters={"keywords": False}, runtime=runtime
        )
    assert isinstance(both[0], Captions)
    assert alone == both[:1]
    tags = keywords(both[0])
    assert both[1:] == ([tags] if tags else [])
