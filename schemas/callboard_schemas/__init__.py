"""What crosses the bus: msgspec structs only, so that a host can bundle this package."""

from callboard_schemas.envelope import CONTENT_TYPE, SCHEMA_PREFIX, Envelope
from callboard_schemas.events import (
    HostEvent,
    MediaGone,
    MediaRenamed,
    MediaSettled,
    Parameters,
    PlaceholderRequested,
    Request,
    RootState,
    Scalar,
)
from callboard_schemas.hosts import Command, CommandReceipt, Presence
from callboard_schemas.jobs import Job, JobDone, JobFailed, JobState, Outcome, Progress
from callboard_schemas.manifest import Manifest, Parameter
from callboard_schemas.media import Asset, MediaKind, Place, Sequence
from callboard_schemas.paths import decode_path, encode_path
from callboard_schemas.registry import MESSAGE_TYPES, MessageType
from callboard_schemas.results import (
    Captions,
    Cue,
    Evidence,
    Failure,
    Kind,
    Placeholder,
    Print,
    Prints,
    Provenance,
    Result,
    Tag,
    Tags,
    Translation,
    Word,
)
from callboard_schemas.review import Decision, Proposal, ProposalState, Receipt

__all__ = [
    "CONTENT_TYPE",
    "MESSAGE_TYPES",
    "SCHEMA_PREFIX",
    "Asset",
    "Captions",
    "Command",
    "CommandReceipt",
    "Cue",
    "Decision",
    "Envelope",
    "Evidence",
    "Failure",
    "HostEvent",
    "Job",
    "JobDone",
    "JobFailed",
    "JobState",
    "Kind",
    "Manifest",
    "MediaGone",
    "MediaKind",
    "MediaRenamed",
    "MediaSettled",
    "MessageType",
    "Outcome",
    "Parameter",
    "Parameters",
    "Place",
    "Placeholder",
    "PlaceholderRequested",
    "Presence",
    "Print",
    "Prints",
    "Progress",
    "Proposal",
    "ProposalState",
    "Provenance",
    "Receipt",
    "Request",
    "Result",
    "RootState",
    "Scalar",
    "Sequence",
    "Tag",
    "Tags",
    "Translation",
    "Word",
    "decode_path",
    "encode_path",
]
