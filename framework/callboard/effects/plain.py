"""Text that may stand in a sidecar, under the name by which effects know it."""

from callboard.timedtext.plain import lines, one_line

__all__ = ["lines", "one_line"]
