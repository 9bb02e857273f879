"""Cues with a translation that is known, to measure localization by."""
