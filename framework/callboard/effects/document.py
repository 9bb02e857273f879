"""``clip.mov.callboard.json``: everything that is known of an asset, in bytes that depend on that alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from callboard_schemas import Asset, Proposal, Tags

from callboard.effects.atomic import sha256

SCHEMA = "urn:callboard:sidecar:1.0"

_CHECKSUM = re.compile(rb'\n "checksum": "([0-9a-f]{64})",')


def document(asset: Asset, proposals: Sequence[Proposal]) -> bytes:
    """Write the document; its ``checksum`` is the sha256 of the same document without that line."""
    ordered = sorted(proposals, key=lambda proposal: (proposal.result, proposal.provenance.plugin, proposal.id))
    content = {
        "schema": SCHEMA,
        "asset": asset,
        "facts": _facts(ordered),
        "proposals": [_readable(proposal) for proposal in ordered],
    }
    text = msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=1) + b"\n"
    return text.replace(b"{", b'{\n "checksum": "%s",' % sha256(text).encode(), 1)


def is_document(data: bytes) -> bool:
    """Tell whether *data* is a document of ours that nobody has changed since."""
    found = _CHECKSUM.match(data, 1)
    return found is not None and sha256(data[:1] + data[found.end() :]) == found[1].decode()


def _facts(proposals: Sequence[Proposal]) -> dict[str, object]:
    """Technical facts by plugin, from tags that stand."""
    return {
        proposal.provenance.plugin: proposal.body.facts
        for proposal in proposals
        if isinstance(proposal.body, Tags) and proposal.body.facts and proposal.state in ("accepted", "proposed")
    }


def _readable(proposal: Proposal) -> object:
    """A proposal as builtins, without the asset that the document names once."""
    built: dict[str, object] = msgspec.to_builtins(proposal)
    built.pop("asset", None)
    return built


__all__ = ["SCHEMA", "document", "is_document"]
