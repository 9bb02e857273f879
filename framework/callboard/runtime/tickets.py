"""The runtime as one job sees it: every call carries the job's ticket."""

from __future__ import annotations

from typing import Any, Final

from callboard.context import Arrays, Runtime
from callboard.runtime import Ticket

NOBODY: Final = Ticket()
"""For calls of no job in particular."""


class Bound:
    """Implements ``callboard.context.Runtime``: hands each call on with a ticket."""

    def __init__(self, runtime: Runtime, ticket: Ticket) -> None:
        self._runtime, self.ticket = runtime, ticket

    async def run(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Run *model* once; see the runtime's own ``run``."""
        return await self._runtime.run(model, inputs, ticket=self.ticket, **options)

    def call(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Do ``run`` from a plain function."""
        return self._runtime.call(model, inputs, ticket=self.ticket, **options)


__all__ = ["NOBODY", "Bound"]
