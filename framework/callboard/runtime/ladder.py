"""Runs one batch, and says what is to become of each of its calls: answered, run again by itself, or failed."""

from __future__ import annotations

import time
from typing import Any

from msgspec import Struct

from callboard.errors import JobError, ModelFault
from callboard.packs import Pack
from callboard.runtime import NoMemory
from callboard.runtime.calls import Batch, Piece
from callboard.runtime.gather import join, not_finite, require_rows, split


class Outcome(Struct):
    """What a batch came to."""

    answers: list[tuple[Piece, dict[str, Any]]] = []
    failed: list[tuple[Piece, BaseException]] = []
    again: list[Piece] = []
    """To be run by themselves: one of them made the batch fail."""
    short: bool = False
    """Memory ran out; nothing was answered."""
    seconds: float = 0.0


def run(pack: Pack, batch: Batch) -> Outcome:
    """Run *batch* in its session; never raises."""
    pieces = batch.pieces
    try:
        joined = join([piece.inputs for piece in pieces], pack.batch.pad if pack.batch is not None else {})
        began = time.perf_counter()
        outputs = batch.session.run(joined, pieces[0].call.options, batch.control)
        seconds = time.perf_counter() - began
        if pieces[0].call.kind is not None:
            require_rows(pack.name, outputs, batch.rows)
        return _sort(pack, batch, outputs, seconds)
    except (NoMemory, MemoryError):
        return Outcome(short=True)
    except ModelFault as error:
        return Outcome(failed=[(piece, error) for piece in pieces])
    except BaseException as error:  # noqa: BLE001 - whatever an engine raises is that call's answer
        if len(pieces) > 1 and (isinstance(error, JobError) or not hasattr(error, "code")):
            return Outcome(again=pieces)
        return Outcome(failed=[(piece, error) for piece in pieces])


def _sort(pack: Pack, batch: Batch, outputs: dict[str, Any], seconds: float) -> Outcome:
    """Take the outputs apart, and tell good answers from those that hold NaN or infinity."""
    pieces = batch.pieces
    trim = pack.batch.trim if pack.batch is not None else ()
    answers = list(zip(pieces, split(outputs, [piece.size for piece in pieces], trim), strict=True))
    outcome = Outcome(seconds=seconds)
    if pack.options.get("allow_nan") or not not_finite(outputs):
        outcome.answers = answers
        return outcome
    for piece, answer in answers:
        bad = not_finite(answer)
        if not bad or not_finite(piece.inputs):
            outcome.answers.append((piece, answer))
        elif len(pieces) > 1:
            outcome.again.append(piece)  # the fault may be a neighbour's
        else:
            outcome.failed.append(
                (piece, ModelFault(pack.name, bad, "holds NaN or infinity though the inputs are finite"))
            )
    return outcome


__all__ = ["Outcome", "run"]
