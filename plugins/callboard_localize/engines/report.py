"""Which engines are here, as ``callboard doctor`` asks it: run as a program, with JSON on stdin and stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
from callboard_schemas import Parameters
from msgspec import Struct

from callboard_localize.engines import apertium, neural, service
from callboard_localize.engines.choosing import KINDS, advice
from callboard_localize.engines.languages import same


class Asked(Struct, frozen=True):
    """What the doctor asks."""

    parameters: Parameters
    languages: tuple[str, ...]
    """BCP 47: what accepted captions are in."""


class Finding(Struct, frozen=True):
    """What the doctor is told; ``callboard.checkups`` says more."""

    what: str
    level: str
    found: str
    mend: str = ""


def findings(asked: Asked) -> Iterator[Finding]:
    """Say which engines are here, and for which known pair of languages none is.

    A pair is known where accepted captions are in one language and the settings ask for the other.
    """
    engine = str(asked.parameters["engine"])
    modes = sorted({mode.shown for mode in apertium.installed() if "_" not in mode.target})
    rules = f"Apertium {apertium.version()}, {', '.join(modes)}" if modes else "no Apertium"
    packs = neural.translators()
    models = f"neural packs {', '.join(packs)}" if packs else "no neural pack"
    serving = "; a service" if service.settings_of(asked.parameters).url else ""
    here = modes or packs or serving
    mend = "" if here else "Only needed to translate: docs/localization.md says what to install."
    yield Finding("translation", "ok" if here else "note", f"{rules}; {models}{serving}", mend)
    wanted = asked.parameters["languages"]
    for target in wanted if isinstance(wanted, list) else ():
        for source in asked.languages:
            if not same(source, target) and not _possible(source, target, engine, asked.parameters):
                found = f"no engine here translates {source} to {target}, which the settings ask for"
                yield Finding("translation", "problem", found, next(advice(source, target, engine), ""))


def _possible(source: str, target: str, engine: str, parameters: Parameters) -> bool:
    for kind in KINDS if engine == "auto" else (engine,):
        if kind == "apertium":
            found = bool(apertium.route(source, target, apertium.installed()))
        elif kind == "service":
            found = bool(service.settings_of(parameters).url)
        else:
            packs = neural.translators().values()
            found = any(neural.codes(pack, source, target) for pack in packs if kind in ("neural", pack.name))
        if found:
            return True
    return False


if __name__ == "__main__":
    print(msgspec.json.encode(list(findings(msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)))).decode())

__all__ = ["Asked", "Finding", "findings"]
