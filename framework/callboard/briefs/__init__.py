"""Briefs of missing shots, filled where nobody said anything; each guess says why it says what it says."""

from callboard.briefs.beside import beside, neighbour_of
from callboard.briefs.filling import DEFAULT, fill, size_beside, steps
from callboard.briefs.headings import Heading, is_heading, read_heading

__all__ = ["DEFAULT", "Heading", "beside", "fill", "is_heading", "neighbour_of", "read_heading", "size_beside", "steps"]
