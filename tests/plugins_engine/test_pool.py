"""The pool of plugin processes, with plugins that behave."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from callboard.testing import PoolFactory, TmpPlugin, make_job
from callboard.testing.processes import PATIENT, ends, started
from callboard.worker import child as worker_child
from callboard.worker import process as worker_process
from callboard_schemas import Failure, JobDone, JobFailed, Outcome, Progress, Tags
from msgspec.structs import replace

SHOUT = """
    from callboard import Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        context.progress(0.5, "half")
        return Tags(items=(Tag(label=context.path.name.upper(), score=0.9, method="shout"),), confidence=0.9)
"""
WHO = """
    import os
    from callboard import Tag, Tags, hookimpl

    @hookimpl
    async def callboard_handle(event):
        return [Tags(items=(Tag(label=str(os.getpid()), score=1, method="pid"),), confidence=1)]
"""
NAP = """
    import pathlib, time
    from callboard import hookimpl

    @hookimpl
    def callboard_handle(context):
        folder = pathlib.Path(context.parameters["folder"])
        (folder / f"{context.parameters['name']}.started").write_text(str(time.monotonic()))
        deadline = time.monotonic() + 60
        while not (folder / "go").exists() and time.monotonic() < deadline:
            context.progress(0.1)
            time.sleep(0.01)
        (folder / f"{context.parameters['name']}.ended").write_text(str(time.monotonic()))
"""
TEXT = {"type": "string", "default": "", "help": "for the test"}


def failure(outcome: Outcome) -> Failure:
    """Give the failure of an outcome that must be one."""
    assert isinstance(outcome, JobFailed), outcome
    return outcome.failure


def labels(outcome: Outcome) -> list[str]:
    """Give the labels of an outcome that must have one result."""
    assert isinstance(outcome, JobDone), outcome
    (tags,) = outcome.results
    assert isinstance(tags, Tags)
    return [tag.label for tag in tags.items]


async def exists(path: Path, seconds: float = PATIENT) -> None:
    """Wait until another process has written *path*."""
    async with asyncio.timeout(seconds):
        while not path.exists():
            await asyncio.sleep(0.01)


async def test_a_plain_function_answers(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path) -> None:
    """A plain hook's tags come back with provenance, and its progress is heard."""
    clip = tmp_path / "clip %41.mov"
    clip.write_bytes(b"not really")
    heard: list[Progress] = []
    async with plugin_pool(tmp_plugin("shout", SHOUT), on_progress=heard.append) as pool:
        assert [(row.pid, row.done) for row in pool.status()] == [(0, 0)]
        outcome = await pool.run(make_job("shout", clip))
        (row,) = pool.status()
        assert (row.plugins, row.done, row.in_flight, row.restarts) == (("shout",), 1, 0, 0)
        assert row.rss > 5 << 20
        assert psutil.pid_exists(row.pid)
    assert not psutil.pid_exists(row.pid)
    assert labels(outcome) == ["CLIP %41.MOV"]
    assert [(progress.fraction, progress.note, progress.plugin) for progress in heard] == [(0.5, "half", "shout")]


async def test_a_file_name_that_is_not_text_is_no_harm(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """A plugin gets the real path of a file whose name is not UTF-8; echoing it in a result is a clear failure."""
    clip = tmp_path / os.fsdecode(b"cl\xffip.mov")
    clip.write_bytes(b"not really")
    async with plugin_pool(tmp_plugin("shout", SHOUT)) as pool:
        echoed = failure(await pool.run(make_job("shout", clip)))
    assert echoed.code == "bad-result"
    assert "surrogates not allowed" in echoed.message


async def test_an_asynchronous_function_answers(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """An ``async def`` hook is awaited, and its answer carries the plugin, version, kind and parameters."""
    async with plugin_pool(tmp_plugin("who", WHO, kind="generate", version="2.3.4")) as pool:
        outcome = await pool.run(make_job("who", parameters={"x": [str(1)]}))
        assert labels(outcome) == [str(pool.status()[0].pid)]
    assert isinstance(outcome, JobDone)
    assert outcome.provenance.plugin == "who"
    assert outcome.provenance.version == "2.3.4"
    assert outcome.provenance.kind == "generate"
    assert outcome.provenance.parameters == {"x": ["1"]}
    assert 0 < outcome.seconds < 60


async def test_builtin_plugins_share_a_process_and_others_do_not(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory
) -> None:
    """Plugins of the callboard distribution answer from one process, a third-party plugin from its own."""
    ours = [replace(tmp_plugin(name, WHO), builtin=True) for name in ("one", "two")]
    async with plugin_pool(*ours, tmp_plugin("three", WHO)) as pool:
        one, two, three = [labels(await pool.run(make_job(name))) for name in ("one", "two", "three")]
    assert one == two
    assert one != three


async def test_a_process_is_replaced_after_enough_jobs(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """With recycle_after=3, seven jobs are answered by three processes, and the old ones are gone."""
    async with plugin_pool(tmp_plugin("who", WHO), recycle_after=3) as pool:
        pids = [labels(await pool.run(make_job("who")))[0] for _ in range(7)]
        assert pool.status()[-1].restarts == 2
    assert len(set(pids)) == 3
    assert pids == [pids[0]] * 3 + [pids[3]] * 3 + [pids[6]]
    assert not any(psutil.pid_exists(int(pid)) for pid in pids)


async def test_concurrency_is_what_the_manifest_says(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """Of four jobs of a plugin with concurrency 2, two start and the others wait for them."""
    nap = tmp_plugin("nap", NAP, concurrency=2, parameters={"folder": TEXT, "name": TEXT})
    async with plugin_pool(nap) as pool:
        jobs = [make_job("nap", parameters={"folder": str(tmp_path), "name": str(number)}) for number in range(4)]
        running = [asyncio.create_task(pool.run(job)) for job in jobs]
        await asyncio.gather(exists(tmp_path / "0.started"), exists(tmp_path / "1.started"))
        assert [row.in_flight for row in pool.status()] == [2]
        (tmp_path / "go").touch()
        outcomes = await asyncio.gather(*running)
    assert all(isinstance(outcome, JobDone) for outcome in outcomes)
    first_end = min(float((tmp_path / f"{number}.ended").read_text()) for number in range(2))
    assert all(float((tmp_path / f"{number}.started").read_text()) > first_end for number in (2, 3))


async def test_cancelling_a_job_that_listens_keeps_its_process(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain hook is stopped where it next uses its context, and its process goes on."""
    monkeypatch.setattr(worker_process, "CANCEL_SECONDS", PATIENT)  # it listens, and may be slow to
    nap = tmp_plugin("nap", NAP, parameters={"folder": TEXT, "name": TEXT})
    async with plugin_pool(nap) as pool:
        job = make_job("nap", parameters={"folder": str(tmp_path), "name": "a"})
        running = asyncio.create_task(pool.run(job))
        await exists(tmp_path / "a.started")
        pid = pool.status()[0].pid
        running.cancel()
        assert isinstance((await asyncio.gather(running, return_exceptions=True))[0], asyncio.CancelledError)
        async with asyncio.timeout(PATIENT):
            while pool.status()[0].in_flight:
                await asyncio.sleep(0.01)
        (tmp_path / "go").touch()
        assert isinstance(await pool.run(replace(job, key="0" * 64)), JobDone)
        assert pool.status()[0].pid == pid
    assert (tmp_path / "a.ended").exists()


async def test_cancelling_a_deaf_job_ends_its_process(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """A job that does not let go in two seconds costs its process; the next job gets another."""
    code = """
        import pathlib, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            flag = pathlib.Path(context.parameters["flag"])
            if not flag.exists():
                flag.touch()
                time.sleep(60)
    """
    flag = tmp_path / "flag"
    async with plugin_pool(tmp_plugin("deaf", code, parameters={"flag": TEXT})) as pool:
        running = asyncio.create_task(pool.run(make_job("deaf", parameters={"flag": str(flag)})))
        await exists(flag)
        pid = pool.status()[0].pid
        running.cancel()
        started = time.monotonic()
        await ends(pid)
        assert time.monotonic() - started > 1.5
        assert isinstance(await pool.run(make_job("deaf", parameters={"flag": str(flag)})), JobDone)


async def test_closing_the_pool_answers_what_is_in_flight(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """A job in flight when the pool closes fails as stopped, and its process is ended although it hears nothing."""
    code = """
        import pathlib, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            pathlib.Path(context.parameters["flag"]).touch()
            time.sleep(60)
    """
    async with plugin_pool(tmp_plugin("deaf", code, parameters={"flag": TEXT})) as pool:
        running = asyncio.create_task(pool.run(make_job("deaf", parameters={"flag": str(tmp_path / "flag")})))
        await exists(tmp_path / "flag")
        pid = pool.status()[0].pid
    assert not psutil.pid_exists(pid)
    stopped = failure(await running)
    assert (stopped.code, stopped.cause) == ("stopped", "environment")


async def test_setup_comes_once_and_teardown_at_the_end(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``callboard_setup`` runs before the first job only, ``callboard_teardown`` when the process is stopped."""
    monkeypatch.setattr(worker_child, "TEARDOWN_SECONDS", PATIENT)
    monkeypatch.setattr(worker_child, "STOP_SECONDS", 2 * PATIENT)
    code = f"""
        from callboard import hookimpl
        BOOK = {str(tmp_path / "book")!r}

        def write(line):
            with open(BOOK, "a") as book:
                book.write(line + "\\n")

        @hookimpl
        def callboard_setup(context):
            write("setup " + context.parameters["tone"])

        @hookimpl
        async def callboard_teardown():
            write("teardown")

        @hookimpl
        def callboard_handle():
            write("job")
    """
    tone = {"type": "string", "default": "warm", "help": "for the test"}
    async with plugin_pool(tmp_plugin("book", code, parameters={"tone": tone})) as pool:
        for _ in range(2):
            assert isinstance(await pool.run(make_job("book")), JobDone)
    assert (tmp_path / "book").read_text().split("\n") == ["setup warm", "job", "job", "teardown", ""]


async def test_log_lines_reach_the_supervisor_with_the_job(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Lines from INFO up come with the plugin's name and the job's key; a flood of them is cut off."""
    code = """
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            context.log.debug("unheard")
            context.log.warning("look at %s", "this")
            for number in range(5000):
                context.log.info("line %d", number)
    """
    job = make_job("chatty")
    with caplog.at_level("INFO"):
        async with plugin_pool(tmp_plugin("chatty", code)) as pool:
            assert isinstance(await pool.run(job), JobDone)
    lines = [record for record in caplog.records if record.name == "callboard.plugin.chatty"]
    assert (lines[0].getMessage(), lines[0].levelname, vars(lines[0])["job"]) == ("look at this", "WARNING", job.key)
    assert 10 < len(lines) < 500


async def test_secrets_in_the_environment_stay_out(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin sees PATH but neither a cloud key nor a seed."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CALLBOARD_NATS_SEED", "secret")
    code = """
        import os
        from callboard import Tag, Tags, hookimpl

        @hookimpl
        def callboard_handle():
            return Tags(items=tuple(Tag(label=name, score=1, method="env") for name in os.environ), confidence=1)
    """
    async with plugin_pool(tmp_plugin("env", code)) as pool:
        names = labels(await pool.run(make_job("env")))
    assert "PATH" in names
    assert not {"AWS_SECRET_ACCESS_KEY", "CALLBOARD_NATS_SEED"} & set(names)


async def test_a_plugin_that_is_not_allowed_gets_no_process(tmp_plugin: TmpPlugin, plugin_pool: PoolFactory) -> None:
    """Unknown and disallowed plugins are failures that say what to do, and start nothing."""
    who = replace(tmp_plugin("who", WHO), allowed=False)
    async with plugin_pool(who) as pool:
        refused, missing = failure(await pool.run(make_job("who"))), failure(await pool.run(make_job("whom")))
        assert pool.status()[0].pid == 0
    assert (refused.code, refused.cause) == ("plugin-not-allowed", "environment")
    assert refused.hint == 'Add "who" to allow_plugins in callboard.toml to let it run.'
    assert (missing.code, missing.message) == ("plugin-missing", "there is no plugin 'whom'")


async def test_a_listener_that_raises_costs_no_job(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """What ``on_progress`` raises is logged, and the job goes on."""

    def listen(progress: Progress) -> None:
        raise ValueError(progress.note)

    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    async with plugin_pool(tmp_plugin("shout", SHOUT), on_progress=listen) as pool:
        assert labels(await pool.run(make_job("shout", clip))) == ["CLIP.MOV"]


KILLED_POOL = """
import asyncio, sys
from pathlib import Path
from callboard.discovery import discover
from callboard.testing import make_job
from callboard.worker import PluginPool

async def main(folder):
    found = [found for found in discover(["parent"]) if found.id == "parent"]
    async with PluginPool(found, run_folder=folder, runtime_address="", shm_folder=folder, workers=1) as pool:
        await pool.run(make_job("parent", parameters={"flag": str(folder / "flag")}))

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_what_a_killed_supervisor_leaves_is_ended(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, tmp_path: Path
) -> None:
    """A plugin process dies with its supervisor; what it had started is ended by the next pool on that folder."""
    code = """
        import os, pathlib, subprocess, time
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            child = subprocess.Popen(["sleep", "300"], start_new_session=True)
            flag = pathlib.Path(context.parameters["flag"])
            flag.with_name("new").write_text(f"{os.getpid()} {child.pid}")
            flag.with_name("new").rename(flag)
            time.sleep(60)
    """
    found = tmp_plugin("parent", code, parameters={"flag": TEXT})
    folder = tmp_path / "run"
    folder.mkdir()
    async with started(sys.executable, "-c", KILLED_POOL, str(folder)):
        await exists(folder / "flag")
        worker, child = (psutil.Process(int(pid)) for pid in (folder / "flag").read_text().split())
    await ends(worker)
    assert child.is_running()
    async with plugin_pool(found, run_folder=folder):
        await ends(child)
