"""Lanes and turns: who is next, for any load."""

from collections import Counter

import numpy as np
from callboard.packs.packfile import Batch
from callboard.runtime import Ticket
from callboard.runtime.calls import Call, Piece
from callboard.runtime.gather import shape_of
from callboard.runtime.queue import Queue
from hypothesis import given, settings
from hypothesis import strategies as st

BATCH = Batch(most=8, pad={"ids": 0})


def call(caller: str, rows: int = 1, length: int = 10, *, urgent: bool = False) -> Call:
    """Make a call that waits."""
    made = Call("m", {"ids": np.ones((rows, length), np.int64)}, {}, Ticket(caller, urgent), None)
    made.size, made.kind = shape_of(BATCH, made.inputs, {})
    return made


def filled(*calls: Call) -> Queue:
    """Make a queue in which *calls* wait."""
    queue = Queue()
    for each in calls:
        queue.lane(each).put(Piece(each))
    return queue


def callers(pieces: list[Piece]) -> str:
    """Say whose pieces these are."""
    return "".join(piece.call.ticket.caller for piece in pieces)


def test_callers_take_turns() -> None:
    """One who asks for a hundred does not hold up one who asks for two."""
    queue = filled(*(call("a") for _ in range(100)), call("b"), call("b"))
    assert callers(queue.take(4, 1, held=False)) == "abab"
    assert callers(queue.take(4, 1, held=False)) == "aaaa"


def test_turns_are_counted_in_rows() -> None:
    """Who sends four rows at a time is next after four others had one each."""
    queue = filled(*(call("a", rows=4) for _ in range(3)), *(call("b") for _ in range(9)))
    order = "".join(callers(queue.take(1, 1, held=False)) for _ in range(21))
    assert order.index("b") <= 4
    assert Counter(order[:16]) == {"a": 8, "b": 8}


def test_one_who_waited_for_nothing_has_saved_up_nothing() -> None:
    """A caller who comes later shares from then on; they do not catch up."""
    queue = filled(*(call("a") for _ in range(20)))
    for _ in range(10):
        queue.take(1, 1, held=False)
    for _ in range(10):
        queue.bulk.put(Piece(call("b")))
    assert Counter(callers(queue.take(8, 1, held=False))) == {"a": 4, "b": 4}


def test_urgent_goes_first_and_alone() -> None:
    """While a person waits nothing else is begun, and nothing else rides along."""
    queue = filled(*(call("a") for _ in range(5)), call("p", urgent=True), call("p", urgent=True))
    assert callers(queue.take(8, 1, held=False)) == "pp"
    assert callers(queue.take(8, 1, held=False)) == "aaaaa"


def test_what_is_held_waits() -> None:
    """While bulk is held only urgent calls are due."""
    queue = filled(call("a"), call("p", urgent=True))
    assert callers(queue.take(8, 1, held=True)) == "p"
    assert queue.take(8, 1, held=True) == []
    assert callers(queue.take(8, 1, held=False)) == "a"


def test_a_long_call_is_cut_and_a_short_one_is_kept_whole() -> None:
    """Twenty rows at eight a batch are three parts of like size; five rows that do not fit beside others wait."""
    queue = filled(call("a", rows=20))
    cuts = [queue.take(8, 1, held=False)[0] for _ in range(3)]
    assert [(cut.start, cut.stop) for cut in cuts] == [(0, 7), (7, 14), (14, 20)]
    queue = filled(call("a", rows=5), call("b", rows=5))
    assert [piece.rows for piece in queue.take(8, 1, held=False)] == [5]


def test_free_workers_share_what_waits() -> None:
    """Eight calls and two free workers are two batches of four, not one of eight and an idle worker."""
    queue = filled(*(call("a") for _ in range(8)))
    assert [len(queue.take(8, free, held=False)) for free in (2, 1)] == [4, 4]


def test_what_is_put_back_is_next() -> None:
    """A piece that could not be run keeps its place before what its caller asked later."""
    queue = filled(call("a"), call("a"))
    (first,) = queue.take(1, 1, held=False)
    first.call.begun = True
    queue.bulk.put_back(first)
    assert queue.take(1, 1, held=False) == [first]


LOAD = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(1, 20), st.integers(1, 60), st.booleans()), min_size=1, max_size=80
)


@settings(deadline=None)  # of a machine that may be busy
@given(LOAD, st.integers(1, 16), st.lists(st.integers(0, 79), max_size=10))
def test_every_row_is_taken_once(load: list[tuple[str, int, int, bool]], limit: int, dropped: list[int]) -> None:
    """Whatever waits: each row of each call that is not dropped comes out once, urgent before bulk, oldest first."""
    calls = [call(caller, rows, length, urgent=urgent) for caller, rows, length, urgent in load]
    queue = filled(*calls)
    gone = {index for index in dropped if index < len(calls)}
    for index in gone:
        queue.drop(calls[index])
    rows: dict[int, list[tuple[int, int]]] = {each.number: [] for each in calls}
    lanes: list[bool] = []
    while pieces := queue.take(limit, 1, held=False):
        assert sum(piece.rows for piece in pieces) <= limit or len(pieces) == 1
        lanes.append(pieces[0].call.ticket.urgent)
        for piece in pieces:
            rows[piece.call.number].append((piece.start, piece.stop))
    assert lanes == sorted(lanes, reverse=True)
    for index, each in enumerate(calls):
        spans = sorted(rows[each.number])
        covered = [row for start, stop in spans for row in range(start, stop)]
        assert covered == ([] if index in gone else list(range(each.size.rows)))
    assert (queue.urgent.rows, queue.bulk.rows, queue.urgent.calls) == (0, 0, queue.urgent.calls)


@settings(max_examples=25, deadline=None)  # each is sixty batches and more
@given(st.lists(st.integers(1, 8), min_size=2, max_size=6))
def test_the_least_served_caller_is_next(sizes: list[int]) -> None:
    """Whatever the size of their calls, each batch begins with a caller who had no more rows than any other."""
    names = "abcdef"[: len(sizes)]
    queue = filled(*(call(name, rows) for name, rows in zip(names, sizes, strict=True) for _ in range(60)))
    had: Counter[str] = Counter()
    while sum(had.values()) < 30 * len(sizes):
        pieces = queue.take(8, 1, held=False)
        assert had[pieces[0].call.ticket.caller] == min(had[name] for name in names)
        for piece in pieces:
            had[piece.call.ticket.caller] += piece.rows
