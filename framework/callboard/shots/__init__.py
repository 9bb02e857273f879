"""Shots: which file is of which, what arrived for a placeholder, and what took whose place."""

from callboard.shots.naming import Match, best, check_pattern, of_name, version_of

__all__ = ["Match", "best", "check_pattern", "of_name", "version_of"]
