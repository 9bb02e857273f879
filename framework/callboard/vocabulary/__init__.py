"""A studio's own words: concepts with synonyms, languages and hierarchy, and what tags become of them."""

from callboard.errors import VocabularyError
from callboard.vocabulary.concepts import MODEL, Concept, Vocabulary, Words, words_of
from callboard.vocabulary.reading import check, load, parse
from callboard.vocabulary.resolving import resolve
from callboard.vocabulary.shelf import FOLDER, Shelf, Standing, read_compiled
from callboard.vocabulary.words import fold

__all__ = [
    "FOLDER",
    "MODEL",
    "Concept",
    "Shelf",
    "Standing",
    "Vocabulary",
    "VocabularyError",
    "Words",
    "check",
    "fold",
    "load",
    "parse",
    "read_compiled",
    "resolve",
    "words_of",
]
