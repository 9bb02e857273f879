"""Localization: captions in other languages that keep every cue where it was. Imports nothing heavy until a job."""
