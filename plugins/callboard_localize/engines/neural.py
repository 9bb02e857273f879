"""Neural translation by model packs through the one runtime: Marian, M2M100 and NLLB, by CTranslate2 or torch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, find_packs, locate

from callboard_localize.engines import Hints, Line, Method, Text
from callboard_localize.engines.languages import TWO, nearest, parse

if TYPE_CHECKING:
    from callboard.context import Context

TASK: Final = "translate"
_FAMILIES: Final = ("marian", "plain", "nllb", "m2m100")
"""Made for one pair goes before made for many."""
_STYLES: Final = (("[", "]"), ("{", "}"), ("%", ""), ("7007", ""))
"""What may stand for a mark: which of them a model leaves alone is tried out, since it depends on what it read."""
_PROBE: Final = "{0} Maria, {1} Paris {2}."
_chosen: Final[dict[tuple[str, str, str], tuple[str, str]]] = {}
"""The marks that were chosen, by the pack's digest and the languages."""


def translators() -> dict[str, Pack]:
    """Give the translation packs whose files are here, by name."""
    found = {}
    for name, pack in sorted(find_packs().items()):
        if pack.task == TASK:
            with contextlib.suppress(ModelMissing):
                locate(pack)
                found[name] = pack
    return found


def codes(pack: Pack, source: str, target: str) -> tuple[str, str] | None:
    """Say how *pack* calls two languages; ``None`` where it does not translate between them.

    ``options.languages`` holds the codes of a model that takes any pair of them, and ``eng>spa`` for one direction.
    """
    listed = pack.options.get("languages", ())
    names = (listed,) if isinstance(listed, str) else listed if isinstance(listed, tuple) else ()
    for entry in names:
        first, arrow, second = entry.partition(">")
        if arrow and nearest(source, (first,), plain=True) and nearest(target, (second.strip(">< "),), plain=True):
            return first, second
    free = tuple(name for name in names if ">" not in name)
    one, other = nearest(source, free), nearest(target, free)
    return (one, other) if one and other and one != other else None


def find(source: str, target: str, context: Context, name: str = "") -> Neural | None:
    """Make the engine for a pair; ``None`` where no pack that is here translates it.

    Raises:
        JobError: *name* is not that of a translation pack that is here.
    """
    packs = translators()
    if name and name not in packs:
        known = ", ".join(("auto", "neural", "apertium", "service", *packs))
        raise JobError(f"there is no translation engine or model pack {name!r} here; there are: {known}")
    fitting = [(pack, pair) for pack in packs.values() if (pair := codes(pack, source, target))]
    fitting = [(pack, pair) for pack, pair in fitting if not name or pack.name == name]
    if not fitting:
        return None
    pack, pair = min(fitting, key=lambda each: _order(each[0]))
    return Neural(pack, pair, context)


def _order(pack: Pack) -> tuple[int, str]:
    family = str(pack.options.get("family", ""))
    return (_FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES), pack.name)


def advice(source: str, target: str) -> str:
    """Say how a person adds a model for a pair; licences included, since not every model may be used for money."""
    first, second = (TWO.get(parse(tag).language, parse(tag).language) for tag in (source, target))
    return (
        f"look on the hub for opus-mt-{first}-{second} in CTranslate2's format (mostly CC-BY-4.0), or take M2M100 "
        "(MIT) or NLLB (CC-BY-NC-4.0: not for commercial work); then callboard models add-hub OWNER/NAME. "
        "'callboard models add-hub --recommended' lists some."
    )


class Neural:
    """Translates with one model pack."""

    method: Method = "neural"
    batch = 64
    separate = True

    def __init__(self, pack: Pack, pair: tuple[str, str], context: Context) -> None:
        """Take a pack and its codes for source and target; nothing is loaded yet."""
        self._pack, self._pair, self._context = pack, pair, context

    @property
    def name(self) -> str:
        """The pack with its version, such as ``opus-mt-en-es 0a1b2c3d4e5f (ctranslate2)``."""
        return f"{self._pack.name} {self._pack.version} ({self._pack.engine})"

    def mark(self, number: int) -> str:
        """Give the mark that this model left alone when it was tried."""
        before, after = self._style()
        return f"{before}{number}{after}"

    def _style(self) -> tuple[str, str]:
        key = (self._pack.digest, *self._pair)
        if key not in _chosen:
            probes = [_PROBE.format(*(f"{a}{n}{b}" for n in range(3))) for a, b in _STYLES]
            answers = self._write(probes)
            kept = [
                sum(text.count(f"{a}{n}{b}") == 1 for n in range(3))
                for (a, b), text in zip(_STYLES, answers, strict=True)
            ]
            _chosen[key] = _STYLES[kept.index(max(kept))]
        return _chosen[key]

    def translate(self, lines: Sequence[Line], hints: Hints) -> list[Text]:
        """Translate the lines in batches of like length; each answer is made of its own line alone.

        Raises:
            ModelMissing: the pack is not here any more.
            JobError: the model refuses a text.
        """
        return list(self._write([" ".join(line.text.split()) for line in lines]))

    def _write(self, texts: Sequence[str]) -> Iterator[Text]:
        if not texts:
            return
        source, target = self._pair
        answer = self._context.runtime.call(self._pack.name, {}, texts=list(texts), source=source, target=target)
        rows = zip(
            cast("list[str]", answer["texts"]),
            cast("list[float]", answer["scores"]),
            cast("list[bool]", answer["cut"]),
            strict=True,
        )
        for text, score, cut in rows:
            yield Text(text, confidence=0.0 if cut else min(1.0, math.exp(score)))


__all__ = ["TASK", "Neural", "advice", "codes", "find", "translators"]
