"""One subscription, on whatever connection there is."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callboard.bus.link import Link

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription


@dataclass
class Interest:
    """A subscription as it was asked for, and as it stands on the present connection."""

    subject: str
    queue: str
    callback: Callable[[Msg], Awaitable[None]]
    live: Subscription | None = None

    async def attach(self, link: Link) -> None:
        """Subscribe on the present connection.

        Raises:
            BrokerError: there is none.
        """
        self.live = await link.subscribe(self.subject, self.callback, self.queue)

    async def begin(self, link: Link) -> None:
        """Subscribe, and wait until the server knows: what others send from now on is heard.

        A server that takes long to say so is the connection's matter, which is watched.

        Raises:
            BrokerError: there is no connection.
        """
        await self.attach(link)
        await link.answers()

    async def detach(self) -> None:
        """End it, where its connection has not ended it already."""
        import nats.errors

        live, self.live = self.live, None
        if live is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await live.unsubscribe()


__all__ = ["Interest"]
