"""What is missing: timelines, projects and shot lists held against what is on disk."""

from callboard.coverage.cut import STATES, Cut, Frames, Item, Look, Reader, State
from callboard.coverage.headers import Headers, reading
from callboard.coverage.readers import read_cut
from callboard.coverage.report import Coverage, Total, cover

__all__ = [
    "STATES",
    "Coverage",
    "Cut",
    "Frames",
    "Headers",
    "Item",
    "Look",
    "Reader",
    "State",
    "Total",
    "cover",
    "read_cut",
    "reading",
]
