"""Jobs: one plugin on one event, and how it went."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.events import Parameters
from callboard_schemas.media import Asset
from callboard_schemas.results import AnyResult, Failure, Provenance

JobKey = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
"""sha256 over plugin, plugin version, parameters, model digests and asset digest: see ``job_key``."""


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plugin process is asked to do."""

    key: JobKey
    plugin: Name
    event: Raw
    """The envelope that caused it, as JSON."""
    asset: Asset | None = None
    path: str | None = None
    """Where the asset is on this machine: absolute, percent-encoded by ``encode_path``; never on the bus."""
    parameters: Parameters = {}
    models: dict[str, str] = {}
    """Digests of the model packs that its key names, by name."""
    vocabulary: str | None = None
    """Where the compiled vocabulary that its key names is on this machine: absolute; never on the bus."""
    glossary: str | None = None
    """The same for the compiled glossary."""
    attempt: Annotated[int, Meta(ge=1)] = 1
    deadline: Annotated[float, Meta(gt=0)] = 600.0
    """Seconds of wall time before the process is killed."""
    urgent: bool = False
    """A person waits for it: it goes before what nobody waits for."""


class JobDone(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="outcome", tag="done"):
    """The plugin answered; no results is an answer too."""

    key: JobKey
    results: tuple[AnyResult, ...]
    provenance: Provenance
    seconds: float = 0.0


class JobFailed(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="outcome", tag="failed"):
    """The plugin did not answer."""

    key: JobKey
    failure: Failure
    seconds: float = 0.0


Outcome = JobDone | JobFailed


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a job is: chatter, never journalled."""

    key: JobKey
    fraction: Annotated[float, Meta(ge=0.0, le=1.0)]
    note: str = ""
    plugin: str = ""
    path: str = ""


class JobState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job changed state, as told on the bus."""

    key: JobKey
    plugin: Name
    state: Literal["queued", "running", "done", "failed", "blocked", "quarantined", "cancelled"]
    run: str = ""
    failure: Failure | None = None
