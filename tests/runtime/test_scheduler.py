"""The scheduler over an engine that a test can hold still: what runs when, with whom, where, and what comes of it."""

import asyncio
import functools
import hashlib
import logging
import queue
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelFault, ModelMissing
from callboard.packs import Pack, read_file
from callboard.plugin.context import JobContext, Surroundings
from callboard.runtime import ENGINES, Control, NoMemory, Ticket
from callboard.runtime.gate import Gate
from callboard.runtime.local import LocalRuntime
from callboard.runtime.scheduler import Scheduler
from callboard.runtime.status import ModelStatus

WAIT = 30.0


class Ran:
    """One run of a session."""

    def __init__(self, session: "Session", ids: np.ndarray[Any, Any], control: Control) -> None:
        self.model, self.device, self.control = session.pack.name, session.device, control
        self.rows, self.length = ids.shape
        self.marks = sorted({int(value) for value in ids[:, 0]})
        """First value of each row: who is in it."""


class Shop:
    """What the test's engine does. Runs go through at once, or while ``held`` one for each ``release``."""

    def __init__(self) -> None:
        self.devices: tuple[str, ...] = ("cpu",)
        self.room: dict[str, int] = {}
        """Rows that a device has memory for."""
        self.load_room: dict[str, int] = {}
        """Models that a device has memory for."""
        self.parallel = 1
        self.held = False
        self.log: list[Ran] = []
        self.begun: queue.SimpleQueue[Ran] = queue.SimpleQueue()
        self.loaded: list[tuple[str, str]] = []
        self.open: list[Session] = []
        self.most_open = 0
        self.hold_load: threading.Event | None = None
        self._turns = threading.Semaphore(0)

    def release(self, count: int = 1) -> None:
        """Let *count* held runs go on."""
        self._turns.release(count)

    def free(self) -> None:
        """Let everything go on from now."""
        self.held = False
        self._turns.release(1000)

    def ran(self, session: "Session", ids: np.ndarray[Any, Any], control: Control) -> None:
        """Note a run, and hold it."""
        run = Ran(session, ids, control)
        self.log.append(run)
        self.begun.put(run)
        if self.held:
            assert self._turns.acquire(timeout=WAIT)


class Session:
    """A model that doubles: ``states`` for each token, ``sums`` for each row.

    A row that begins with 1013 is wrong, 1066 gives NaN, and 1099 makes every row of its batch infinite.
    """

    def __init__(self, pack: Pack, device: str, shop: Shop) -> None:
        self.pack, self.device, self.parallel, self.memory_mb, self.shop = (
            pack,
            device,
            shop.parallel,
            pack.memory_mb,
            shop,
        )

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Double."""
        ids = inputs["ids"]
        self.shop.ran(self, ids, control)
        if len(ids) > self.shop.room.get(self.device, 10**6):
            raise NoMemory("no memory")
        if (ids[:, 0] == 1013).any():
            raise JobError("1013 is no token")
        states = ids.astype(np.float32) * 2
        sums = states.sum(axis=1)
        sums[ids[:, 0] == 1066] = np.nan
        if (ids[:, 0] == 1099).any():
            sums[:] = np.inf
        control.progress(0.5)
        return {"states": states, "sums": sums}

    def close(self) -> None:
        """Be gone."""
        self.shop.open.remove(self)


class Engine:
    """Loads the test's models."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """Those the test says."""
        return self.shop.devices

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = "cpu") -> Session:
        """Compare the file, and make a session."""
        read_file(pack, folder, pack.files[0])
        self.shop.loaded.append((pack.name, device))
        if self.shop.hold_load is not None:
            assert self.shop.hold_load.wait(WAIT)
        if sum(each.device == device for each in self.shop.open) >= self.shop.load_room.get(device, 10**6):
            raise NoMemory("no memory")
        session = Session(pack, device, self.shop)
        self.shop.open.append(session)
        self.shop.most_open = max(self.shop.most_open, len(self.shop.open))
        return session


def write(folder: Path, name: str, *, memory_mb: int = 8, most: int = 8, batch: bool = True, more: str = "") -> Path:
    """Write a pack of the test's engine; give its one file."""
    path = folder / f"{name}.bin"
    path.write_bytes(name.encode() * 10)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    together = f'[batch]\nmost = {most}\npad = {{ids = 0}}\ntrim = ["states"]\n' if batch else ""
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "shop"\nlicense = "CC0-1.0"\nsummary = "a test"\n'
        f'memory_mb = {memory_mb}\nsource = {{kind = "file"}}\n'
        f'files = [{{path = "{path.name}", size = {path.stat().st_size}, sha256 = "{digest}"}}]\n'
        f'inputs = [{{name = "ids", dtype = "int64", shape = [-1, -1]}}]\n{more}\n{together}'
    )
    return path


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The test's engine, registered as ``shop``."""
    made = Shop()
    module = types.ModuleType("callboard_test_shop")
    module.ShopEngine = functools.partial(Engine, made)  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(ENGINES, "shop", f"{module.__name__}:ShopEngine")
    yield made
    assert made.open == [], "a model was not closed"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with one pack, ``m``."""
    write(tmp_path, "m")
    return tmp_path


@pytest.fixture
def scheduler(shop: Shop, models: Path) -> Iterator[Scheduler]:
    """A scheduler that knows the pack; whatever a test holds is let go in the end."""
    with_it = Scheduler(RuntimeSettings(memory_mb=64), models)
    yield with_it
    shop.free()
    with_it.close()


def ids(mark: int = 1, rows: int = 1, length: int = 4) -> dict[str, Any]:
    """Inputs of *rows* rows that begin with *mark*."""
    return {"ids": np.full((rows, length), mark, np.int64)}


def ask(
    scheduler: Scheduler,
    mark: int = 1,
    *,
    model: str = "m",
    rows: int = 1,
    length: int = 4,
    caller: str = "",
    urgent: bool = False,
    deadline: float = 0.0,
) -> Future[dict[str, Any]]:
    """Submit a call."""
    return scheduler.submit(model, ids(mark, rows, length), {}, None, Ticket(caller, urgent, deadline))


def good(call: Future[dict[str, Any]], mark: int = 1, rows: int = 1, length: int = 4) -> bool:
    """Whether a call got the answer to what it asked, and no more."""
    answer = call.result(WAIT)
    return (
        answer["states"].shape == (rows, length)
        and bool((answer["states"] == 2 * mark).all())
        and answer["sums"].tolist() == [2.0 * mark * length] * rows
    )


def begun(shop: Shop) -> Ran:
    """Wait for the next run to begin."""
    return shop.begun.get(timeout=WAIT)


def status(scheduler: Scheduler, model: str = "m") -> ModelStatus:
    """What one model is doing."""
    return next(each for each in scheduler.status().models if each.name == model)


def until(scheduler: Scheduler, holds: Callable[[], bool]) -> None:
    """Wait until *holds*: look whenever room changes, and every hundredth of a second for what tells nobody."""
    room, end = scheduler._workers.budget.room, time.monotonic() + WAIT
    with room:
        while not holds():
            assert time.monotonic() < end
            room.wait(0.01)


def test_calls_of_different_callers_run_together(scheduler: Scheduler, shop: Shop) -> None:
    """What came while the model was busy is one batch, and each caller gets their own rows."""
    shop.held = True
    first = ask(scheduler, 1, caller="a")
    begun(shop)
    others = [ask(scheduler, mark, caller=str(mark)) for mark in range(2, 8)]
    shop.release(2)
    assert good(first, 1)
    assert all(good(call, mark) for mark, call in enumerate(others, 2))
    assert [run.marks for run in shop.log] == [[1], [2, 3, 4, 5, 6, 7]]
    now = status(scheduler)
    assert (now.calls, now.rows, now.batches, now.waiting) == (7, 7, 2, 0)


def test_nothing_waits_for_company(scheduler: Scheduler, shop: Shop) -> None:
    """A call that comes to an idle model begins at once, though it is alone."""
    for mark in (1, 2, 3):
        assert good(ask(scheduler, mark), mark)
    assert [run.rows for run in shop.log] == [1, 1, 1]


def test_lengths_that_differ_much_are_not_padded(scheduler: Scheduler, shop: Shop) -> None:
    """Neighbours in length share a batch; none gives away more than about a seventh to padding."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    lengths = [10, 100, 11, 95, 10, 50]
    calls = [ask(scheduler, mark, length=length) for mark, length in enumerate(lengths, 2)]
    shop.free()
    assert all(good(call, mark, 1, length) for mark, (call, length) in enumerate(zip(calls, lengths, strict=True), 2))
    assert [run.marks for run in shop.log[1:]] == [[2, 4, 6], [3, 5], [7]]


def test_urgent_goes_before_bulk(scheduler: Scheduler, shop: Shop) -> None:
    """A person's call is next though others came before it; what runs is not interrupted."""
    shop.held = True
    first = ask(scheduler, 1)
    begun(shop)
    bulk = [ask(scheduler, mark, caller="b") for mark in (2, 3)]
    person = ask(scheduler, 9, urgent=True)
    assert (status(scheduler).waiting, status(scheduler).urgent) == (3, 1)
    shop.free()
    wait([first, person, *bulk], WAIT)
    assert [run.marks for run in shop.log] == [[1], [9], [2, 3]]


def test_a_call_of_many_rows_is_cut_and_put_together(scheduler: Scheduler, shop: Shop) -> None:
    """Twenty rows at eight a batch run as three, and the answer is whole and in order."""
    inputs = {"ids": np.arange(1, 41, dtype=np.int64).reshape(20, 2)}
    answer = scheduler.submit("m", inputs, {}).result(WAIT)
    assert np.array_equal(answer["states"], inputs["ids"] * 2)
    assert np.array_equal(answer["sums"], inputs["ids"].sum(axis=1) * 2)
    assert sum(run.rows for run in shop.log) == 20
    assert all(run.rows <= 8 for run in shop.log[1:])


def test_a_cancelled_call_leaves_the_queue(scheduler: Scheduler, shop: Shop) -> None:
    """What nobody waits for any more is not run, and its neighbours are."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    calls = [ask(scheduler, mark) for mark in (2, 3, 4)]
    scheduler.stop(calls[1])  # type: ignore[arg-type]  # submit gives its own kind of future
    assert calls[1].cancelled()
    shop.free()
    assert good(calls[0], 2)
    assert good(calls[2], 4)
    assert shop.log[-1].marks == [2, 4]


def test_a_batch_stops_when_its_last_call_left(scheduler: Scheduler, shop: Shop) -> None:
    """A run goes on while anybody waits for it, and is told to stop when nobody does."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    calls = [ask(scheduler, mark) for mark in (2, 3)]
    shop.release()
    run = begun(shop)
    assert run.marks == [2, 3]
    scheduler.stop(calls[0])  # type: ignore[arg-type]  # as above
    assert not run.control.stopped
    scheduler.stop(calls[1])  # type: ignore[arg-type]  # as above
    assert run.control.stopped


def test_a_call_past_its_deadline_is_not_run(scheduler: Scheduler, shop: Shop) -> None:
    """Its caller hears so, at once and while it waits; later ones are run."""
    assert "time was over" in str(ask(scheduler, 5, deadline=time.monotonic() - 1).exception(WAIT))
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    short = ask(scheduler, 2, deadline=time.monotonic() + 0.05)
    long = ask(scheduler, 3, deadline=time.monotonic() + 600)
    assert isinstance(short.exception(WAIT), Blocked)  # while the first still runs
    shop.free()
    assert good(long, 3)
    assert [run.marks for run in shop.log] == [[1], [3]]


def test_one_bad_call_fails_alone(scheduler: Scheduler, shop: Shop) -> None:
    """A batch that fails is run call by call: only the one to blame fails."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    calls = {mark: ask(scheduler, mark) for mark in (2, 1013, 3)}
    shop.free()
    assert good(calls[2], 2)
    assert good(calls[3], 3)
    assert "1013 is no token" in str(calls[1013].exception(WAIT))


def test_nan_is_a_fault_of_that_call(scheduler: Scheduler, shop: Shop) -> None:
    """What is not finite is not passed on as an answer; model and output are named; the others are answered."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    calls = {mark: ask(scheduler, mark) for mark in (2, 1066, 3)}
    shop.free()
    fault = calls[1066].exception(WAIT)
    assert isinstance(fault, ModelFault)
    assert (fault.model, fault.output, fault.code) == ("m", "sums", "model-fault")
    assert good(calls[2], 2)
    assert good(calls[3], 3)


def test_a_neighbours_nan_is_not_ones_own(scheduler: Scheduler, shop: Shop) -> None:
    """A row that spoils its whole batch is found by running each by itself."""
    shop.held = True
    ask(scheduler, 1)
    begun(shop)
    calls = {mark: ask(scheduler, mark) for mark in (2, 1099, 3)}
    shop.free()
    assert isinstance(calls[1099].exception(WAIT), ModelFault)
    assert good(calls[2], 2)
    assert good(calls[3], 3)


def test_a_pack_may_allow_nan(scheduler: Scheduler, models: Path) -> None:
    """Where NaN means something the pack says so."""
    write(models, "m", more="options = {allow_nan = true}")
    assert np.isnan(ask(scheduler, 1066).result(WAIT)["sums"]).all()


def test_without_batch_calls_run_one_by_one(scheduler: Scheduler, shop: Shop, models: Path) -> None:
    """A pack that promises nothing about rows is run call by call, and hears of each call's progress."""
    write(models, "single", batch=False)
    shop.held = True
    told: list[float] = []
    calls = [scheduler.submit("single", ids(mark), {}, told.append) for mark in (1, 2, 3)]
    shop.free()
    assert all(good(call, mark) for mark, call in enumerate(calls, 1))
    assert [run.marks for run in shop.log] == [[1], [2], [3]]
    assert told == [0.5, 0.5, 0.5]


def test_runs_as_many_at_once_as_the_session_takes(scheduler: Scheduler, shop: Shop) -> None:
    """Two workers run at the same moment, and nothing is run twice."""
    shop.parallel, shop.held = 2, True
    calls = [ask(scheduler, 1), ask(scheduler, 2)]
    begun(shop)
    begun(shop)
    assert status(scheduler).running == 2
    calls += [ask(scheduler, mark) for mark in range(3, 9)]
    shop.release(4)
    assert all(good(call, mark) for mark, call in enumerate(calls, 1))
    assert sum(run.rows for run in shop.log) == 8


def test_a_long_call_is_shared_out_among_free_workers(scheduler: Scheduler, shop: Shop) -> None:
    """Eight rows of one call are run as four and four at the same moment, and come back whole and in order."""
    shop.parallel = 2
    assert good(ask(scheduler))
    shop.held = True
    call = ask(scheduler, 2, rows=8)
    runs = [begun(shop) for _ in range(3)][1:]
    shop.free()
    assert [run.rows for run in runs] == [4, 4]
    assert good(call, 2, 8)


def test_memory_that_runs_out_halves_the_batch(scheduler: Scheduler, shop: Shop) -> None:
    """Eight rows do not fit, four do not, two do: all are answered, and later batches begin with two."""
    shop.room["cpu"] = 3
    shop.held = True
    first = ask(scheduler, 1)
    begun(shop)
    calls = [ask(scheduler, mark) for mark in range(2, 10)]
    shop.free()
    assert good(first)
    assert all(good(call, mark) for mark, call in enumerate(calls, 2))
    assert [run.rows for run in shop.log] == [1, 8, 4, 2, 2, 2, 2]
    assert good(ask(scheduler, 4, rows=6), 4, 6)
    assert [run.rows for run in shop.log[-3:]] == [2, 2, 2]


def test_a_device_without_room_for_one_row_is_left_for_the_cpu(scheduler: Scheduler, shop: Shop) -> None:
    """Its copy is let go of before the CPU's is loaded, and nobody's call is lost."""
    shop.devices, shop.room["fast:0"] = ("fast:0", "cpu"), 0
    calls = [ask(scheduler, mark) for mark in range(1, 9)]
    assert all(good(call, mark) for mark, call in enumerate(calls, 1))
    assert shop.loaded == [("m", "fast:0"), ("m", "cpu")]
    assert shop.most_open == 1
    assert status(scheduler).device == "cpu"
    shop.room.clear()
    assert good(ask(scheduler))
    assert shop.log[-1].device == "cpu"
    scheduler._workers.let_go([scheduler._models["m"]])
    assert good(ask(scheduler))
    assert shop.log[-1].device == "fast:0"  # tried again once it was loaded anew


def test_a_row_that_fits_nowhere_is_blocked(scheduler: Scheduler, shop: Shop) -> None:
    """On the CPU there is no further step: the caller hears that memory is short, and what to do."""
    shop.room["cpu"] = 0
    error = ask(scheduler).exception(WAIT)
    assert isinstance(error, Blocked)
    assert "no memory" in error.message
    assert error.hint


def test_no_room_to_load_lets_go_of_idle_models_and_then_takes_the_cpu(
    scheduler: Scheduler, shop: Shop, models: Path
) -> None:
    """Loading is tried again after idle models have left; where that does not help it is the CPU, then Blocked."""
    write(models, "n")
    shop.devices, shop.load_room["fast:0"] = ("fast:0", "cpu"), 1
    assert good(ask(scheduler))
    assert good(ask(scheduler, model="n"))
    assert shop.loaded == [("m", "fast:0"), ("n", "fast:0"), ("n", "fast:0")]
    assert status(scheduler, "m").device == ""
    shop.load_room = {"fast:0": 0, "cpu": 0}
    error = ask(scheduler).exception(WAIT)
    assert isinstance(error, Blocked)
    assert "no memory to load it" in error.message
    shop.load_room = {"fast:0": 0}
    assert good(ask(scheduler))
    assert status(scheduler).device == "cpu"


def test_two_models_used_in_turn_share_room_for_one(shop: Shop, models: Path) -> None:
    """Each is loaded again and again, every call is answered, and never are both in memory."""
    write(models, "a", memory_mb=40)
    write(models, "b", memory_mb=40)
    scheduler = Scheduler(RuntimeSettings(memory_mb=64), models)
    answers: dict[str, int] = {"a": 0, "b": 0}
    together = threading.Barrier(len(answers), timeout=WAIT)

    def use(model: str) -> None:
        for mark in range(1, 21):
            together.wait()
            answers[model] += good(ask(scheduler, mark, model=model), mark)

    threads = [threading.Thread(target=use, args=(model,)) for model in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert answers == {"a": 20, "b": 20}
    assert shop.most_open == 1
    assert status(scheduler, "a").loads + status(scheduler, "b").loads == len(shop.loaded)
    assert len(shop.loaded) > 20  # both are used in each round, and at most one of them is there when it begins
    scheduler.close()


def test_a_stream_of_calls_does_not_keep_another_model_out(scheduler: Scheduler, shop: Shop, models: Path) -> None:
    """One model always has work; the other is loaded all the same, and says meanwhile what it waits for."""
    write(models, "a", memory_mb=40)
    write(models, "b", memory_mb=40)
    shop.held = True
    calls = [ask(scheduler, mark, model="a", rows=8) for mark in range(1, 11)]
    begun(shop)
    other = ask(scheduler, 5, model="b")
    until(scheduler, lambda: status_of(scheduler, "b") == "no room on cpu: a is in use")
    shop.free()
    assert good(other, 5)
    assert all(good(call, mark, 8) for mark, call in enumerate(calls, 1))
    assert shop.most_open == 1


def status_of(scheduler: Scheduler, model: str) -> str:
    """Why calls of a model wait that may not have been found yet."""
    found = scheduler._models.get(model)
    return found.room if found is not None else ""


def test_what_can_never_fit_names_the_setting(shop: Shop, models: Path) -> None:
    """Beside a pinned model there is no room for another; the message says so and what to set."""
    write(models, "pinned", memory_mb=40)
    write(models, "large", memory_mb=40)
    scheduler = Scheduler(RuntimeSettings(memory_mb=64, pin=("pinned",)), models)
    assert good(ask(scheduler, model="pinned"))
    error = ask(scheduler, model="large").exception(WAIT)
    assert isinstance(error, Blocked)
    assert "beside the pinned pinned" in error.message
    assert "memory_mb" in error.hint
    assert status(scheduler, "pinned").pinned
    scheduler.close()


def test_a_device_too_small_for_a_model_is_passed_over(shop: Shop, models: Path) -> None:
    """A model larger than a device's budget goes to the next; each device has a budget of its own."""
    write(models, "large", memory_mb=40)
    shop.devices = ("fast:0", "cpu")
    scheduler = Scheduler(RuntimeSettings(memory_mb=64, device_memory_mb=30), models)
    assert good(ask(scheduler, model="large"))
    assert good(ask(scheduler))
    assert shop.loaded == [("large", "cpu"), ("m", "fast:0")]
    assert [(each.name, each.memory_mb, each.limit_mb) for each in scheduler.status().devices] == [
        ("cpu", 40, 64),
        ("fast:0", 8, 30),
    ]
    scheduler.close()


def test_unused_models_are_let_go_of(shop: Shop, models: Path) -> None:
    """After the time to keep a model leaves by itself, unless it is pinned; then it comes back when asked for."""
    write(models, "pinned")
    scheduler = Scheduler(RuntimeSettings(keep=0.05, pin=("pinned",)), models)
    assert good(ask(scheduler, model="pinned"))
    assert good(ask(scheduler))
    until(scheduler, lambda: "m" not in [session.pack.name for session in shop.open])
    assert [session.pack.name for session in shop.open] == ["pinned"]  # though it was unused for longer
    assert status(scheduler).memory_mb == 0
    assert good(ask(scheduler))
    assert status(scheduler).loads == 2
    scheduler.close()


def test_a_model_that_was_busy_for_long_is_let_go_of_later(shop: Shop, models: Path) -> None:
    """A run that takes longer than an unused model is kept ends in its own time, and the model leaves after it."""
    scheduler = Scheduler(RuntimeSettings(keep=0.05), models)
    shop.held = True
    call = ask(scheduler)
    begun(shop)
    keeper = scheduler._workers.keeper
    until(scheduler, lambda: keeper._until == 0.0)  # it looked, found nothing to do, and sleeps until it is woken
    assert len(shop.open) == 1
    shop.free()
    assert good(call)
    until(scheduler, lambda: status(scheduler).memory_mb == 0)
    scheduler.close()


def test_ten_first_callers_load_one_copy(scheduler: Scheduler, shop: Shop) -> None:
    """Whoever comes while it is being loaded waits for that copy."""
    shop.hold_load = threading.Event()
    start = threading.Barrier(10)
    answers: list[bool] = []

    def use(mark: int) -> None:
        start.wait(WAIT)
        answers.append(good(ask(scheduler, mark, caller=str(mark)), mark))

    threads = [threading.Thread(target=use, args=(mark,)) for mark in range(1, 11)]
    for thread in threads:
        thread.start()
    until(scheduler, lambda: "m" in scheduler._models and scheduler._models["m"].queue.bulk.calls == 10)
    shop.hold_load.set()
    for thread in threads:
        thread.join(WAIT)
    assert answers == [True] * 10
    assert shop.loaded == [("m", "cpu")]


def test_an_altered_file_blocks_until_it_is_mended(scheduler: Scheduler, models: Path) -> None:
    """One flipped byte is ModelMissing for all who wait; once it is mended the next call works."""
    path = models / "m.bin"
    whole = path.read_bytes()
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    calls = [ask(scheduler, mark) for mark in (1, 2, 3)]
    assert all(isinstance(call.exception(WAIT), ModelMissing) for call in calls)
    path.write_bytes(whole)
    assert good(ask(scheduler, 4), 4)


def test_pause_gives_the_device_back_and_holds_bulk(scheduler: Scheduler, shop: Shop) -> None:
    """While somebody renders only urgent calls run, on the CPU; held ones keep their time, and go on afterwards."""
    shop.devices = ("fast:0", "cpu")
    assert good(ask(scheduler))
    scheduler.busy("pause", "blender renders")
    assert shop.open == []
    held = ask(scheduler, 2, deadline=time.monotonic() + 0.5)
    assert good(ask(scheduler, 3, urgent=True), 3)
    until(scheduler, lambda: time.monotonic() > held.deadline)  # type: ignore[attr-defined]  # a Call
    now = status(scheduler)
    assert (now.device, now.waiting, now.why) == ("cpu", 1, "held: blender renders")
    assert (scheduler.status().busy, scheduler.status().reason) == ("pause", "blender renders")
    assert not held.done()
    scheduler._held_since -= 600  # as if the render had begun long ago: all of that is given back
    held.since -= 600  # type: ignore[attr-defined]  # a Call
    scheduler.busy("")
    assert good(held, 2)
    assert good(ask(scheduler, 4), 4)
    assert status(scheduler).device == "fast:0"
    assert [device for _, device in shop.loaded] == ["fast:0", "cpu", "fast:0"]
    assert shop.most_open == 1


def test_on_the_cpu_everything_goes_on(scheduler: Scheduler, shop: Shop) -> None:
    """The other way to make way: the device is given back once what runs has ended, and bulk runs on the CPU."""
    shop.devices, shop.held = ("fast:0", "cpu"), True
    running = ask(scheduler)
    begun(shop)
    scheduler.busy("cpu", "playback")
    waiting = ask(scheduler, 2)
    assert status(scheduler).why == "makes room"
    shop.free()
    assert good(running)
    assert good(waiting, 2)
    assert [run.device for run in shop.log] == ["fast:0", "cpu"]
    assert shop.most_open == 1


def test_a_model_that_was_being_loaded_makes_way_too(scheduler: Scheduler, shop: Shop) -> None:
    """A device asked for during a load is given back right after it."""
    shop.devices, shop.hold_load = ("fast:0", "cpu"), threading.Event()
    call = ask(scheduler)
    until(scheduler, lambda: bool(shop.loaded))
    scheduler.busy("cpu", "playback")
    shop.hold_load.set()
    assert good(call)
    assert [run.device for run in shop.log] == ["cpu"]


def test_close_answers_everybody(shop: Shop, models: Path) -> None:
    """What runs is finished, what waits hears that the runtime closes, and nothing is taken any more."""
    scheduler = Scheduler(RuntimeSettings(), models)
    shop.held = True
    running = ask(scheduler)
    begun(shop)
    waiting = ask(scheduler, 2)
    closer = threading.Thread(target=scheduler.close)
    closer.start()
    assert "closing" in str(waiting.exception(WAIT))
    assert "closing" in str(ask(scheduler).exception(WAIT))
    shop.free()
    assert good(running)
    closer.join(WAIT)
    assert not closer.is_alive()


async def test_who_sends_too_much_waits_at_the_door(shop: Shop, models: Path) -> None:
    """No more is under way than the gate lets in; the rest waits in its caller and is not lost; urgent calls pass."""
    gate = Gate(calls=4)
    with LocalRuntime(RuntimeSettings(), models, gate) as runtime:
        shop.held = True
        calls = [asyncio.create_task(runtime.run("m", ids(mark))) for mark in range(21, 41)]
        await asyncio.to_thread(begun, shop)
        assert gate.waiting == 16
        assert sum(each.waiting + each.running for each in runtime.status()) <= 4
        person = asyncio.create_task(runtime.run("m", ids(50), ticket=Ticket("p", urgent=True)))
        calls[19].cancel()
        await asyncio.to_thread(until, runtime._scheduler, lambda: runtime.status()[0].urgent == 1)
        shop.release()
        await asyncio.to_thread(begun, shop)
        assert shop.log[1].marks == [50]
        shop.free()
        assert (await person)["sums"].tolist() == [400.0]
        answers = await asyncio.gather(*calls[:19])
        assert [answer["sums"].tolist() for answer in answers] == [[8.0 * mark] for mark in range(21, 40)]
        assert gate.waiting == 0
        assert all(run.rows <= 4 for run in shop.log)


async def test_the_gate_counts_bytes(shop: Shop, models: Path) -> None:
    """Large inputs wait sooner than small ones, but the largest is let in when nothing else is under way."""
    gate = Gate(model_bytes=100)
    with LocalRuntime(RuntimeSettings(), models, gate) as runtime:
        shop.held = True
        large = asyncio.create_task(runtime.run("m", ids(1, 8)))
        small = asyncio.create_task(runtime.run("m", ids(2)))
        await asyncio.to_thread(begun, shop)
        assert gate.waiting == 1
        shop.free()
        assert len((await large)["sums"]) == 8
        assert (await small)["sums"].tolist() == [16.0]


async def test_a_job_carries_its_ticket(shop: Shop, models: Path) -> None:
    """What a hook calls through its context goes in the job's lane, blocking or not, though the hook says nothing."""
    with LocalRuntime(RuntimeSettings(), models) as runtime:
        shop.held = True
        blocker = asyncio.create_task(runtime.run("m", ids(1)))
        await asyncio.to_thread(begun, shop)
        view = JobContext(
            parameters={},
            path=None,
            asset=None,
            log=logging.getLogger("test"),
            surroundings=Surroundings(runtime=runtime),
            ticket=Ticket("job", urgent=True),
        ).runtime
        calls = [
            asyncio.create_task(view.run("m", ids(2))),
            asyncio.create_task(asyncio.to_thread(view.call, "m", ids(3))),
        ]
        await asyncio.to_thread(until, runtime._scheduler, lambda: runtime.status()[0].urgent == 2)
        shop.free()
        await asyncio.gather(blocker, *calls)
        assert [run.marks for run in shop.log] == [[1], [2, 3]]
