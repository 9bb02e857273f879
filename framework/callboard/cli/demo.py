"""``callboard demo``: sample footage, copied slowly into a watch folder, becomes captions and tags before your eyes."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

import click
from callboard_schemas import Captions, Tags

import callboard
from callboard.catalog import jobs, journal, ledger, outbox, proposals
from callboard.cli.live import live
from callboard.cli.output import cell, console, count, table
from callboard.cli.summary import labels
from callboard.config import Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.errors import UsageError
from callboard.sources.kinds import kind_of

_CHUNKS = 12
"""Pieces in which a clip is copied; the board must wait for the last one."""


@click.command("demo")
@click.option("--media", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Clips of your own.")
@click.option("--folder", type=click.Path(path_type=Path), help="Work here and keep it; else a temporary folder.")
@click.option("--pace", default=0.12, show_default=True, help="Seconds between two pieces of a copy.")
@click.option("--limit", default=300.0, show_default=True, help="Give up after so many seconds.")
def command(media: Path | None, folder: Path | None, pace: float, limit: float) -> int:
    """Start a board on a new project, copy sample clips into its watch folder slowly, and show what comes of them."""
    source = media or _samples()
    base = folder or Path(tempfile.mkdtemp(prefix="callboard-demo-"))
    try:
        (base / "footage").mkdir(parents=True, exist_ok=True)
        return asyncio.run(_demo(source, base.absolute(), pace, limit))
    finally:
        if folder is None:
            shutil.rmtree(base, ignore_errors=True)
        else:
            console().print(f"[dim]Everything is kept in {cell(str(folder))}.[/dim]")


def _samples() -> Path:
    folder = Path(callboard.__file__).parents[2] / "tests" / "media"
    if not folder.is_dir():
        raise UsageError("the sample clips are not installed", "Give a folder of your own clips with --media.")
    return folder


async def _demo(source: Path, base: Path, pace: float, limit: float) -> int:
    out = console()
    watched = base / "footage"
    settings = Settings(watch=(Watch(path="footage", quiet=1.0),))
    project = make_project(base, settings)
    clips = _clips(source)
    began = time.monotonic()
    out.print(f"A new project in {cell(str(base))}, with a broker of its own.")
    async with live(project, out) as (daemon, serving):
        took = time.monotonic() - began
        out.print(f"Ready after {took:.1f} s. Copying {len(clips)} files, slowly, into {cell(str(watched))}")
        copying = asyncio.create_task(_copy_all(clips, source, watched, pace))
        settled = asyncio.create_task(_settled(daemon, copying, serving))
        done, _ = await asyncio.wait([settled, serving], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for task in (copying, settled):
            task.cancel()
        for task in done:
            task.result()
        failed = _show(daemon)
        if settled not in done:
            out.print(f"[red]Not finished after {limit:.0f} s.[/red]")
            return 1
    out.print(f"\nDone in {time.monotonic() - began:.1f} s. On your own footage: callboard run FILE.")
    return 1 if failed else 0


def _clips(source: Path) -> list[Path]:
    return sorted(path for path in source.rglob("*") if path.is_file() and kind_of(os.fsencode(path.name)))


async def _copy_all(clips: list[Path], source: Path, target: Path, pace: float) -> None:
    for clip in clips:
        to = target / clip.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        data = clip.read_bytes()
        step = max(len(data) // _CHUNKS, 1)
        with to.open("wb") as file:
            for start in range(0, len(data), step):
                file.write(data[start : start + step])
                file.flush()
                await asyncio.sleep(pace if len(data) > 100_000 else 0)


async def _settled(daemon: Daemon, copying: asyncio.Task[None], serving: asyncio.Task[None]) -> None:
    """Wait until every copied file was found, its jobs are settled and its sidecars are written."""
    await copying
    board = daemon.board
    quiet = 0
    while quiet < 3 and not serving.done():
        await asyncio.sleep(0.5)
        counts = board.catalog.read(jobs.counts)
        busy = counts.get("queued", 0) + counts.get("running", 0) or board.catalog.read(outbox.next_sync) is not None
        waiting = any(source.busy for source in daemon.sources.values())
        quiet = 0 if busy or waiting or not counts else quiet + 1


def _show(daemon: Daemon) -> int:
    out = console()
    out.print("\n[bold]What was made[/bold]")
    shown = table("file", "tags", "captions", whole=("file", "captions"))
    spoken: list[str] = []
    failed = 0
    for seen in sorted(
        daemon.board.catalog.read(lambda conn: journal.known(conn, "footage")).values(), key=lambda s: s.path
    ):
        found = daemon.board.catalog.read(partial(proposals.of_digest, digest=seen.digest))
        rows = daemon.board.catalog.read(partial(jobs.of_digest, digest=seen.digest))
        failed += sum(row.state in ("failed", "blocked") for row in rows)
        tags = [body for one in found if isinstance(body := one.body, Tags)]
        cues = [body for one in found if isinstance(body := one.body, Captions)]
        name = seen.path.decode("utf-8", "backslashreplace")
        shown.add_row(
            cell(name),
            cell(labels(tags[0])) if tags else "",
            count(len(cues[0].cues), "cue") if cues and cues[0].cues else "",
        )
        spoken += [f"[bold]{cell(name)}[/bold]"] if cues and cues[0].cues else []
        spoken += [
            f"  {cue.start:6.2f} to {cue.end:6.2f}  {cell(' / '.join(cue.lines))}" for one in cues for cue in one.cues
        ]
    out.print(shown)
    for line in spoken:
        out.print(line)
    written = daemon.board.catalog.read(ledger.count)
    out.print(f"\n{written} sidecars written beside the media; the media itself was only read.")
    return failed


__all__ = ["command"]
