"""Which struct and version each message type has."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from callboard_schemas import events, hosts, jobs, localization, placeholders, results, review


class MessageType(NamedTuple):
    """A message type on the bus."""

    name: str
    struct: type[Struct]
    version: tuple[int, int]
    """Major and minor: a minor only adds fields with defaults, a major may do anything."""


def _types(*rows: tuple[str, type[Struct]]) -> dict[str, MessageType]:
    return {name: MessageType(name, struct, (1, 0)) for name, struct in rows}


MESSAGE_TYPES: dict[str, MessageType] = _types(
    ("media.settled", events.MediaSettled),
    ("media.renamed", events.MediaRenamed),
    ("media.gone", events.MediaGone),
    ("root.offline", events.RootState),
    ("root.online", events.RootState),
    ("tags.requested", events.Request),
    ("captions.requested", events.Request),
    ("captions.accepted", localization.CaptionsAccepted),
    ("translation.requested", localization.TranslationRequested),
    ("placeholder.requested", events.PlaceholderRequested),
    ("shot.arrived", placeholders.ShotArrived),
    ("host.scene.saved", events.HostEvent),
    ("host.scene.loaded", events.HostEvent),
    ("host.scene.changed", events.HostEvent),
    ("host.render.started", events.HostEvent),
    ("host.render.ended", events.HostEvent),
    ("host.playback.started", events.HostEvent),
    ("host.playback.ended", events.HostEvent),
    ("host.presence", hosts.Presence),
    ("host.uses", hosts.HostUses),
    ("host.request", hosts.HostRequest),
    ("host.decided", hosts.HostDecision),
    ("host.command", hosts.Command),
    ("host.receipt", hosts.CommandReceipt),
    ("job.requested", jobs.Job),
    ("job.state", jobs.JobState),
    ("job.progress", jobs.Progress),
    ("result.tags", results.Tags),
    ("result.captions", results.Captions),
    ("result.translation", results.Translation),
    ("result.placeholder", results.Placeholder),
    ("result.swap", placeholders.Swap),
    ("result.failure", results.Failure),
    ("proposal.made", review.Proposal),
    ("proposal.changed", review.Proposal),
    ("review.decided", review.Decision),
    ("effect.receipt", review.Receipt),
)
"""Every message type of this release, by name."""
