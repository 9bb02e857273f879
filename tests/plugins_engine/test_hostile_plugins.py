"""Hostile plugins, each in a real process: what they do to themselves costs nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from callboard.testing import PoolFactory, TmpPlugin, make_job
from callboard.testing.processes import PATIENT, ends
from callboard.worker import PluginPool, child
from callboard_schemas import Failure, JobDone, JobFailed, Outcome, Tags

TEXT = {"type": "string", "default": "", "help": "for the test"}

HOSTILE = """
    import asyncio, ctypes, os, pathlib, signal, subprocess, sys, threading, time
    from callboard import Blocked, JobError, MediaError, Tag, Tags, hookimpl
    from callboard.errors import MediaCrash

    def good():
        return Tags(items=(Tag(label="good", score=1, method="test"),), confidence=1)

    class Rude(Exception):
        def __str__(self):
            raise RuntimeError("no text for you")

    class Half(JobError):
        def __init__(self):
            pass

    def act(how):
        match how:
            case "good": return good()
            case "raise": raise ValueError("two\\nlines")
            case "rude": raise Rude
            case "half": raise Half
            case "exit": sys.exit(3)
            case "interrupt": raise KeyboardInterrupt
            case "stop-iteration": raise StopIteration(5)
            case "cancel": raise asyncio.CancelledError
            case "generator-exit": raise GeneratorExit
            case "recursion": return act("recursion")
            case "job-error": raise JobError("the clip is upside down", "Turn it.")
            case "media-error": raise MediaError("a.mov", "is not a movie")
            case "media-crash": raise MediaCrash("the decoder died")
            case "blocked": raise Blocked("the share is gone", "Mount it.")
            case "_exit": os._exit(7)
            case "segfault": ctypes.string_at(0)
            case "abort": os.abort()
            case "kill": os.kill(os.getpid(), signal.SIGKILL)
            case "loop":
                while True: pass
            case "gil": ctypes.PyDLL(None).sleep(60)
            case "closes": os.closerange(0, 4096); time.sleep(60)
            case "scribble":
                for fd in range(3, 64):
                    try: os.write(fd, b"\\xff" * 64)
                    except OSError: pass
                time.sleep(60)
            case "number": return 42
            case "wrong-type":
                from callboard import Captions
                return Captions(language="en", cues=(), confidence=1)
            case "out-of-limits": return Tags(items=(), confidence=float("nan"))
            case "nested-garbage": return [good(), Tags(items=(object(),), confidence=1)]
            case "iterator": return iter([good()])
            case "prints":
                print("x" * 3_000_000); os.write(1, b"raw\\n"); os.write(2, b"\\0\\0\\0\\1\\x00")
                return good()
            case "thread-dies":
                thread = threading.Thread(target=act, args=("raise",)); thread.start(); thread.join()
                return good()

    @hookimpl
    def callboard_handle(context):
        return act(context.parameters["how"])
"""


def failure(outcome: Outcome) -> Failure:
    """Give the failure of an outcome that must be one."""
    assert isinstance(outcome, JobFailed), outcome
    return outcome.failure


def expire(pool: PluginPool, plugin: str, key: str = "") -> None:
    """Let the deadline be now of every job in a plugin's process, or of one."""
    for process in pool._lanes[plugin].processes:
        for attempt in [each for each in process.in_flight.values() if key in ("", each.job.key)]:
            attempt.due = 0.0
            process._start_deadline(attempt)


async def exists(path: Path) -> None:
    """Wait until a plugin has written *path*."""
    async with asyncio.timeout(PATIENT):
        while not path.exists():
            await asyncio.sleep(0.01)  # another process writes it


VALUES = {
    "raise": ("exception", "deterministic", "ValueError: two lines"),
    "rude": ("exception", "deterministic", "Rude"),
    "half": ("job", "deterministic", "Half"),
    "exit": ("exception", "deterministic", "SystemExit: 3"),
    "interrupt": ("exception", "deterministic", "KeyboardInterrupt"),
    "stop-iteration": ("exception", "deterministic", "StopIteration: 5"),
    "cancel": ("exception", "deterministic", "CancelledError"),
    "generator-exit": ("exception", "deterministic", "GeneratorExit"),
    "recursion": ("exception", "deterministic", "RecursionError: maximum recursion depth exceeded"),
    "job-error": ("job", "deterministic", "the clip is upside down"),
    "media-error": ("media", "deterministic", "a.mov: is not a movie"),
    "media-crash": ("media-crash", "crash", "the decoder died"),
    "blocked": ("blocked", "environment", "the share is gone"),
    "number": ("bad-result", "deterministic", "plugin 'hostile' returned int 42, which is not a result"),
    "wrong-type": (
        "bad-result",
        "deterministic",
        "plugin 'hostile' returned captions, which its manifest does not name",
    ),
    "out-of-limits": (
        "bad-result",
        "deterministic",
        "plugin 'hostile' returned tags that are not valid: Expected `float` >= 0.0 - at `$.confidence`",
    ),
    "nested-garbage": (
        "bad-result",
        "deterministic",
        "plugin 'hostile' returned tags that are not valid: Encoding objects of type object is unsupported",
    ),
    "iterator": ("bad-result", "deterministic", "plugin 'hostile' returned list_iterator <list_iterator object"),
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "async"])
async def test_what_a_hook_raises_or_returns_is_a_value(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, asynchronous: bool
) -> None:
    """Exceptions of every kind and garbage become failures with cause and message, in one process that lives on."""
    code = HOSTILE.replace("def callboard_handle", "async def callboard_handle") if asynchronous else HOSTILE
    values = dict(VALUES)
    if asynchronous:  # PEP 479: a coroutine cannot raise StopIteration
        values["stop-iteration"] = ("exception", "deterministic", "RuntimeError: coroutine raised StopIteration")
    async with plugin_pool(tmp_plugin("hostile", code, parameters={"how": TEXT})) as pool:
        pid = 0
        for how, (name, cause, message) in values.items():
            found = failure(await pool.run(make_job("hostile", parameters={"how": how})))
            assert (found.code, found.cause) == (name, cause), how
            assert found.message.startswith(message), how
            assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone), how
            pid = pid or pool.status()[0].pid
        assert [row.pid for row in pool.status()] == [pid]


async def test_a_failure_carries_hint_and_traceback(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """The hint of a typed error and the traceback of any exception reach the supervisor."""
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})) as pool:
        typed = failure(await pool.run(make_job("hostile", parameters={"how": "job-error"})))
        raised = failure(await pool.run(make_job("hostile", parameters={"how": "raise"})))
    assert typed.hint == "Turn it."
    assert 'raise ValueError("two\\nlines")' in raised.detail


DEATHS = {
    "_exit": "the process of plugin 'hostile' died: exit status 7",
    "segfault": "the process of plugin 'hostile' died: SIGSEGV",
    "abort": "the process of plugin 'hostile' died: SIGABRT",
    "kill": "the process of plugin 'hostile' died: SIGKILL",
    "closes": "the process of plugin 'hostile' died: it closed its connection",
    "scribble": "the process of plugin 'hostile' died: it wrote into its connection",
}


@pytest.mark.parametrize("how", DEATHS)
async def test_a_death_is_blamed_on_the_job_that_was_alone(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A process that dies fails its job with how it died, and the next job gets a new process at once."""
    if how != "closes":  # between the end of its connection and its own
        monkeypatch.setattr(child, "ENDING_SECONDS", PATIENT)
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})) as pool:
        found = failure(await pool.run(make_job("hostile", parameters={"how": how})))
        assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone)
        assert pool.status()[0].restarts == 1
    assert (found.code, found.cause) == ("crashed", "crash")
    assert found.message.startswith(DEATHS[how])
    if how == "segfault":
        assert "Fatal Python error: Segmentation fault" in found.detail


async def test_a_job_that_comes_meanwhile_is_not_blamed(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a process has closed its connection and has not ended yet, the next job is done by another one."""
    code = """
        import contextlib, os, pathlib, stat, threading, time
        from callboard import Tag, Tags, hookimpl

        def close(flag):
            while not flag.exists():
                time.sleep(0.005)
            for fd in range(3, 64):
                with contextlib.suppress(OSError):
                    if stat.S_ISSOCK(os.fstat(fd).st_mode):
                        os.close(fd)
            time.sleep(60)

        @hookimpl
        def callboard_handle(context):
            threading.Thread(target=close, args=(pathlib.Path(context.parameters["flag"]),), daemon=True).start()
            return Tags(items=(Tag(label=str(os.getpid()), score=1, method="pid"),), confidence=1)
    """
    monkeypatch.setattr(child, "ENDING_SECONDS", PATIENT)

    async def pid(flag: str) -> int:
        outcome = await pool.run(make_job("shy", parameters={"flag": str(tmp_path / flag)}))
        assert isinstance(outcome, JobDone), outcome
        (tags,) = outcome.results
        assert isinstance(tags, Tags)
        return int(tags.items[0].label)

    async with plugin_pool(tmp_plugin("shy", code, parameters={"flag": TEXT})) as pool:
        first = await pid("one")
        (process,) = pool._lanes["shy"].processes
        (tmp_path / "one").touch()
        async with asyncio.timeout(PATIENT):
            while not process.ending:
                await asyncio.sleep(0.01)  # the pool tells nobody
        assert await pid("two") != first
        assert not process.gone
        os.kill(first, signal.SIGKILL)


@pytest.mark.parametrize("how", ["loop", "gil"])
async def test_a_hang_ends_at_its_deadline(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, how: str) -> None:
    """A loop, and C code that never lets go of the interpreter, end with their process, not before the deadline."""
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})) as pool:
        assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone)
        pid = pool.status()[0].pid
        started = time.monotonic()
        found = failure(await pool.run(make_job("hostile", parameters={"how": how}, deadline=1.0)))
        assert time.monotonic() - started >= 1.0
        await ends(pid)
    assert (found.code, found.cause) == ("deadline", "crash")
    assert found.message == "plugin 'hostile' did not answer in 1 s; its process was ended"


async def test_a_hang_holds_up_nobody_else(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """While one plugin's process is held by C code, another plugin answers, and the late one can be ended."""
    hog = tmp_plugin("hog", HOSTILE, parameters={"how": TEXT})
    async with plugin_pool(hog, tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})) as pool:
        assert isinstance(await pool.run(make_job("hog", parameters={"how": "good"})), JobDone)
        hanging = asyncio.create_task(pool.run(make_job("hog", parameters={"how": "gil"}, deadline=PATIENT)))
        for _ in range(3):
            assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone)
        assert not hanging.done()
        expire(pool, "hog")
        assert failure(await hanging).code == "deadline"


@pytest.mark.parametrize("how", ["prints", "thread-dies"])
async def test_noise_is_harmless(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path, how: str) -> None:
    """Printing megabytes and raw bytes, or a thread that dies, changes no answer and fills no disk."""
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})) as pool:
        assert isinstance(await pool.run(make_job("hostile", parameters={"how": how})), JobDone)
    logs = list((tmp_path / "run").glob("plugins-hostile-*.log*"))
    assert 0 < sum(log.stat().st_size for log in logs) <= 2 << 20


async def test_innocents_beside_a_segfault_all_finish(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """Of thirteen jobs in one process of which one ends it, twelve are answered and one is blamed."""
    code = """
        import ctypes, pathlib, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            folder, name = pathlib.Path(context.parameters["folder"]), context.parameters["name"]
            boom = folder.parent / "boom"
            if boom.exists() and name != "bad":
                return
            (folder / name).touch()
            while len(list(folder.iterdir())) < 13:
                time.sleep(0.005)
            if name == "bad":
                boom.touch()
                ctypes.string_at(0)
            time.sleep(60)
    """
    folder = tmp_path / "started"
    folder.mkdir()
    parameters = {"folder": TEXT, "name": TEXT}
    plugin = tmp_plugin("crowd", code, concurrency=13, parameters=parameters)
    async with plugin_pool(plugin, workers=13) as pool:
        names = ["bad", *(str(number) for number in range(12))]
        jobs = [make_job("crowd", parameters={"folder": str(folder), "name": name}, deadline=60) for name in names]
        bad, *innocents = await asyncio.gather(*(pool.run(job) for job in jobs))
    assert failure(bad).code == "crashed"
    assert "SIGSEGV" in failure(bad).message
    assert all(isinstance(outcome, JobDone) for outcome in innocents), innocents


async def test_innocents_beside_a_hang_all_finish(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """A job that holds the interpreter is the one that fails, though another's deadline came first."""
    code = """
        import ctypes, pathlib, shlex, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            flag = pathlib.Path(context.parameters["flag"])
            if context.parameters["how"] == "hog":
                # one call: the flag is there only while the interpreter is held
                ctypes.PyDLL(None).system(f"touch {shlex.quote(str(flag))}; sleep 600".encode())
            while not flag.exists():
                time.sleep(0.005)
    """
    plugin = tmp_plugin("hog", code, parameters={"flag": TEXT, "how": TEXT})
    flag = str(tmp_path / "flag")
    async with plugin_pool(plugin) as pool:
        hog = make_job("hog", parameters={"flag": flag, "how": "hog"}, deadline=600)
        hogging = asyncio.create_task(pool.run(hog))
        await exists(tmp_path / "flag")
        (both,) = pool._lanes["hog"].processes
        quick = make_job("hog", parameters={"flag": flag, "how": "quick"}, deadline=600)
        waiting = asyncio.create_task(pool.run(quick))
        async with asyncio.timeout(PATIENT):
            while len(both.in_flight) == 1:
                await asyncio.sleep(0)
            expire(pool, "hog", quick.key)
            while not both.gone:
                await asyncio.sleep(0.01)
            while not hogging.done():  # each alone, in any order
                expire(pool, "hog", hog.key)
                await asyncio.sleep(0.01)
        innocent, guilty = await asyncio.gather(waiting, hogging)
    assert isinstance(innocent, JobDone), innocent
    assert failure(guilty).code == "deadline"


@pytest.mark.parametrize("how", ["kill", "sleep"])
async def test_grandchildren_end_with_their_process(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path, how: str
) -> None:
    """What a hook started ends with its process, even in a session of its own."""
    code = """
        import os, pathlib, signal, subprocess, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            plain = subprocess.Popen(["sleep", "300"])
            apart = subprocess.Popen(["sleep", "300"], start_new_session=True)
            flag = pathlib.Path(context.parameters["flag"])
            flag.with_name("new").write_text(f"{plain.pid} {apart.pid}")
            flag.with_name("new").rename(flag)
            if context.parameters["how"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
    """
    flag = tmp_path / "flag"
    async with plugin_pool(tmp_plugin("parent", code, parameters={"flag": TEXT, "how": TEXT})) as pool:
        job = make_job("parent", parameters={"flag": str(flag), "how": how}, deadline=PATIENT)
        running = asyncio.create_task(pool.run(job))
        await exists(flag)
        if how == "sleep":
            expire(pool, "parent")
        assert failure(await running).cause == "crash"
        for pid in flag.read_text().split():
            await ends(int(pid))


async def test_a_leak_costs_the_process_not_the_job(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """A process that grows past its limit is replaced after the job, and never holds a fifth more than that."""
    code = """
        import os
        from callboard import Tag, Tags, hookimpl
        KEPT = []

        @hookimpl
        def callboard_handle():
            KEPT.append(b"x" * (20 << 20))
            return Tags(items=(Tag(label=str(os.getpid()), score=1, method="pid"),), confidence=1)
    """
    limit = 150 << 20
    held: list[int] = []
    pids: set[int] = set()
    async with plugin_pool(tmp_plugin("leak", code), rss_limit=limit) as pool:
        for _ in range(16):
            assert isinstance(await pool.run(make_job("leak")), JobDone)
            for row in pool.status():
                held.append(row.rss)
                pids.add(row.pid)
    assert len(pids - {0}) >= 2
    assert max(held) < limit * 1.2


async def test_a_job_that_eats_memory_is_ended(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """A single job far past the limit fails as a crash that names memory."""
    code = """
        import time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle():
            kept = bytearray(b"x") * (300 << 20)
            time.sleep(60)
    """
    async with plugin_pool(tmp_plugin("eater", code), rss_limit=128 << 20) as pool:
        found = failure(await pool.run(make_job("eater")))
    assert (found.code, found.cause) == ("memory", "crash")
    assert found.message.endswith("its limit is 128; it was ended")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(4)", "SystemExit: 4"),
        ("x = 1", "it has no function callboard_handle marked with @hookimpl"),
        (
            "from callboard import hookimpl\n@hookimpl\ndef callboard_handle(evnt): ...",
            "Argument(s) {'evnt'} are declared in the hookimpl but can not be found in the hookspec",
        ),
    ],
)
async def test_a_broken_plugin_fails_its_own_jobs_only(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, code: str, message: str
) -> None:
    """A plugin that cannot be loaded fails its jobs with the reason; others answer meanwhile."""
    broken = tmp_plugin("broken", code)
    hostile = tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})
    async with plugin_pool(broken, hostile) as pool:
        outcomes = await asyncio.gather(
            pool.run(make_job("broken")), pool.run(make_job("hostile", parameters={"how": "good"}))
        )
    found = failure(outcomes[0])
    assert (found.code, found.cause) == ("plugin-broken", "deterministic")
    assert found.message.startswith("plugin 'broken' cannot be loaded: ")
    assert message in found.message
    assert isinstance(outcomes[1], JobDone)


async def test_a_missing_extra_waits_for_its_installation(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """An import that the manifest requires and that is not there blocks the job and says what to install."""
    found = tmp_plugin("rich-one", "import nothing_like_this.deep", requires=["nothing_like_this"], extras=["all"])
    assert found.missing == ("nothing_like_this",)
    async with plugin_pool(found) as pool:
        blocked = failure(await pool.run(make_job("rich-one")))
    assert (blocked.code, blocked.cause) == ("extras-missing", "environment")
    assert blocked.message == "plugin 'rich-one' needs 'nothing_like_this', which is not installed"
    assert blocked.hint == "Install it with: pip install 'rich-one[all]'"


async def test_a_slow_import_holds_up_nobody_else(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """While one plugin is imported another one answers, and the import does not count towards the deadline."""
    code = f"""
        import pathlib, time
        until = time.monotonic() + 60
        while not pathlib.Path({str(tmp_path / "go")!r}).exists() and time.monotonic() < until:
            time.sleep(0.01)
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(): ...
    """
    slow, hostile = tmp_plugin("slow", code), tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT})
    async with plugin_pool(slow, hostile) as pool:
        waiting = asyncio.create_task(pool.run(make_job("slow")))
        assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone)
        assert not waiting.done()
        async with asyncio.timeout(PATIENT):
            while not pool._lanes["slow"].processes:
                await asyncio.sleep(0.01)  # the pool tells nobody that it has started one
        (attempt,) = pool._lanes["slow"].processes[0].in_flight.values()
        assert attempt.timer is None  # what would end it at its deadline has not begun
        (tmp_path / "go").touch()
        assert isinstance(await waiting, JobDone)


async def test_crashes_open_the_breaker(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """Five jobs that kill their process stop the plugin for ten minutes; then one job is let through to see."""
    now = [0.0]
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT}), clock=lambda: now[0]) as pool:
        for _ in range(5):
            assert failure(await pool.run(make_job("hostile", parameters={"how": "_exit"}))).code == "crashed"
        starts = pool.status()[0].restarts
        shut = failure(await pool.run(make_job("hostile", parameters={"how": "good"})))
        assert pool.status()[0].restarts == starts
        now[0] = 601.0
        assert isinstance(await pool.run(make_job("hostile", parameters={"how": "good"})), JobDone)
    assert (shut.code, shut.cause) == ("breaker-open", "environment")
    assert shut.message == "plugin 'hostile' failed too often; it is left alone for 600 s more"


async def test_a_storm_of_exceptions_opens_the_breaker(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """Of two hundred jobs that all raise, twenty reach the plugin."""
    async with plugin_pool(tmp_plugin("hostile", HOSTILE, parameters={"how": TEXT}, concurrency=1)) as pool:
        jobs = [make_job("hostile", parameters={"how": "raise"}) for _ in range(200)]
        codes = [failure(outcome).code for outcome in await asyncio.gather(*(pool.run(job) for job in jobs))]
        assert pool.status()[0].done == 20
    assert codes.count("exception") == 20
    assert codes.count("breaker-open") == 180
