"""Bus throughput: consume, validate a 1 KiB event, dispatch, publish a result (stored), ack. Ours beside others.

All variants run against the same server with the same settings (``sync_interval: always``), same streams, same
event, one worker process, one connection; every result is stored (PubAck) before its event is acknowledged.
Variants alternate within each round; the ratios are the medians of the ratios of each round.

    python bench/bus.py [--rounds 3] [--events 3000] [--only NAME,...] [--window 400]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
from bus_peers import DURABLE, STREAM, SUBJECT_IN, SUBJECT_OUT, VARIANTS, sample
from msgspec import Struct

FAST = ("ours", "lingering")
"""Variants that get three times as many events, so that their runs last as long."""


class Run(Struct):
    """One variant, once."""

    rate: float
    """Events per second, from the first result to the moment when the server has every ack."""
    cpu: float
    """Worker CPU per event, in microseconds."""
    redelivered: int


@contextlib.asynccontextmanager
async def serving(folder: Path, sync: str) -> AsyncIterator[str]:
    """Run a server that asks nobody for a key: FastStream's pull subscriber knows no inbox of its own."""
    from callboard.bus.binary import find_binary

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "server.conf"
    jetstream = f'jetstream {{ store_dir: "{folder}/store", sync_interval: {sync} }}'
    config.write_text(f"host: 127.0.0.1\nport: {port}\nlog_file: {folder}/log\n{jetstream}\n")
    server = await asyncio.create_subprocess_exec(find_binary(), "-c", str(config))
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.wait()


async def measure(url: str, variant: str, events: int, window: int) -> Run:
    """Fill the intake, let one worker process empty it, and check that nothing was left or doubled."""
    from callboard.bus.nats import NatsBus
    from callboard.config import Broker

    async with NatsBus(Broker(url=url)) as bus:
        for stream in (STREAM, "CB_OUT"):
            await bus._link.ask(f"$JS.API.STREAM.DELETE.{stream}", b"", 5.0)  # noqa: SLF001 - a fresh start each time
    async with NatsBus(Broker(url=url)) as bus:
        for start in range(0, events, 500):
            await asyncio.gather(*(bus.publish(SUBJECT_IN, sample(n)) for n in range(start, min(start + 500, events))))
        seen: list[float] = []  # a listener hears a result before it is stored: only the last ack is the end
        done = asyncio.Event()

        async def listener(subject: str, body: bytes) -> None:
            seen.append(time.perf_counter())
            if len(seen) == events:
                done.set()

        await bus.listen(f"{SUBJECT_OUT}.>", listener)
        command = [__file__, "--worker", variant, url, str(window)]
        worker = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        try:
            assert worker.stdout is not None
            async with asyncio.timeout(60):
                await worker.stdout.readline()
                before = psutil.Process(worker.pid).cpu_times()
                await done.wait()
                info = await settled(bus)
                end = time.perf_counter()
            after = psutil.Process(worker.pid).cpu_times()
        finally:
            worker.kill()
            await worker.wait()
        if len(seen) != events or info["num_redelivered"]:
            print(f"! {variant}: {len(seen)} results for {events} events, {info['num_redelivered']} redelivered")
        cpu = after.user + after.system - before.user - before.system
        return Run((events - 1) / (end - seen[0]), cpu / events * 1e6, info["num_redelivered"])


async def settled(bus: Any) -> Any:
    """Wait until the consumer has nothing left to deliver or to hear an ack for."""
    while True:
        answer = await bus._link.ask(f"$JS.API.CONSUMER.INFO.{STREAM}.{DURABLE}", b"", 5.0)  # noqa: SLF001 - no public way
        info = json.loads(answer.data)
        if info["num_ack_pending"] == info["num_pending"] == 0:
            return info
        await asyncio.sleep(0.02)


async def main(arguments: argparse.Namespace) -> None:
    """Run every variant in every round and print medians and ratios."""
    names = arguments.only.split(",") if arguments.only else list(VARIANTS)
    runs: dict[str, list[Run]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder  # a worker that keeps a catalog leaves it there when it is killed
        async with serving(Path(folder), arguments.sync) as url:
            for _ in range(arguments.rounds):
                for name in names:
                    events = arguments.events * (3 if name in FAST else 1)
                    runs[name].append(await measure(url, name, events, arguments.window))
    print(
        f"{arguments.rounds} rounds, window {arguments.window}, sync_interval {arguments.sync},"
        f" load {os.getloadavg()[0]:.1f}"
    )
    for name in names:
        rate = statistics.median(run.rate for run in runs[name])
        cpu = statistics.median(run.cpu for run in runs[name])
        redelivered = sum(run.redelivered for run in runs[name])
        print(f"{name:16s} {rate:9,.0f} events/s  {cpu:6.0f} us CPU/event  {redelivered} redelivered")
    for ours in ("ours", "journalled"):
        for name in names:
            if name != ours and ours in names and name != "ours":
                ratio = statistics.median(a.rate / b.rate for a, b in zip(runs[ours], runs[name], strict=True))
                print(f"{ours} / {name:16s} {ratio:5.2f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        asyncio.run(VARIANTS[sys.argv[2]](sys.argv[3], int(sys.argv[4])))  # type: ignore[arg-type]  # each is async def
    else:
        parser = argparse.ArgumentParser(description="Bus throughput beside others.")
        parser.add_argument("--rounds", type=int, default=3)
        parser.add_argument("--events", type=int, default=2000, help="per run; the fast variants get three times that")
        parser.add_argument("--sync", default="always", help="the server's sync_interval, for all variants alike")
        parser.add_argument("--only", default="", help="comma-separated names out of " + ", ".join(VARIANTS))
        parser.add_argument("--window", type=int, default=400, help="messages on their way at once")
        asyncio.run(main(parser.parse_args()))
