"""One call of a model that takes its time: followed step by step, and let go of when the job is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from callboard.context import Arrays

    from callboard_placeholder.engine import Bench

_LOOK: Final = 0.2
"""Seconds between two looks whether the job still goes on."""
_SHARE: Final = 0.9
"""Of a version's time: the rest is for moving and writing it."""


def ask(bench: Bench, model: str, inputs: Arrays, options: dict[str, Any]) -> dict[str, Any]:
    """Run *model* once, saying how far it is.

    Raises:
        JobError: inputs or options are wrong.
        Blocked: the model, or memory for it, is not here.
    """
    return asyncio.run(_ask(bench, model, inputs, options))


async def _ask(bench: Bench, model: str, inputs: Arrays, options: dict[str, Any]) -> dict[str, Any]:
    far = [0.0]

    def follow(fraction: float) -> None:
        far[0] = fraction

    call = asyncio.ensure_future(bench.context.runtime.run(model, inputs, progress=follow, **options))
    try:
        while not call.done():
            bench.progress(far[0] * _SHARE, f"{model} draws")
            await asyncio.wait({call}, timeout=_LOOK)
        result = call.result()
        bench.progress(_SHARE, f"{model} draws")
        return result
    finally:
        if not call.done():  # the job was cancelled: the model is told, and stops behind its next step
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)


__all__ = ["ask"]
