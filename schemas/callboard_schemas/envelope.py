"""The envelope: a CloudEvents 1.0.2 event in structured JSON, with the attributes Callboard adds.

Source of the rules: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

Name = Annotated[str, Meta(min_length=1, max_length=256)]
"""A short identifier."""

CONTENT_TYPE = "application/cloudevents+json"
"""The content type of an event in structured mode."""

SCHEMA_PREFIX = "urn:callboard:schema:"
"""``dataschema`` is this prefix, the event type, a colon and ``MAJOR.MINOR``."""


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One immutable fact.

    ``source`` + ``id`` name the event; the same pair twice is the same event.
    ``correlationid`` is the run that everything one trigger caused shares, ``causationid`` the event
    that caused this one, ``hops`` how many events stand between this one and the trigger.
    """

    specversion: Literal["1.0"]
    id: Name
    source: Annotated[str, Meta(min_length=1, max_length=1024)]
    type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*)+$", max_length=128)]
    time: Annotated[datetime, Meta(tz=True)] | None = None
    subject: Annotated[str, Meta(max_length=4096)] | None = None
    datacontenttype: Literal["application/json"] | None = None
    dataschema: Annotated[str, Meta(max_length=256)] | None = None
    correlationid: Name | None = None
    causationid: Name | None = None
    hops: Annotated[int, Meta(ge=0, le=2147483647)] = 0
    data: Raw = Raw(b"null")
