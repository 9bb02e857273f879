"""Effects: what acceptance leaves behind. Sidecars beside media, brought in line with what was decided.

``sync`` is the whole interface: it looks at the states of an asset's proposals, at what was written before and at what
is on disk, and closes the gap. Source media is never opened for writing, and what a person wrote is never lost.
"""

from callboard.effects.align import sync
from callboard.effects.atomic import sweep
from callboard.effects.ledger import Ledger, MemoryLedger, Written
from callboard.effects.names import Subject

__all__ = ["Ledger", "MemoryLedger", "Subject", "Written", "sweep", "sync"]
