"""Which calls make a batch, how they are joined and split: for any load."""

from typing import Any

import numpy as np
import pytest
from callboard.errors import JobError, ModelFault
from callboard.packs.packfile import Batch
from callboard.runtime.gather import WASTE, Size, choose, join, not_finite, require_rows, shape_of, split
from hypothesis import given, settings
from hypothesis import strategies as st

SIZES = st.builds(Size, st.integers(1, 12), st.integers(1, 200))
TEXT = Batch(most=16, pad={"ids": 0, "mask": 0}, trim=("states",))


def padding(sizes: list[Size]) -> float:
    """Share of a batch that is padding."""
    longest = max(size.length for size in sizes)
    return 1 - sum(size.rows * size.length for size in sizes) / (longest * sum(size.rows for size in sizes))


@settings(deadline=None)  # of a machine that may be busy
@given(SIZES, st.lists(SIZES, max_size=60), st.integers(1, 64))
def test_a_batch_keeps_to_its_bounds(first: Size, others: list[Size], limit: int) -> None:
    """No call is in it twice, it has no more rows than allowed, and little of it is padding."""
    chosen = choose(first, others, limit)
    assert len(set(chosen)) == len(chosen)
    sizes = [first, *(others[index] for index in chosen)]
    assert sum(size.rows for size in sizes) <= max(limit, first.rows)
    assert padding(sizes) <= WASTE + 1e-9


@settings(deadline=None)  # of a machine that may be busy
@given(SIZES, st.lists(SIZES, max_size=60), st.integers(1, 64))
def test_no_equal_call_that_would_fit_is_left_out(first: Size, others: list[Size], limit: int) -> None:
    """A call as long as the first stays out only where there is no room for its rows."""
    chosen = choose(first, others, limit)
    rows = first.rows + sum(others[index].rows for index in chosen)
    for index, other in enumerate(others):
        if other.length == first.length and index not in chosen:
            assert rows + other.rows > limit


def test_takes_the_nearest_in_length_and_then_the_earliest() -> None:
    """Neighbours in length come first; among equals the one that is due first."""
    others = [Size(1, 40), Size(1, 21), Size(1, 20), Size(1, 22), Size(1, 20)]
    assert choose(Size(1, 20), others, 3) == [2, 4]
    assert choose(Size(1, 20), others, 8) == [2, 4, 1, 3]


CALLS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30)), min_size=1, max_size=10)


@settings(deadline=None)  # of a machine that may be busy
@given(CALLS, st.integers(0, 2**32 - 1))
def test_what_is_joined_comes_apart_again(shapes: list[tuple[int, int]], seed: int) -> None:
    """Each call gets its own rows and its own length back, whatever it was run with."""
    random = np.random.default_rng(seed)
    calls = [{"ids": random.integers(1, 1000, shape), "mask": np.ones(shape, np.int64)} for shape in shapes]
    joined = join(calls, TEXT.pad)
    longest = max(length for _, length in shapes)
    assert joined["ids"].shape == (sum(rows for rows, _ in shapes), longest)
    assert int(joined["mask"].sum()) == sum(rows * length for rows, length in shapes)
    outputs = {"states": joined["ids"] * 2, "pooled": joined["ids"].sum(axis=1)}
    answers = split(outputs, [Size(*shape) for shape in shapes], TEXT.trim)
    for call, answer in zip(calls, answers, strict=True):
        assert np.array_equal(answer["states"], call["ids"] * 2)
        assert np.array_equal(answer["pooled"], call["ids"].sum(axis=1))
        answer["pooled"][:] = 0  # its own: no neighbour sees this
    assert len(calls) == 1 or (outputs["pooled"] > 0).all()


def text(rows: int, length: int, dtype: Any = np.int64) -> dict[str, Any]:
    """Inputs of a text model."""
    return {"ids": np.ones((rows, length), dtype), "mask": np.ones((rows, length), np.int64)}


def test_calls_are_alike_but_for_rows_and_padded_lengths() -> None:
    """Other options, types or trailing shapes make another kind."""
    shape = shape_of(TEXT, text(2, 7), {})
    assert shape.size == (2, 7)
    assert shape.kind == shape_of(TEXT, text(5, 90), {}).kind
    assert shape.kind != shape_of(TEXT, text(2, 7), {"outputs": ["pooled"]}).kind
    assert shape.kind != shape_of(TEXT, text(2, 7, np.int32), {}).kind
    picture = Batch(most=4)
    assert (
        shape_of(picture, {"x": np.zeros((1, 3, 8, 8))}, {}).kind
        != shape_of(picture, {"x": np.zeros((1, 3, 8, 9))}, {}).kind
    )
    one, other = {"a": 1, "b": [2]}, {"b": [2], "a": 1}
    assert shape_of(TEXT, text(1, 1), one).kind == shape_of(TEXT, text(1, 1), other).kind


@pytest.mark.parametrize(
    ("batch", "inputs", "options"),
    [
        (None, text(2, 7), {}),
        (TEXT, {}, {"metadata": True}),
        (TEXT, {"ids": np.ones((2, 7)), "mask": np.ones((3, 7))}, {}),
        (TEXT, {"ids": np.ones((2, 7)), "mask": np.ones((2, 8))}, {}),
        (TEXT, text(0, 7), {}),
        (TEXT, {"ids": np.array(3)}, {}),
        (TEXT, text(2, 7), {"callback": print}),
    ],
)
def test_what_cannot_be_batched_runs_alone(
    batch: Batch | None, inputs: dict[str, Any], options: dict[str, Any]
) -> None:
    """Without [batch], without inputs, without rows in common, or with options that cannot be compared."""
    assert shape_of(batch, inputs, options).kind is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [3, 100_000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_finds_what_is_not_finite(value: float, count: int, dtype: Any) -> None:
    """One bad value among few or many is found, in every float type; whole numbers and words have none."""
    good = np.ones(count, dtype)
    bad = good.copy()
    bad[count // 2] = value
    assert not_finite({"a": good, "n": np.arange(3), "s": "nan", "none": good[:0]}) == ""
    assert not_finite({"a": good, "b": bad}) == "b"


def test_names_an_output_without_rows() -> None:
    """An output that cannot be taken apart is a fault of the model, which is named with it."""
    require_rows("m", {"y": np.zeros((4, 2))}, 4)
    with pytest.raises(ModelFault, match=r"'m'.*'n'.*\[\] for 4 rows") as caught:
        require_rows("m", {"y": np.zeros((4, 2)), "n": np.array(4)}, 4)
    assert isinstance(caught.value, JobError)
