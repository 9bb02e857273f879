"""The main program of a plugin process: loads plugins when told to, does jobs, and says what came of them.

Started by ``callboard.worker`` as ``python -m callboard.plugin.process``. Messages travel on a socket of their own,
so a plugin may print what it likes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from callboard_schemas import MESSAGE_TYPES, AnyResult, Envelope, Failure, Job, Manifest

from callboard.known_types import know
from callboard.lifeline import die_with_parent
from callboard.plugin.answers import clean, failure_of
from callboard.plugin.calls import PluginBroken, Plugins
from callboard.plugin.context import JobContext, Surroundings, kept_folder, local_path, output_folder
from callboard.plugin.log import make_logger
from callboard.plugin.messages import (
    Cancel,
    Finished,
    Hello,
    Load,
    Loaded,
    Logged,
    Ping,
    Pong,
    Run,
    Said,
    Stop,
    ToPlugins,
)
from callboard.plugin.reach import project_folder, watched_roots
from callboard.runtime import Ticket
from callboard.wire import Channel

MOST_THREADS = 256
"""Plain hooks at once; the pool sends no more jobs than its workers."""


class _Work:
    """One job in this process."""

    def __init__(self, task: asyncio.Task[None] | None, context: JobContext) -> None:
        self.task, self.context = task, context


class PluginProcess:
    """What this process is doing."""

    def __init__(self, channel: Channel[ToPlugins], surroundings: Surroundings) -> None:
        self._channel = channel
        self._surroundings = surroundings
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="hook")
        self._plugins = Plugins(self._in_thread)
        self._manifests: dict[str, Manifest] = {}
        self._work: dict[int, _Work] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _in_thread(self, function: Any) -> Any:
        future = asyncio.get_running_loop().run_in_executor(self._threads, function)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # a thread cannot be stopped: the job is not let go before it ends
            await asyncio.wait([future])
            raise

    async def serve(self) -> None:
        """Take orders until told to stop, or until the supervisor is gone."""
        self._loop = asyncio.get_running_loop()
        self._channel.post(Hello())
        while True:
            order = await self._channel.receive()
            if order is None:
                # the supervisor died: nobody wants the answers, and nobody else ends what hooks have started
                os.killpg(0, signal.SIGKILL)
            if isinstance(order, Stop):
                break
            self._obey(order)
        await self._plugins.teardown(self._bare_context, order.seconds)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._surroundings.close()
        await self._channel.close()
        if self._work:
            os._exit(0)  # a hook is still running, and the interpreter would wait for its thread

    def _post(self, message: object) -> None:
        """Send from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: a thread outlived its job
            self._loop.call_soon_threadsafe(self._channel.post, message)

    def _obey(self, order: ToPlugins | None) -> None:
        if isinstance(order, Load):
            self._start(self._load(order))
        elif isinstance(order, Run):
            self._begin(order)
        elif isinstance(order, Cancel):
            self._cancel(order.id)
        elif isinstance(order, Ping):
            self._channel.post(Pong())

    def _start(self, coroutine: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _load(self, order: Load) -> None:
        plugin = order.manifest.id
        self._manifests[plugin] = order.manifest
        failure: Failure | None = None
        try:
            context = self._bare_context(order.manifest)
            await self._plugins.load(order.manifest, order.package, context, order.distribution)
        except PluginBroken as broken:
            failure = broken.failure
        except asyncio.CancelledError as error:
            failure = failure_of(error, order.manifest)
        self._channel.post(Loaded(plugin, failure))

    def _begin(self, order: Run) -> None:
        job = msgspec.json.decode(order.job, type=Job)
        context = JobContext(
            parameters=job.parameters,
            models=job.models,
            path=local_path(job.path),
            asset=job.asset,
            log=self._logger(job.plugin, order.id),
            surroundings=self._surroundings,
            vocabulary=Path(job.vocabulary) if job.vocabulary else None,
            glossary=Path(job.glossary) if job.glossary else None,
            on_progress=lambda fraction, note: self._post(Said(order.id, fraction, clean(note))),
            ticket=Ticket(job.key, job.urgent, time.monotonic() + job.deadline),
            folder=kept_folder(job.plugin),
            output=output_folder(),
            roots=watched_roots(),
            project=project_folder(),
        )
        work = self._work[order.id] = _Work(None, context)
        work.task = self._start(self._do(order.id, job, context))

    async def _do(self, number: int, job: Job, context: JobContext) -> None:
        answer: tuple[AnyResult, ...] | Failure
        try:
            event = msgspec.json.decode(bytes(job.event), type=Envelope)
            answer = await self._plugins.handle(job.plugin, event, job.asset, context)
        except (asyncio.CancelledError, msgspec.MsgspecError) as error:
            # cancelled by the supervisor, or a coroutine that cancelled itself
            answer = failure_of(error, self._manifests.get(job.plugin))
        with contextlib.suppress(Exception):
            await self._in_thread(context.close)
        self._work.pop(number, None)
        if isinstance(answer, Failure):
            self._channel.post(Finished(number, failure=answer))
        else:
            self._channel.post(Finished(number, results=answer))

    def _cancel(self, number: int) -> None:
        work = self._work.get(number)
        if work is not None and work.task is not None:
            work.context.cancelled.set()
            # a plain function cannot be stopped from outside; it is asked, and killed if it does not hear
            work.task.cancel()

    def _bare_context(self, manifest: Manifest) -> JobContext:
        defaults = {name: parameter.default for name, parameter in manifest.parameters.items()}
        return JobContext(
            parameters=defaults,
            path=None,
            asset=None,
            log=self._logger(manifest.id, 0),
            surroundings=self._surroundings,
            ticket=Ticket(manifest.id),
            folder=kept_folder(manifest.id),
        )

    def _logger(self, plugin: str, number: int) -> logging.Logger:
        return make_logger(
            f"callboard.plugin.{plugin}", lambda level, text: self._post(Logged(number, plugin, level, clean(text)))
        )


def _be_expendable() -> None:
    """Leave no core dumps, and be the one that the kernel ends first when memory runs out."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


async def _main(arguments: argparse.Namespace) -> None:
    sock = socket.socket(fileno=arguments.fd)
    sock.set_inheritable(False)  # what plugins start must not hold the line open
    channel: Channel[ToPlugins] = await Channel.over(sock, ToPlugins)
    shm = Path(arguments.shm) if arguments.shm else None
    await PluginProcess(channel, Surroundings(arguments.runtime, shm)).serve()


def main() -> None:
    """Run until the supervisor says stop."""
    parser = argparse.ArgumentParser(prog="python -m callboard.plugin.process")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--runtime", default="")
    parser.add_argument("--shm", default="")
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    _be_expendable()
    know(Job, Envelope, AnyResult, *(kind.struct for kind in MESSAGE_TYPES.values()))  # hooks decode by them in threads
    asyncio.run(_main(arguments))


if __name__ == "__main__":
    main()
