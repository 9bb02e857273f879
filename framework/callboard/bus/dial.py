"""Who a connection is made as, and how it is kept private: credential files and TLS."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from callboard.config import Broker
from callboard.errors import BrokerError

if TYPE_CHECKING:
    from nats.aio.client import Client

BUFFER_BYTES = 16 * 1024 * 1024
"""Unsent bytes at which a sender waits."""
_ENCRYPTED = ("tls", "wss")


def check_files(broker: Broker) -> None:
    """Refuse settings that name credential files which are not there.

    Raises:
        BrokerError: one is missing; no waiting would make it appear.
    """
    for setting, path in (("creds", broker.creds), ("nkey_seed", broker.nkey_seed)):
        if path and not Path(path).is_file():
            raise BrokerError(f"broker.{setting}: there is no file {path}", "Mend the setting, then try again.")


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Make the TLS settings that *broker* asks for, if any.

    Raises:
        BrokerError: a file is missing or is no certificate or key.
    """
    if not _wants_tls(broker):
        return None
    try:
        context = ssl.create_default_context(cafile=broker.tls_ca or None)
        if broker.tls_cert:
            context.load_cert_chain(broker.tls_cert, broker.tls_key or None)
    except OSError as error:
        raise BrokerError(
            f"the broker's TLS files cannot be used: {error}",
            "Mend broker.tls_ca, broker.tls_cert and broker.tls_key, then try again.",
        ) from None
    return context


def servers(broker: Broker) -> list[str]:
    """List the urls that *broker* names, in order."""
    return [url.strip() for url in broker.url.split(",")]


def places(broker: Broker) -> list[str]:
    """List the servers as ``host:port``, without the secrets that a url may hold."""
    return [urlsplit(_full(url)).netloc.rpartition("@")[2] for url in servers(broker)]


def in_the_clear(broker: Broker) -> list[str]:
    """List the servers on other machines that are spoken to without TLS, as ``host:port``."""
    if _wants_tls(broker):
        return []
    hosts = [urlsplit(_full(url)).hostname or "" for url in servers(broker)]
    return [place for place, host in zip(places(broker), hosts, strict=True) if not _is_loopback(host)]


def options(broker: Broker, role: str, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Give the options of nats-py that say who connects, as which role, and that a lost connection is not mended."""
    options: dict[str, Any] = {
        "name": f"callboard-{role}",
        "inbox_prefix": f"_INBOX.{role}",
        "allow_reconnect": False,
        "max_reconnect_attempts": 1,
        "reconnect_time_wait": 0.1,
        "connect_timeout": 3,
        "pending_size": BUFFER_BYTES,
        "skip_subject_validation": True,  # subjects are checked where they come in, once
    }
    if tls is not None:
        options["tls"] = tls
    if broker.nkey_seed:
        options["nkeys_seed"] = broker.nkey_seed
    if broker.creds:
        options["user_credentials"] = broker.creds
    return options


def make_client(tls: ssl.SSLContext | None) -> Client:
    """Make a client that hears on after an answer nobody waits for, and that is private where it shall be.

    nats-py stops reading, for good and without a word, at the answer to a ping whose asker gave up: each server that
    stood still for a while would leave a connection that is deaf. And it encrypts when the server's greeting asks for
    it, whatever the url says: whoever answers in the server's place could have everything in the clear. Given *tls*,
    nothing is said to a server that offers none.
    """
    import nats.errors
    from nats.aio.client import Client

    class Steady(Client):
        async def _process_pong(self) -> None:
            if self._pongs and self._pongs[0].done():
                self._pongs.pop(0)
                self._pings_outstanding = 0
            else:
                await super()._process_pong()

        async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
            over = self._current_server.uri.scheme if self._current_server else ""
            plain = over not in ("ws", "wss") and not info.get("tls_required")
            if tls is not None and initial_connection and plain:
                raise nats.errors.SecureConnRequiredError
            await super()._process_info(info, initial_connection)

    return Steady()


def _wants_tls(broker: Broker) -> bool:
    schemes = {urlsplit(_full(url)).scheme for url in servers(broker)}
    return bool(broker.tls_ca or broker.tls_cert or schemes.intersection(_ENCRYPTED))


def _full(url: str) -> str:
    return url if "://" in url else f"nats://{url}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")
