"""Open-vocabulary concepts: which of a studio's words, or of a small film vocabulary, chosen pictures fit.

A CLIP compares a picture with sentences. How well it fits a concept's own sentences means little by itself, so it is
weighed against sentences of what else the picture may show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from callboard.embed import TextCache, find_pair
from callboard.errors import ModelMissing
from callboard_schemas import Evidence, Tag

from callboard_autotag.analyser import Facts, Found, Picture
from callboard_autotag.sights import ELSE, METHOD, TEMPLATES, Sight, film_sights, sights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callboard.context import Runtime
    from callboard.embed import ImageEmbedder, TextEmbedder
    from callboard.packs import Pack
    from callboard.vocabulary import Vocabulary

Array = np.ndarray[Any, Any]
Heard = Callable[[str, Picture, Array], None]
"""Takes the space, the picture and its vector: ``PrintMaker.take``, so that no picture is embedded twice."""

PAIR: Final = "clip"
"""Name of the pair of packs that is used: ``clip-image`` and ``clip-text``."""
MISSING: Final = (
    "no CLIP model is here; 'callboard models add-hub --recommended' lists some, to be kept under the name 'clip'"
)
SOFTMAX_LEAST: Final = 0.8
"""Score from which a concept is told where the model was trained with a softmax, and nothing else is set: chosen for
few false tags, not measured on film; 'callboard learn' sets each concept's own from what people accept."""
SIGMOID_LEAST: Final = 0.3
"""The same for a model trained with a sigmoid, whose scores for what is there stay low."""
UNPROMPTED: Final = 0.1
"""Added to either for a concept that has no sentences of its own: a bare word can mean anything."""
_AT_ONCE: Final = 8
_MOST_TAGS: Final = 40
_MOST_EVIDENCE: Final = 50


class Concepts:
    """Looks for concepts in chosen pictures; a ``callboard_autotag.analyser.Looker``."""

    def __init__(
        self,
        images: ImageEmbedder,
        texts: TextEmbedder,
        sights: Sequence[Sight],
        *,
        cache: TextCache | None = None,
        heard: Heard | None = None,
    ) -> None:
        """Make one that has seen nothing.

        Args:
            images: Of the pair's image pack; its ``preprocess`` says how scores are made: with ``logit_bias`` each
                concept has the sigmoid that such a model was trained with, else a softmax of the concept and what
                speaks against it, over ``logit_scale``.
            texts: Of the pair's text pack.
            sights: What to look for.
            cache: Where vectors of sentences are kept; the user's cache where None.
            heard: Takes each picture's vector.
        """
        self._images, self._texts, self._sights = images, texts, tuple(sights)
        self._cache, self._heard = cache or TextCache(), heard
        constants = images.pack.preprocess
        self._scale = float(constants.get("logit_scale", 100.0))  # type: ignore[arg-type]  # a number in such packs
        bias = constants.get("logit_bias")
        self._bias = float(bias) if isinstance(bias, int | float) else None
        self._waiting: list[Picture] = []
        self._best: dict[tuple[int, int], tuple[float, Picture]] = {}
        self._meanings: tuple[Array, list[Array]] | None = None
        self._seen = 0

    @property
    def least(self) -> float:
        """The score from which a concept is told where nothing else is set."""
        return SOFTMAX_LEAST if self._bias is None else SIGMOID_LEAST

    def look(self, picture: Picture) -> None:
        """Embed one more picture and weigh it; several go to the model at once.

        Raises:
            ModelMissing: a pack is not here or not intact.
        """
        self._waiting.append(picture)
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def finish(self) -> Found:
        """Tag each concept that reaches its threshold, the surest first, with the best picture of each shot."""
        self._flush()
        facts: Facts = {"concepts_sought": len(self._sights)} if self._seen else {}
        tags = [tag for number in range(len(self._sights)) if (tag := self._tag(number)) is not None]
        return sorted(tags, key=lambda tag: (-tag.score, tag.label))[:_MOST_TAGS], facts

    def scores(self, vectors: Array) -> Array:
        """Weigh vectors of pictures, float32, pictures x length: gives 0 to 1, float64, pictures x sights."""
        own, others = self._meaning()
        fits = vectors @ own.T
        if self._bias is not None:
            return _sigmoid(self._scale * fits + self._bias)
        # The mean over what speaks against it, so that a longer list is no stronger.
        against = np.stack([_log_mean_exp(self._scale * (vectors @ other.T)) for other in others], axis=1)
        return _sigmoid(self._scale * fits - against)

    def _flush(self) -> None:
        pictures, self._waiting = self._waiting, []
        if not pictures or not self._sights:
            return
        vectors = self._images.embed([picture.pixels for picture in pictures])
        self._seen += len(pictures)
        for picture, vector, row in zip(pictures, vectors, self.scores(vectors), strict=True):
            if self._heard is not None:
                self._heard(self._images.space, picture, vector)
            for number in np.flatnonzero(row >= self._thresholds()):
                self._note(int(number), float(row[number]), picture)

    def _thresholds(self) -> Array:
        return np.asarray([self._threshold(sight) for sight in self._sights])

    def _threshold(self, sight: Sight) -> float:
        if sight.threshold is not None:
            return sight.threshold
        return self.least if sight.prompts else self.least + UNPROMPTED

    def _note(self, number: int, score: float, picture: Picture) -> None:
        """Keep the best picture of each shot, without its pixels."""
        shot = picture.shot.number if picture.shot is not None else picture.index
        known = self._best.get((number, shot))
        if known is None or score > known[0]:
            bare = msgspec.structs.replace(picture, pixels=np.zeros((0, 0, 3), np.uint8))
            self._best[number, shot] = (score, bare)

    def _tag(self, number: int) -> Tag | None:
        found = sorted((one for (other, _), one in self._best.items() if other == number), key=lambda one: -one[0])
        if not found:
            return None
        sight = self._sights[number]
        shown = sorted(found[:_MOST_EVIDENCE], key=lambda one: one[1].time)
        return Tag(
            label=sight.label,
            score=round(found[0][0], 3),
            method=METHOD,
            group=sight.group,
            evidence=tuple(_evidence(score, picture) for score, picture in shown),
            threshold=round(self._threshold(sight), 3),
            model=self._images.pack.digest,
            concept=sight.concept,
        )

    def _meaning(self) -> tuple[Array, list[Array]]:
        """Give one vector for each concept, the mean over its sentences, and those of what speaks against each."""
        if self._meanings is None:
            lists = [*(_own(sight) for sight in self._sights), *(sight.against for sight in self._sights)]
            texts = list(dict.fromkeys(text for texts in lists for text in texts))
            places = {text: place for place, text in enumerate(texts)}
            vectors = self._cache.embed(self._texts, texts)
            parts = [vectors[[places[text] for text in texts]] for texts in lists]
            means = np.stack([part.mean(axis=0) for part in parts[: len(self._sights)]])
            self._meanings = means / np.linalg.norm(means, axis=1, keepdims=True), parts[len(self._sights) :]
        return self._meanings


def _own(sight: Sight) -> tuple[str, ...]:
    return sight.prompts or tuple(form.format(sight.word or sight.label) for form in TEMPLATES)


def _evidence(score: float, picture: Picture) -> Evidence:
    value = round(score, 3)
    if picture.shot is not None:
        return Evidence(
            start=round(max(picture.shot.start, 0.0), 3),
            end=round(picture.shot.end, 3),
            frame=picture.index,
            value=value,
        )
    return Evidence(start=round(max(picture.time, 0.0), 3), frame=picture.index, value=value)


def _sigmoid(logits: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80.0, 80.0)))
    return found


def _log_mean_exp(logits: Array) -> Array:
    most = logits.max(axis=1)
    found: Array = most + np.log(np.exp(logits - most[:, None]).mean(axis=1))
    return found


def make_concepts(
    runtime: Runtime,
    packs: Mapping[str, Pack],
    vocabulary: Vocabulary | None = None,
    *,
    wanted: str = "",
    heard: Heard | None = None,
    cache: TextCache | None = None,
) -> Concepts:
    """Make the analyser with the CLIP that is here.

    Args:
        runtime: That has the packs.
        packs: What ``find_packs`` found.
        vocabulary: The project's own words.
        wanted: NAME of the pair; empty takes ``clip`` where it is here, else the best that is.
        heard: Takes each picture's vector.
        cache: Where vectors of sentences are kept.

    Raises:
        ModelMissing: no CLIP is here, or not the wanted one; the message is one line for ``facts["skipped"]``.
    """
    from callboard.embed import ImageEmbedder, TextEmbedder

    pair = (
        find_pair({name: pack for name, pack in packs.items() if name.startswith(f"{PAIR}-")}) if not wanted else None
    )
    pair = pair or find_pair(packs, wanted)
    if pair is None:
        raise ModelMissing(PAIR, MISSING, "")
    images, texts = ImageEmbedder(runtime, pair[0]), TextEmbedder(runtime, pair[1])
    return Concepts(images, texts, sights_of(vocabulary), cache=cache, heard=heard)


__all__ = [
    "ELSE",
    "METHOD",
    "MISSING",
    "PAIR",
    "SIGMOID_LEAST",
    "SOFTMAX_LEAST",
    "Concepts",
    "Sight",
    "film_sights",
    "make_concepts",
    "sights_of",
]
