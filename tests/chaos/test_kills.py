"""Processes die at random during an ingest; afterwards four ledgers must agree: files, catalog, sidecars, stream."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
import pytest
from callboard.bus import OUTBOX
from callboard.bus.roles import seed_path
from callboard.catalog import view
from callboard.cli.project import broker_of
from callboard.config import find_project
from callboard.testing import TmpPlugin
from callboard.testing.buses import PATIENT, connected
from lxml.etree import fromstring

FILES, KILLS, SEED = 1000, 100, 42

HASH = """
    import hashlib
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        label = hashlib.md5(context.path.read_bytes()).hexdigest()
        return Tags(items=(Tag(label=label, score=0.9, method="hash"),), confidence=0.9)
"""

SETTINGS = """
allow_plugins = ["hash"]
workers = 4
[[watch]]
path = "footage"
quiet = 0.3
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
"""


KINDS = ("supervisor", "nats-server", "callboard.plugin.process")


class Nemesis:
    """Runs ``callboard up`` and kills it, its broker or its plugin process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.random, self.killed = folder, random.Random(SEED), Counter[str]()
        self.log = (folder / "up.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start the board."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "callboard", "up"], cwd=self.folder, stdout=self.log, stderr=self.log
        )

    def victims(self) -> dict[str, psutil.Process]:
        """Find who can be killed now, by what it is."""
        try:
            found = {"supervisor": psutil.Process(self.process.pid)}
            for child in found["supervisor"].children():
                command = " ".join(child.cmdline())
                found.update({name: child for name in KINDS[1:] if name in command})
        except psutil.NoSuchProcess:
            return {}
        return found

    def kill_one(self) -> None:
        """Kill the kind whose turn it is with SIGKILL, once there is one; a board is started again."""
        name = self.random.choice(KINDS)
        assert self.process.poll() is None, "the board ended by itself"
        deadline = time.monotonic() + PATIENT
        victim = self.victims().get(name)
        while victim is None and time.monotonic() < deadline:
            time.sleep(0.02)  # another process's children are watched from outside: there is no event to wait for
            victim = self.victims().get(name)
        if victim is None:
            return
        try:
            victim.kill()
        except psutil.NoSuchProcess:  # its work was done meanwhile
            return
        self.killed[name] += 1
        if name == "supervisor":
            self.process.wait(PATIENT)
            self.start()

    def stop(self) -> int:
        """End the board as Ctrl-C does; gives its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENT)


class Reader(threading.Thread):
    """Reads sidecars all the time; each must be whole whenever it is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.over, self.reads, self.torn = folder, threading.Event(), 0, list[str]()

    def run(self) -> None:
        """Read until it is over."""
        while not self.over.is_set():
            for name in os.listdir(self.folder):
                self._read(name)
            self.over.wait(0.05)

    def _read(self, name: str) -> None:
        try:
            body = (self.folder / name).read_bytes()
            if name.endswith(".callboard.json"):
                json.loads(body)
            elif name.endswith(".xmp"):
                fromstring(body)
            else:
                return
        except FileNotFoundError:
            return
        except ValueError as error:
            self.torn.append(f"{name}: {error}")
        self.reads += 1


def _done(folder: Path) -> int:
    with view(folder / ".callboard") as catalog:
        return int(
            catalog.read(
                lambda conn: conn.execute("SELECT count(*) FROM sidecars WHERE state = 'written'").fetchone()[0]
            )
        )


async def _subjects(folder: Path) -> set[str]:
    project = find_project(folder)
    assert project is not None
    broker = msgspec.structs.replace(broker_of(project), nkey_seed=str(seed_path(project.data, "board")))
    async with connected(broker) as bus:
        return await bus.stored(f"{OUTBOX}.proposal.made")


def _unsent(folder: Path) -> int:
    with view(folder / ".callboard") as catalog:
        return int(
            catalog.read(lambda conn: conn.execute("SELECT count(*) FROM outbox WHERE sent IS NULL").fetchone()[0])
        )


def _wait(what: str, until: float, seconds: float, now: Callable[[], int]) -> None:
    deadline = time.monotonic() + seconds
    while now() != until:
        assert time.monotonic() < deadline, f"{what}: {now()} instead of {until}"
        time.sleep(0.2)  # another process's work is watched from outside: there is no event to wait for


@pytest.mark.chaos
@pytest.mark.broker
@pytest.mark.timeout(900)
def test_a_hundred_kills_lose_double_and_tear_nothing(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """After 100 kills during 1,000 files each file has its one result, sidecar and message, and none was ever torn."""
    tmp_plugin("hash", HASH)
    (tmp_path / "callboard.toml").write_text(SETTINGS)
    footage = tmp_path / "footage"
    footage.mkdir()
    expected: dict[str, str] = {}
    nemesis, reader = Nemesis(tmp_path), Reader(footage)
    reader.start()
    try:
        for number in range(FILES):
            body = f"frame {number} ".encode() * 50
            (footage / f"clip{number:04d}.mp4").write_bytes(body)
            expected[f"clip{number:04d}.mp4"] = hashlib.md5(body).hexdigest()
            if number % (FILES // KILLS) == 0:
                time.sleep(nemesis.random.uniform(0.05, 0.8))  # kills must hit every stage of the work
                nemesis.kill_one()
        _wait("sidecars", 2 * FILES, 300, lambda: _done(tmp_path))
        _wait("unsent messages", 0, 60, lambda: _unsent(tmp_path))
        subjects = asyncio.run(_subjects(tmp_path))
        assert nemesis.stop() == 0
    finally:
        nemesis.process.kill()
        nemesis.process.wait()
        nemesis.log.close()
        reader.over.set()
        reader.join()
    _check(tmp_path, footage, expected, subjects)
    assert sum(nemesis.killed.values()) >= KILLS * 0.95
    assert reader.torn == []
    assert reader.reads > FILES
    assert set(nemesis.killed) == set(KINDS)


def _check(folder: Path, footage: Path, expected: dict[str, str], subjects: set[str]) -> None:
    """Compare what is on disk, in the catalog and in the stream."""
    names = {name for name in os.listdir(footage) if not name.endswith(".tmp")}  # swept at the next start
    assert names == {name + end for name in expected for end in ("", ".xmp", ".callboard.json")}
    for name, label in expected.items():
        document = json.loads((footage / f"{name}.callboard.json").read_bytes())
        labels = [item["label"] for proposal in document["proposals"] for item in proposal["body"]["items"]]
        assert labels == [label]
    with view(folder / ".callboard") as catalog:
        assert catalog.read(
            lambda conn: conn.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        ) == [("done", FILES)]
        ids = catalog.read(lambda conn: [row[0] for row in conn.execute("SELECT id FROM proposals")])
    assert len(ids) == FILES
    assert {subject.rpartition(".")[2] for subject in subjects} == set(ids)
