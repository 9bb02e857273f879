"""Which engine a pair of languages gets, and what to install where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from callboard.errors import JobError, NoTranslator

from callboard_localize.engines import Engine, apertium, neural, service
from callboard_localize.engines.languages import same

if TYPE_CHECKING:
    from callboard.context import Context

KINDS: Final = ("neural", "apertium", "service")
"""In the order of preference; a service only where a project has configured one."""


def choose(source: str, target: str, context: Context, engine: str = "auto") -> Engine:
    """Make the best engine that is here for a pair of languages; ``engines.choose`` says more.

    Raises:
        NoTranslator: none is here; the error says what to install.
        JobError: there is nothing to translate, or *engine* is not known.
    """
    if same(source, target):
        raise JobError(f"there is nothing to translate from {source} to {target}: they are one language")
    for kind in KINDS if engine == "auto" else (engine,):
        found = _find(kind, source, target, context)
        if found is not None:
            return found
    raise NoTranslator(source, target, tuple(advice(source, target, engine)))


def _find(kind: str, source: str, target: str, context: Context) -> Engine | None:
    """Make an engine of one kind for a pair; ``None`` where there is none of it."""
    if kind == "apertium":
        return apertium.find(source, target, context.log)
    if kind == "service":
        return service.find(source, target, context)
    return neural.find(source, target, context, "" if kind == "neural" else kind)


def advice(source: str, target: str, engine: str = "auto") -> Iterator[str]:
    """Say what to install for a pair, most local first."""
    if engine in ("auto", "apertium"):
        needed = apertium.packages(source, target)
        core = [] if apertium.data_folder() else ["apertium"]
        if needed:
            yield f"For a rough draft by rules: sudo apt-get install {' '.join((*core, *needed))}"
        elif engine == "apertium":
            yield "Apertium has no way between these languages."
    if engine not in ("apertium", "service"):
        yield f"For a neural model: {neural.advice(source, target)}"
    if engine in ("auto", "service"):
        yield "Or a service you choose, by the plugin's service_url and service_model; text then leaves the machine."


__all__ = ["KINDS", "advice", "choose"]
