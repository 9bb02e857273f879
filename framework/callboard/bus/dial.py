"""Who a connection is made as: credential files and TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from callboard.config import Broker
from callboard.errors import BrokerError


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
    if not (broker.tls_ca or broker.tls_cert or broker.url.startswith(("tls://", "wss://"))):
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
