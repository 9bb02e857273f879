"""JSON with everything: cues, words, confidences, flags. What is read is what was written."""

from __future__ import annotations

import msgspec
from callboard_schemas import Captions, Translation
from msgspec import Struct

from callboard.known_types import know
from callboard.timedtext.document import Document, of_result
from callboard.timedtext.formats.decoding import check_size
from callboard.timedtext.formats.reading import MOST_CUES, Reading

NAME = "callboard-subtitles-1"


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: a document, under the name and number of this format."""

    schema: str
    document: Document


def words(document: Document) -> bytes:
    """Write a document, notes left out; UTF-8, indented."""
    bare = msgspec.structs.replace(document, notes=(), format="")
    return msgspec.json.format(msgspec.json.encode(_File(schema=NAME, document=bare)), indent=1) + b"\n"


def read_words(data: bytes, reading: Reading) -> Document:
    """Read what ``words`` wrote, or captions or a translation as messages hold them.

    Raises:
        SubtitleError: it is neither.
    """
    check_size(data, reading)
    try:
        named = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "schema" in named:
            found = msgspec.json.decode(data, type=_File)
            document = found.document
            if found.schema != NAME:
                raise reading.refuse(1, f"its schema is {found.schema[:40]!r}, not {NAME!r}")
        else:
            document = of_result(msgspec.json.decode(data, type=Captions | Translation))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise reading.refuse(1, f"is no JSON of subtitles: {error}") from None
    if len(document.cues) > MOST_CUES:
        raise reading.refuse(0, f"more than {MOST_CUES} cues")
    late = next((cue for cue in document.cues if cue.end < cue.start), None)
    if late is not None:
        raise reading.refuse(0, f"cue {late.id} ends before it starts")
    return document


know(_File, Captions | Translation)

__all__ = ["NAME", "read_words", "words"]
