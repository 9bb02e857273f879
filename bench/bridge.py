"""The bridge inside an application beside nats-py: import, login, an idle poll, round trips, events, hostile servers.

    python bench/bridge.py [--rounds 5] [--asks 2000] [--events 5000]

Both sides talk to the same nats-server (loopback, nkey login, JetStream without a sync of each message) and the same
responder, a process of its own. Rounds alternate, and each ratio is the median of the ratios of each round. The last
part floods the bridge from a thread that speaks the protocol badly, and prints what the longest poll cost its thread.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import nkeys
from callboard.bus.binary import find_binary
from callboard_bridge import Bridge, onefile

SEED = bytes(nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_USER))
PUBLIC = bytes(nkeys.from_seed(bytearray(SEED)).public_key).decode()
IMPORT = (
    "import time, sys; sys.path[:0] = sys.argv[1:]; a = time.process_time(); import {}; print(time.process_time() - a)"
)
LIMITS = {"import, ms": 15.0, "idle poll, us": 5.0, "round trip, ms": 1.0, "longest poll, ms": 5.0}


def say(name: str, ours: float, theirs: float | None = None, ratios: list[float] | None = None) -> None:
    """Print one line: ours, the peer's, and how many times better ours is."""
    line = f"{name:<34}{ours:>10.3f}"
    if theirs is not None:
        line += f"{theirs:>12.3f}{statistics.median(ratios or [theirs / ours]):>9.2f}x"
    limit = next((limit for start, limit in LIMITS.items() if name.startswith(start)), None)
    print(line + (f"   (limit {limit:g}: {'kept' if ours < limit else 'NOT KEPT'})" if limit else ""))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Give the url of a server with a stream and a responder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "server.conf"
    config.write_text(
        f"host: 127.0.0.1\nport: {port}\njetstream {{store_dir: {json.dumps(str(folder / 'store'))}}}\n"
        f"authorization {{ users: [ {{nkey: {PUBLIC}}} ] }}\n"
    )
    url, none = f"nats://127.0.0.1:{port}", subprocess.DEVNULL
    server = subprocess.Popen([find_binary(), "-c", str(config)], stdout=none, stderr=none)
    responder = subprocess.Popen([sys.executable, __file__, "--respond", url], stdout=subprocess.PIPE)
    assert responder.stdout is not None
    responder.stdout.readline()
    try:
        yield url
    finally:
        for process in (responder, server):
            process.terminate()
            process.wait()


async def connect(url: str) -> Any:
    """Connect with nats-py."""
    return await nats.connect(url, nkeys_seed_str=SEED.decode(), max_reconnect_attempts=-1, reconnect_time_wait=0.05)


async def respond(url: str) -> None:
    """Answer every question until killed."""
    client = await connect(url)
    await client.jetstream().add_stream(name="CB_IN", subjects=["cb.in.>"])

    async def answer(message: Any) -> None:
        await message.respond(b'{"value":{}}')

    await client.subscribe("cb.ctl.host.*", cb=answer)
    await client.flush()
    print("ready", flush=True)
    await asyncio.Event().wait()


def imports(folder: Path, rounds: int) -> None:
    """Compare imports in fresh interpreters; the least of many, as whatever else runs makes them longer."""
    (folder / "callboard_bridge.py").write_text(onefile.build())
    packages = str(Path(nats.__file__).parents[1])
    cases = {"callboard_bridge": str(folder), "json": "", "nats": packages}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(3 * rounds + 1):
        for name, path in cases.items():
            command = [sys.executable, "-I", "-S", "-c", IMPORT.format(name), *([path] if path else [])]
            taken[name].append(float(subprocess.run(command, capture_output=True, check=True).stdout) * 1e3)
    ours, base, peer = (taken[name][1:] for name in cases)  # the first one compiles
    say("import, ms of processor, least", min(ours), min(peer))
    say("  of it json", min(base))


def drive(bridge: Bridge, done: Callable[[], Any]) -> float:
    """Poll until done; give the seconds that it took."""
    began = time.perf_counter()
    while not done():
        bridge.poll()
        time.sleep(0.00002)  # a tick: who never sleeps is stopped for milliseconds when the cores are busy
    return time.perf_counter() - began


def settled(bridge: Bridge) -> Callable[[], bool]:
    """Give a condition: that the bridge is online, or knows that nobody is there."""
    return lambda: bridge.state == "online" or "listens" in bridge.problem


def logins(url: str, rounds: int) -> None:
    """Compare connecting with an nkey, until the answer to a first question."""

    async def peer() -> float:
        began = time.perf_counter()
        client = await connect(url)
        await client.request("cb.ctl.host.hello", b"{}")
        taken = time.perf_counter() - began
        await client.close()
        return taken

    ours, theirs = [], []
    for _ in range(rounds):
        bridge = Bridge(url, "Bench", "1", seed=SEED)
        ours.append(drive(bridge, settled(bridge)) * 1e3)
        bridge.close()
        theirs.append(asyncio.run(peer()) * 1e3)
    ratios = [theirs[at] / ours[at] for at in range(rounds)]
    say("login with an nkey, ms", statistics.median(ours), statistics.median(theirs), ratios)


def round_trips(url: str, rounds: int, asks: int) -> None:
    """Compare a question and its answer."""

    async def peer() -> list[float]:
        client, taken = await connect(url), []
        for _ in range(asks):
            began = time.perf_counter()
            await client.request("cb.ctl.host.ping", b"{}")
            taken.append((time.perf_counter() - began) * 1e3)
        await client.close()
        return taken

    def ours() -> list[float]:
        bridge, taken, answered = Bridge(url, "Bench", "1", seed=SEED), [], threading.Event()
        drive(bridge, settled(bridge))
        for _ in range(asks):
            began = time.perf_counter()
            bridge.ask("ping", {}, lambda _value, _problem: answered.set())
            drive(bridge, answered.is_set)
            taken.append((time.perf_counter() - began) * 1e3)
            answered.clear()
        bridge.close()
        return taken

    pairs = [(ours(), asyncio.run(peer())) for _ in range(rounds)]
    for name, at in (("p50", 0.5), ("p95", 0.95)):
        mine, other = ([sorted(run)[int(asks * at)] for run in side] for side in zip(*pairs, strict=True))
        ratios = [theirs / our for our, theirs in zip(mine, other, strict=True)]
        prefix = "round trip, ms" if name == "p50" else "  the same"
        say(f"{prefix}, {name}", statistics.median(mine), statistics.median(other), ratios)


def idle(url: str) -> None:
    """Measure a poll with nothing to do, connected and not."""
    for name, where in (("idle poll, us", url), ("idle poll, us, no server", "nats://127.0.0.1:1")):
        bridge = Bridge(where, "Bench", "1", seed=SEED)
        drive(bridge, settled(bridge))
        runs = []
        for _ in range(20):
            began = time.perf_counter()
            for _ in range(2000):
                bridge.poll()
            runs.append((time.perf_counter() - began) / 2000 * 1e6)
        say(name, statistics.median(runs))
        bridge.close()


def events(url: str, folder: Path, rounds: int, count: int) -> None:
    """Compare stored events: ours go through a file first."""

    async def peer() -> float:
        client = await connect(url)
        stream = client.jetstream(publish_async_max_pending=256)
        body = json.dumps({"id": "x" * 32, "type": "host.scene.saved", "data": {"project": "x"}}).encode()
        began = time.perf_counter()
        for _ in range(count):
            ident = {"Nats-Msg-Id": os.urandom(16).hex()}
            await stream.publish_async("cb.in.host.scene.saved", body, headers=ident, wait_stall=30)
        await stream.publish_async_completed()
        taken = time.perf_counter() - began
        await client.close()
        return count / taken

    def ours() -> float:
        bridge = Bridge(url, "Bench", "1", seed=SEED, outbox=str(folder / "outbox"))
        drive(bridge, settled(bridge))
        began = time.perf_counter()
        for _ in range(count):
            bridge.post("host.scene.saved", {"project": "x"})
        drive(bridge, lambda: bridge.pending == 0)
        taken = time.perf_counter() - began
        bridge.close()
        return count / taken

    mine, other = zip(*[(ours(), asyncio.run(peer())) for _ in range(rounds)], strict=True)
    ratios = [our / theirs for our, theirs in zip(mine, other, strict=True)]
    say("events stored, a second", statistics.median(mine), statistics.median(other), ratios)


INFO = b'INFO {"max_payload":1048576,"nonce":"abc"}\r\n'


def _message(body: bytes) -> bytes:
    return b"MSG cb.do.bench 2 %d\r\n%s\r\n" % (len(body), body)


def _command(number: int, **fields: Any) -> bytes:
    data = {"id": f"c{number}", "host": "bench", "verb": "tags.write", "proposal": "p", **fields}
    return _message(json.dumps({"type": "host.command", "data": data}).encode())


FLOODS = {
    "PING": b"PING\r\n" * 50_000,
    "INFO": (b"INFO {" + b'"a":1,' * 5000 + b'"b":2}\r\n') * 20,
    "wide JSON": _message(b'{"type":"host.command","data":[' + b"[]," * 20_000 + b"0]}") * 10,
    "deep JSON": _message(b"[" * 70_000) * 20,
    "long numbers": _message(b"1" * 70_000) * 20,
    "a huge payload": b"MSG cb.do.bench 2 60000000\r\n" + bytes(60_000_000) + b"\r\n",
    "refused commands": b"".join(_command(n, verb="x") for n in range(5000)),
    "many paths": b"".join(_command(n, arguments={"a": ["/" + "/".join("a" * 100)] * 200}) for n in range(50)),
    "noise": os.urandom(1 << 20),
}


def hostile() -> None:
    """Measure the longest poll while a server floods."""
    for name, flood in FLOODS.items():
        listener, sent = socket.create_server(("127.0.0.1", 0)), threading.Event()

        def serve(flood: bytes = flood, listener: socket.socket = listener, sent: threading.Event = sent) -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(INFO)
                while b"PING\r\n" not in connection.recv(65536):
                    pass
                connection.sendall(b"PONG\r\n" + flood)
            sent.set()

        thread = threading.Thread(target=serve)
        thread.start()
        bridge = Bridge(
            f"nats://127.0.0.1:{listener.getsockname()[1]}", "Bench", "1", ["tags.write"], "bench", seed=SEED
        )
        bridge.on_command(lambda _command: None)
        worst = 0.0
        while not sent.is_set():
            began = time.thread_time()
            bridge.poll()
            worst = max(worst, time.thread_time() - began)
            time.sleep(0)
        listener.close()
        bridge.close()
        thread.join()
        say(f"longest poll, ms: {name}", worst * 1e3)


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--asks", type=int, default=2000)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--respond", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.respond:
        asyncio.run(respond(arguments.respond))
        return
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n{'':<34}{'bridge':>10}{'nats-py':>12}{'ratio':>10}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        imports(folder, arguments.rounds)
        with serving(folder) as url:
            logins(url, arguments.rounds)
            idle(url)
            round_trips(url, arguments.rounds, arguments.asks)
            events(url, folder, arguments.rounds, arguments.events)
    hostile()
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
