"""The project's names and terms: how they are spelled, how they sound, and what they are called in other languages.

``glossary.toml`` beside ``callboard.toml`` holds them. Plugins whose manifest says ``glossary = true`` are handed it as
``context.glossary``; its digest is part of their jobs' keys.
"""

from callboard.glossary.terms import Glossary, Term

__all__ = ["Glossary", "Term"]
