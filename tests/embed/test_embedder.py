"""Pictures and texts through the runtime to vectors, pairs of packs, and the cache, with a CLIP that knows colours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.embed import ImageEmbedder, TextCache, TextEmbedder, find_pair, find_pairs, space_of
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, find_packs, read_pack
from callboard.packs.packtext import pack_text, write_pack
from callboard.runtime.local import LocalRuntime
from callboard.testing.tinyclip import COLOURS, make_tiny_clip
from msgspec.structs import replace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of packs with a CLIP that knows five colours."""
    make_tiny_clip(tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def pair(folder: Path) -> tuple[Pack, Pack]:
    """Its two packs, as they are found."""
    found = find_pair(find_packs(folder))
    assert found is not None
    return found


@pytest.fixture
def runtime(folder: Path) -> Iterator[LocalRuntime]:
    """A runtime that finds the packs."""
    with LocalRuntime(RuntimeSettings(models=str(folder))) as made:
        yield made


class Counting:
    """A runtime that is asked through here, so that calls and their rows can be counted."""

    def __init__(self, runtime: LocalRuntime) -> None:
        self._runtime = runtime
        self.rows: list[int] = []

    async def run(self, model: str, inputs: Any, **options: object) -> dict[str, Any]:
        """Count and pass on."""
        self.rows.append(len(next(iter(inputs.values()))))
        return await self._runtime.run(model, inputs, **options)

    def call(self, model: str, inputs: Any, **options: object) -> dict[str, Any]:
        """Count and pass on."""
        self.rows.append(len(next(iter(inputs.values()))))
        return self._runtime.call(model, inputs, **options)


def plain(colour: tuple[int, int, int], height: int = 30, width: int = 50) -> np.ndarray[Any, Any]:
    """A picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def test_each_colour_is_nearest_to_its_name(runtime: LocalRuntime, pair: tuple[Pack, Pack]) -> None:
    """Pictures of any size and texts with more words than the colour meet in one space, in their own order."""
    images, texts = ImageEmbedder(runtime, pair[0]), TextEmbedder(runtime, pair[1])
    seen = images.embed([plain(colour, 11 + 7 * n, 40 - 5 * n) for n, colour in enumerate(COLOURS.values())])
    said = texts.embed([f"{'very ' * n}{word}, as far as one can see" for n, word in enumerate(COLOURS)])
    assert images.space == texts.space
    assert images.length == texts.length == seen.shape[1]
    assert (seen @ said.T).argmax(axis=1).tolist() == list(range(len(COLOURS)))
    assert (seen @ said.T).diagonal() == pytest.approx(1.0, abs=1e-5)


def test_rows_are_unit_float32(runtime: LocalRuntime, pair: tuple[Pack, Pack]) -> None:
    """Every vector is float32 of length one."""
    vectors = TextEmbedder(runtime, pair[1]).embed(["red", "", "neither of them", "blue " * 99])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_calls_hold_no_more_rows_than_the_pack_takes(runtime: LocalRuntime, pair: tuple[Pack, Pack]) -> None:
    """Many pictures become several calls of at most the pack's rows; none become none."""
    counting = Counting(runtime)
    images = ImageEmbedder(counting, pair[0])
    assert images.embed([plain((9, 9, 9))] * 19).shape == (19, 4)
    assert counting.rows == [8, 8, 3]
    assert images.embed([]).shape == (0, 4)
    assert TextEmbedder(counting, pair[1]).embed([]).shape == (0, 4)
    assert counting.rows == [8, 8, 3]


def test_a_tokenizer_is_read_once(runtime: LocalRuntime, pair: tuple[Pack, Pack]) -> None:
    """Two embedders of one pack share it; other preparation of texts makes another."""
    first, second = TextEmbedder(runtime, pair[1]), TextEmbedder(runtime, pair[1])
    assert first._tokens is second._tokens
    other = replace(pair[1], preprocess={**pair[1].preprocess, "tokens": 7})
    assert TextEmbedder(runtime, other)._tokens is not first._tokens


@pytest.mark.parametrize(
    "picture",
    [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(
    runtime: LocalRuntime, pair: tuple[Pack, Pack], picture: np.ndarray[Any, Any]
) -> None:
    """Another type or shape is an error that says what a picture is, not a wrong vector."""
    with pytest.raises(JobError, match="uint8, height x width x 3"):
        ImageEmbedder(runtime, pair[0]).embed([picture])


def test_a_model_that_gives_no_number_is_an_error(folder: Path, runtime: LocalRuntime) -> None:
    """Not-a-number from a model is an error that names it, never a vector that is stored."""
    make_tiny_clip(folder, {"fine": (255, 255, 255), "odd": (float("nan"), 0, 0)}, name="ill")
    texts = TextEmbedder(runtime, find_packs(folder)["ill-text"])
    assert texts.embed(["fine"]).shape == (1, 4)
    with pytest.raises(JobError, match="ill-text"):
        texts.embed(["fine", "odd"])


def test_pairs_are_told_by_name_task_and_space(folder: Path) -> None:
    """Towers of different checkpoints are no pair; the two of one share a space."""
    packs = find_packs(folder)
    assert set(find_pairs(packs)) == {"tiny"}
    image, text = packs["tiny-image"], packs["tiny-text"]
    assert space_of(image) == space_of(text)
    assert space_of(image).startswith("clip:")
    stranger = replace(text, preprocess={**text.preprocess, "space": "another"})
    assert find_pairs({**packs, "tiny-text": stranger}) == {}
    assert find_pairs({**packs, "tiny-text": replace(text, task="text-detection")}) == {}
    assert space_of(replace(text, preprocess={})) == f"text:{text.digest}"


def test_the_best_pair_that_is_ready_is_chosen(folder: Path) -> None:
    """Without a wish the pair with more to it is taken, unless its files are not here; a wish is kept or explained."""
    make_tiny_clip(folder, {**COLOURS, "olive": (128, 128, 0)}, name="more")
    image = read_pack(folder / "more-image.toml")
    wide = replace(image.outputs[0], shape=(-1, 99))
    write_pack(replace(image, outputs=(wide,)), folder / "more-image.toml")
    packs = find_packs(folder)

    def chosen(wanted: str = "") -> str:
        found = find_pair(packs, wanted)
        return found[0].name if found else ""

    assert (chosen(), chosen("tiny")) == ("more-image", "tiny-image")
    (folder / "more-text" / "model.onnx").unlink()
    assert chosen() == "tiny-image"
    with pytest.raises(ModelMissing, match=r"model\.onnx"):
        chosen("more")
    with pytest.raises(ModelMissing, match="no such pair"):
        chosen("lost")
    packs = {}
    assert chosen() == ""


def test_text_vectors_are_kept_and_made_again_when_damaged(
    runtime: LocalRuntime, pair: tuple[Pack, Pack], tmp_path: Path
) -> None:
    """The second question asks no model; one flipped bit anywhere, or a cut file, and it is asked again."""
    counting = Counting(runtime)
    texts = TextEmbedder(counting, pair[1])
    cache = TextCache(tmp_path / "vectors")
    first = cache.embed(texts, ["red", "green"])
    assert (cache.embed(texts, ["red", "green"]) == first).all()
    assert len(counting.rows) == 1
    (file,) = (tmp_path / "vectors").iterdir()
    whole = file.read_bytes()
    for damaged in [whole[:-1], b"", *(_flipped(whole, at) for at in range(0, len(whole), 7))]:
        file.write_bytes(damaged)
        before = len(counting.rows)
        assert (cache.embed(texts, ["red", "green"]) == first).all()
        assert len(counting.rows) == before + 1
        assert file.read_bytes() == whole


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


def test_other_texts_and_other_models_have_their_own_vectors(
    runtime: LocalRuntime, pair: tuple[Pack, Pack], tmp_path: Path
) -> None:
    """Neither order, nor division, nor the model is mixed up; and the cache does not grow without end."""
    counting = Counting(runtime)
    texts, cache = TextEmbedder(counting, pair[1]), TextCache(tmp_path)
    cache.embed(texts, ["ab", "c"])
    for other in (["a", "bc"], ["c", "ab"], ["ab", "c", ""], ["ab"]):
        before = len(counting.rows)
        cache.embed(texts, other)
        assert len(counting.rows) == before + 1
    again = TextEmbedder(counting, replace(pair[1], version="2"))
    before = len(counting.rows)
    cache.embed(again, ["ab", "c"])
    assert len(counting.rows) == before + 1
    for n in range(40):
        cache.embed(texts, [f"{n}"])
    assert len(list(tmp_path.glob("*.vectors"))) == 32
    assert len(list(tmp_path.iterdir())) <= 33  # the models' folder beside them


def test_a_cache_that_cannot_be_written_is_only_slower(
    runtime: LocalRuntime, pair: tuple[Pack, Pack], tmp_path: Path
) -> None:
    """A file where the folder should be: the vectors come all the same."""
    (tmp_path / "file").write_text("")
    vectors = TextCache(tmp_path / "file" / "vectors").embed(TextEmbedder(runtime, pair[1]), ["red"])
    assert vectors.shape == (1, 4)


def test_a_pack_reads_as_it_was_written(folder: Path) -> None:
    """What is written as TOML is the pack that comes back, odd characters and all."""
    pack = read_pack(folder / "tiny-text.toml")
    odd = replace(
        pack,
        summary='quotes " and \\ and \n and \t and \x7f and é 🎬',
        preprocess={"a key with blanks": 1.5, "tuple": ("x", "y"), "yes": True, "small": 1e-12},
        options={"names": ("one", "two")},
    )
    assert pack.problem == ""
    write_pack(odd, folder / "odd.toml")
    back = read_pack(folder / "odd.toml")
    assert replace(back, origin=pack.origin) == odd
    assert pack_text(back) == pack_text(odd)


def test_the_package_is_light_until_a_class_is_asked_for() -> None:
    """Looking for pairs imports no numpy, no Pillow and no tokenizer."""
    code = "import sys, callboard.embed as e; e.find_pair({}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"numpy", "PIL", "tokenizers", "ftfy", "torch"} & set(done.stdout.split()) == set()
