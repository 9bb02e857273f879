"""``callboard up``: the board of this project, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time

import click
import msgspec
from rich.console import Console
from rich.logging import RichHandler

from callboard.cli.live import live
from callboard.cli.output import cell, console
from callboard.cli.project import here
from callboard.config import Broker, Project
from callboard.daemon import Daemon


@click.command("up")
@click.option("--nats", "url", default="", metavar="URL", help="Use this NATS server or cluster, not the embedded one.")
@click.option("--creds", default="", type=click.Path(dir_okay=False), help="Credentials file for --nats.")
@click.option("--nkey", default="", type=click.Path(dir_okay=False), help="File with an nkey seed for --nats.")
@click.option("--tls-ca", default="", type=click.Path(dir_okay=False), help="CA that signed the server's certificate.")
@click.option("--tls-cert", default="", type=click.Path(dir_okay=False), help="Client certificate.")
@click.option("--tls-key", default="", type=click.Path(dir_okay=False), help="Key of the client certificate.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
def command(url: str, creds: str, nkey: str, tls_ca: str, tls_cert: str, tls_key: str, verbose: bool) -> int:
    """Watch the folders and the bus, answer with plugins, write sidecars; stop with Ctrl-C."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=console(stderr=True), show_path=False, rich_tracebacks=False)],
    )
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # its tracebacks say nothing that the bus does not say better
    project = here()
    given = Broker(url=url, creds=creds, nkey_seed=nkey, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key)
    if url:
        project = msgspec.structs.replace(project, settings=msgspec.structs.replace(project.settings, broker=given))
    return asyncio.run(_up(project))


async def _up(project: Project) -> int:
    out = console()
    began = time.monotonic()
    async with live(project, out) as (daemon, serving):
        folders = ", ".join(root.folder for root in daemon.roots()) or "no folder (see callboard.toml)"
        out.print(f"Ready in {time.monotonic() - began:.1f} s; watching {cell(folders)}. Ctrl-C stops.")
        _stop_on_signals(daemon, out)
        await serving
    out.print("Stopped.")
    return 0


def _stop_on_signals(daemon: Daemon, out: Console) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        out.print("Stopping…")
        daemon.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)


__all__ = ["command"]
