"""A bus that a test can count on, however busy the machine is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from callboard.bus import Published, pull, streams
from callboard.bus.nats import NatsBus
from callboard.config import Broker
from callboard.errors import BrokerError

PATIENT = 60.0
"""Seconds that only guard against hanging."""


@asynccontextmanager
async def connected(broker: Broker, **options: Any) -> AsyncIterator[NatsBus]:
    """Give a bus that is connected, and that waits long for answers; *options* are those of ``NatsBus``."""
    bus = NatsBus(broker, **{"publish_seconds": PATIENT, **options})
    with patch.object(streams, "ANSWER_SECONDS", PATIENT), patch.object(pull, "ANSWER_SECONDS", PATIENT):
        try:
            assert await bus.connect(patience=PATIENT), bus.problem
            yield bus
        finally:
            await bus.close()


async def stored_at_last(bus: NatsBus, subject: str, body: bytes, *, msg_id: str = "", once: bool = False) -> Published:
    """Store a message, sent again as its senders do where it is not answered for: the broker may be on its way back."""
    while True:
        try:
            return await bus.publish(subject, body, msg_id=msg_id, once=once)
        except BrokerError:
            await bus.ready(PATIENT)


__all__ = ["PATIENT", "connected", "stored_at_last"]
