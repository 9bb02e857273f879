"""The policy: what may be accepted without a person, per kind of plugin."""

from __future__ import annotations

from typing import Literal

from callboard_schemas import Captions, Manifest, Provenance, Result, Translation

from callboard.config import Policy

Acceptance = Literal["none", "policy", "all"]
"""What a run accepts: nothing, what the policy allows, or everything (a person says so on the command line)."""


def accepts(
    policy: Policy, manifest: Manifest | None, provenance: Provenance, result: Result, acceptance: Acceptance = "policy"
) -> str:
    """Say who accepts a result: ``policy``, ``command line``, or nobody (an empty string).

    ``analyse`` is accepted from its threshold on; ``transform`` and ``generate`` wait for a person unless the
    command line says otherwise. A fallback always waits, and so does a result with a cue that must not ship unseen.
    """
    if acceptance == "none":
        return ""
    if acceptance == "all":
        return "command line"
    rule = {"analyse": policy.analyse, "transform": policy.transform, "generate": policy.generate}[provenance.kind]
    if rule == "ask" or provenance.fallback or _has_failed(result):
        return ""
    if rule == "accept":
        return "policy"
    threshold = policy.thresholds.get(provenance.plugin, manifest.threshold if manifest else 1.0)
    return "policy" if result.confidence >= threshold else ""


def _has_failed(result: Result) -> bool:
    """Say whether a cue must not ship before a person has said so."""
    return isinstance(result, Captions | Translation) and any(cue.failed for cue in result.cues)
