"""A strict stand-in for Resolve's scripting API, made from the contract, for tests and for recordings.

It is no Resolve: it knows the calls of ``contract.toml`` and the traps named there, and raises on anything else.
"""

from __future__ import annotations

from callboard_resolve.rehearsal.stage import NotInContract, Stage, Terms

__all__ = ["NotInContract", "Stage", "Terms"]
