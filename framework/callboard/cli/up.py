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
from callboard.errors import UsageError

_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True)


@click.command("up")
@click.option("--nats", "url", default="", metavar="URL", help="Use this NATS server or cluster, not the embedded one.")
@click.option("--creds", type=_FILE, help="Credentials file for --nats.")
@click.option("--nkey", type=_FILE, help="File with an nkey seed for --nats.")
@click.option("--tls-ca", type=_FILE, help="CA that signed the server's certificate.")
@click.option("--tls-cert", type=_FILE, help="Client certificate.")
@click.option("--tls-key", type=_FILE, help="Key of the client certificate.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
def command(
    url: str,
    creds: str | None,
    nkey: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    verbose: bool,
) -> int:
    """Watch the folders and the bus, answer with plugins, write sidecars; stop with Ctrl-C."""
    _log_to_stderr(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # its tracebacks say nothing that the bus does not say better
    project = here()
    if url:
        given = Broker(
            url=url,
            creds=creds or "",
            nkey_seed=nkey or "",
            tls_ca=tls_ca or "",
            tls_cert=tls_cert or "",
            tls_key=tls_key or "",
        )
        project = msgspec.structs.replace(project, settings=msgspec.structs.replace(project.settings, broker=given))
    elif creds or nkey or tls_ca or tls_cert or tls_key:
        raise UsageError("credentials are given, but no server", "Say which with --nats URL.")
    return asyncio.run(_up(project))


def _log_to_stderr(level: int) -> None:
    out = console(stderr=True)
    handler: logging.Handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    if out.is_terminal:
        handler = RichHandler(console=out, show_path=False, rich_tracebacks=False, log_time_format="%H:%M:%S")
        handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


async def _up(project: Project) -> int:
    out = console()
    began = time.monotonic()
    async with live(project, out) as (daemon, serving):
        _stop_on_signals(daemon, out)  # before anybody is told that it is there to be stopped
        folders = ", ".join(root.folder for root in daemon.roots()) or "no folder (see callboard.toml)"
        out.print(f"Ready in {time.monotonic() - began:.1f} s; watching {cell(folders)}. Ctrl-C stops.")
        if not daemon.bus.connected:
            out.print("The broker does not answer yet; the work in the folders goes on, and messages wait.")
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
