"""The project's names and terms: how they are spelled, how they sound, and what they are called in other languages.

``glossary.toml`` beside ``callboard.toml`` holds them. Plugins whose manifest says ``glossary = true`` are handed it as
``context.glossary``; its digest is part of their jobs' keys.
"""

from callboard.errors import GlossaryError
from callboard.glossary.finding import Breach, Found, banned, find, obeyed
from callboard.glossary.reading import check, load, parse
from callboard.glossary.shelf import FOLDER, Shelf, Standing, read_compiled
from callboard.glossary.terms import MODEL, Glossary, Term

__all__ = [
    "FOLDER",
    "MODEL",
    "Breach",
    "Found",
    "Glossary",
    "GlossaryError",
    "Shelf",
    "Standing",
    "Term",
    "banned",
    "check",
    "find",
    "load",
    "obeyed",
    "parse",
    "read_compiled",
]
