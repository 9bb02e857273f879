"""Concepts are told of the pictures that fit them, with a CLIP whose towers are known: it sees colours.

No CLIP with trained weights can be had here: this shows that pictures, sentences, thresholds, shots and vocabularies
come together rightly, not how well a trained model knows film.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.embed import TextCache, space_of
from callboard.errors import ModelMissing
from callboard.packs import find_packs, read_pack
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard.testing.tinyclip import make_tiny_clip
from callboard.vocabulary import Concept, Vocabulary
from callboard_autotag.analyser import Picture, Shot
from callboard_autotag.concepts import ELSE, Concepts, Sight, film_sights, make_concepts, sights_of
from callboard_schemas import Prints, Tags
from PIL import Image

RED, GREEN, BLUE = (230, 20, 20), (10, 200, 30), (20, 30, 240)
WORDS = {"poppies": (255, 0, 0), "meadow": (0, 255, 0), "ocean": (0, 0, 255), "something": (128, 128, 128)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a CLIP that knows what colour poppies, a meadow and the ocean are."""
    make_tiny_clip(tmp_path / "models", WORDS, name="clip", logit_scale=20.0)
    return tmp_path / "models"


@pytest.fixture
def runtime(models: Path) -> Iterator[LocalRuntime]:
    """A runtime that finds it."""
    with LocalRuntime(RuntimeSettings(models=str(models))) as made:
        yield made


def seen(colour: tuple[int, int, int], number: int, shot: Shot | None = None) -> Picture:
    """A picture of one colour, half a second after the one before."""
    pixels = np.full((90, 160, 3), colour, np.uint8)
    return Picture(time=number / 2, index=number * 12, pixels=pixels, sharpness=1.0, shot=shot)


def sights() -> list[Sight]:
    """Three things to look for, each with what else may be there."""
    return [
        Sight(id=word, label=word, prompts=(f"a field of {word}", word), against=("something", *others))
        for word, others in {
            "poppies": ("meadow", "ocean"),
            "meadow": ("poppies", "ocean"),
            "ocean": ("poppies", "meadow"),
        }.items()
    ]


def make(runtime: LocalRuntime, models: Path, tmp_path: Path, wanted: list[Sight], **options: Any) -> Concepts:
    """Make the analyser with these things to look for."""
    made = make_concepts(runtime, find_packs(models), cache=TextCache(tmp_path / "cache"), **options)
    return Concepts(made._images, made._texts, wanted, cache=TextCache(tmp_path / "cache"), **options)


def test_pictures_are_tagged_with_what_they_show(runtime: LocalRuntime, models: Path, tmp_path: Path) -> None:
    """Each shot's concept is told, with its span, best frame, score, threshold and the model; nothing else is."""
    shots = [Shot(0, 0.0, 1.0, 0, 24), Shot(1, 1.0, 2.5, 25, 60)]
    heard: list[tuple[str, int, float]] = []
    looker = make(
        runtime,
        models,
        tmp_path,
        sights(),
        heard=lambda space, picture, vector: heard.append((space, picture.index, float(np.linalg.norm(vector)))),
    )
    looker.look(seen((150, 90, 90), 0, shots[0]))
    looker.look(seen(RED, 1, shots[0]))
    looker.look(seen(BLUE, 2, shots[1]))
    tags, facts = looker.finish()
    assert [tag.label for tag in sorted(tags, key=lambda tag: tag.label)] == ["ocean", "poppies"]
    poppies = next(tag for tag in tags if tag.label == "poppies")
    assert [(one.start, one.end, one.frame) for one in poppies.evidence] == [(0.0, 1.0, 12)]
    assert poppies.score >= poppies.threshold == 0.8  # type: ignore[operator]  # it has one
    assert poppies.method == "clip"
    assert poppies.model == find_packs(models)["clip-image"].digest
    assert facts == {"concepts_sought": 3}
    assert [index for _, index, _ in heard] == [0, 12, 24]
    assert [length for *_, length in heard] == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)


def test_a_concept_that_nothing_fits_is_not_told(runtime: LocalRuntime, models: Path, tmp_path: Path) -> None:
    """Grey fits no colour better than what speaks against it; however few concepts there are, none must win."""
    looker = make(runtime, models, tmp_path, sights()[:1])
    for number in range(20):
        looker.look(seen((128, 128, 128), number))
    assert looker.finish() == ([], {"concepts_sought": 1})


def test_scores_do_not_depend_on_how_many_words_there_are(runtime: LocalRuntime, models: Path, tmp_path: Path) -> None:
    """A score is a concept's own: a longer vocabulary, or saying the contrary twice, changes nothing."""
    vector = make(runtime, models, tmp_path, sights())._images.embed([seen((200, 60, 60), 0).pixels])
    alone = make(runtime, models, tmp_path, sights()[:1]).scores(vector)
    among = make(runtime, models, tmp_path, sights()).scores(vector)
    twice = Sight(id="p", label="p", prompts=("a field of poppies", "poppies"), against=sights()[0].against * 2)
    assert among[0, 0] == pytest.approx(alone[0, 0])
    assert make(runtime, models, tmp_path, [twice]).scores(vector)[0, 0] == pytest.approx(alone[0, 0])
    assert among[0, 0] > 0.8 > 0.2 > among[0, 2]


def test_a_model_trained_with_a_sigmoid_is_read_with_it(runtime: LocalRuntime, models: Path, tmp_path: Path) -> None:
    """With a bias in the pack the score is the sigmoid of scaled cosine and bias, and the threshold another."""
    make_tiny_clip(models, WORDS, name="clip", logit_scale=10.0, logit_bias=-9.0)
    looker = make(runtime, models, tmp_path, sights())
    vector = looker._images.embed([seen((255, 0, 0), 0).pixels])
    own = looker._texts.embed(["a field of poppies", "poppies"]).mean(axis=0)
    cosine = float(vector[0] @ own) / float(np.linalg.norm(own))
    assert looker.scores(vector)[0, 0] == pytest.approx(1 / (1 + np.exp(9.0 - 10.0 * cosine)), rel=1e-4)
    assert looker.least == 0.3


def test_a_studios_own_words_are_looked_for(runtime: LocalRuntime, models: Path, tmp_path: Path) -> None:
    """Concepts bring label, path, sentences and thresholds; categories and those that do not listen are left out."""
    words = Vocabulary(
        concepts=(
            Concept(id="places", label="Places", category=True),
            Concept(id="sea", label="Sea", parent="places", prompts=("the ocean",), threshold=0.5),
            Concept(id="meadow", label="meadow", parent="places"),
            Concept(id="red", label="poppies", analysers=("light",)),
            Concept(id="strict", label="Strict", prompts=("the ocean",), thresholds={"clip": 1.0}),
        )
    )
    found = sights_of(words)
    assert [(sight.id, sight.group) for sight in found] == [
        ("sea", ("Places",)),
        ("meadow", ("Places",)),
        ("strict", ()),
    ]
    assert found[0].against == ELSE
    looker = make(runtime, models, tmp_path, list(found))
    looker.look(seen(BLUE, 0))
    looker.look(seen(GREEN, 1))
    tags, _ = looker.finish()
    assert {(tag.label, tag.concept, tag.group, tag.threshold) for tag in tags} == {
        ("Sea", "sea", ("Places",), 0.5),
        ("meadow", "meadow", ("Places",), 0.9),
    }


def test_without_a_clip_it_says_what_to_do(runtime: LocalRuntime, tmp_path: Path) -> None:
    """No pair of packs: one line that names the command; a wanted pair that is not there says which are."""
    with pytest.raises(ModelMissing, match="models add-hub --recommended"):
        make_concepts(runtime, {})
    with pytest.raises(ModelMissing, match="no such pair"):
        make_concepts(runtime, {}, wanted="siglip")


def test_a_whole_run_tags_concepts_and_stores_vectors(
    plugin_harness: PluginHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin finds a CLIP under its name in the store, tags a picture with film words, and prints its vector."""
    white, black = (255, 255, 255), (0, 0, 0)
    store = tmp_path / "store"
    words = {"night": black, "daylight": white, "sunny": white, "room": (0, 255, 0), "sunset": (255, 128, 0)}
    make_tiny_clip(store, words, name="clip", logit_scale=20.0)
    monkeypatch.setenv("CALLBOARD_STORE", str(store))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "still.png"
    Image.fromarray(np.full((120, 200, 3), 3, np.uint8)).save(path)
    off: dict[str, bool] = {"text": False, "faces": False, "safety": False}
    with LocalRuntime() as runtime:
        results = plugin_harness.run("callboard_autotag", path, parameters=off, runtime=runtime)
    tags = next(result for result in results if isinstance(result, Tags))
    found = {tag.label: tag for tag in tags.items if tag.method == "clip"}
    assert "night" in found
    assert "day" not in found
    assert found["night"].group == ("time",)
    assert not any("CLIP" in line for line in tags.facts.get("skipped", ()))  # type: ignore[union-attr]  # a list there
    prints = next(result for result in results if isinstance(result, Prints))
    assert [one.space for one in prints.items if one.space.startswith("clip:")] == [
        space_of(read_pack(store / "clip-image.toml"))
    ]


def test_the_shipped_vocabulary_is_sound() -> None:
    """Ids and labels are unique, and each concept has sentences for it and against it, none of them both."""
    found = film_sights()
    assert len({sight.id for sight in found}) == len({sight.label for sight in found}) == len(found) >= 20
    for sight in found:
        assert sight.prompts
        assert sight.group
        assert sight.against
        assert not set(sight.prompts) & set(sight.against)
    assert sights_of(None) == sights_of(Vocabulary()) == found
