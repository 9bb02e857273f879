"""One translation: texts locked and translated, fitted to the delivery, checked, and put back into their cues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Literal

from callboard.errors import ProfileError
from callboard.glossary import Glossary
from callboard.timedtext.profile import Profile, is_path, load, names
from callboard.timedtext.rate import parse_rate
from callboard_schemas import Captions, Cue, Translation
from msgspec import Struct
from msgspec.structs import replace

from callboard_localize.checks import Checks, Finding, Pair, of_lock, summed_up, trust
from callboard_localize.engines import Engine, Hints
from callboard_localize.lock import Lock, Locked
from callboard_localize.marks import Marks
from callboard_localize.masks import Masker, shown
from callboard_localize.names import names_in
from callboard_localize.refit import Fitted, Fitting, refit
from callboard_localize.terms import Terms
from callboard_localize.tongue import Tongues

Progress = Callable[[float], None]
_OWN_DOUBT: Final = 0.3
"""What an engine's own doubt adds to the risk at most: it cannot be compared between engines."""
_SAMPLE: Final = 400
"""Cues that a language is guessed from."""


class Options(Struct, frozen=True, kw_only=True):
    """How a project wants its translations."""

    profile: str = ""
    """Empty is the one that the captions were laid out for, else ``web``."""
    context_lines: int = 3
    join_sentences: bool = True
    borrow_seconds: float = 1.0
    formal: Literal["auto", "formal", "informal"] = "auto"
    least_back: float = 0.3
    required: tuple[str, ...] = ()
    """``LANGUAGE: TEXT`` that must stand somewhere."""


class Texts(Struct, frozen=True, kw_only=True):
    """What there is to translate."""

    captions: Captions | None = None
    description: str = ""
    labels: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.captions is not None and self.captions.cues) and not self.description and not self.labels

    def sample(self) -> str:
        """Give enough of it to guess its language from."""
        cues = self.captions.cues if self.captions is not None else ()
        said = [shown(line, styled=cue.styled) for cue in islice(cues, _SAMPLE) for line in cue.lines]
        return " ".join([*said, self.description, *self.labels])


class Translator:
    """Translates with one engine; another one for the way back is only for checking."""

    def __init__(
        self,
        engine: Engine,
        back: Engine | None = None,
        options: Options | None = None,
        glossary: Glossary | None = None,
        tongues: Tongues | None = None,
    ) -> None:
        self._engine, self._back = engine, back
        self._options = options or Options()
        self._glossary = glossary
        self._tongues = tongues or Tongues()

    def translate(self, texts: Texts, source: str, target: str, progress: Progress = lambda _: None) -> Translation:
        """Translate *texts* from one language into another, both BCP 47.

        Returns:
            A translation whose cues are those of the captions: same number, order, ids and starts. An end is later
            where time was borrowed from a gap. What was not translated is in its own language and says so.

        Raises:
            Blocked: an engine cannot be reached.
            JobError: the engine answers nothing.
            ProfileError: there is no such delivery profile.
        """
        captions = texts.captions
        cues = captions.cues if captions is not None else ()
        terms = Terms(source, target, self._glossary, speakers(cues))
        made = self._cues(captions, source, target, terms, progress) if captions is not None else []
        description, labels = self._others(texts, source, target, terms)
        return Translation(
            source_language=source,
            language=target,
            cues=tuple(made),
            confidence=_confidence(made, self._trust),
            engine=self._engine.name,
            method=self._engine.method,
            profile=self._profile(captions, target).name if captions is not None else "",
            rate=captions.rate if captions is not None else "",
            description=description,
            labels=labels,
        )

    @property
    def _trust(self) -> float:
        return trust(self._engine.method, getattr(self._engine, "links", 1))

    def _profile(self, captions: Captions, target: str) -> Profile:
        if not self._options.profile and is_path(captions.profile):
            raise ProfileError(captions.profile, "captions name a profile, never a file", names())
        return load(self._options.profile or captions.profile or "web", target)

    def _cues(self, captions: Captions, source: str, target: str, terms: Terms, progress: Progress) -> list[Cue]:
        cues = captions.cues
        hints = self._hints(terms, " ".join(line for cue in cues for line in cue.lines))
        masker = Masker(Marks(self._engine.mark), terms)
        lock = Lock(self._engine, masker, hints, self._options.context_lines)
        locked = lock.translate(cues, source, join=self._options.join_sentences, progress=progress)
        fitting = Fitting(
            profile=self._profile(captions, target),
            language=target,
            rate=parse_rate(captions.rate) if captions.rate else None,
            borrow=self._options.borrow_seconds,
            duration=captions.duration,
        )
        fitted = refit(cues, [one.turns for one in locked], fitting)
        backs = self._backs(cues, locked, source, target)
        names = names_in((shown(" ".join(cue.lines), styled=cue.styled) for cue in cues), source)
        checks = Checks(Pair(terms, names, self._options.least_back), self._tongues)
        made: list[Cue] = []
        for cue, one, fit, back in zip(cues, locked, fitted, backs, strict=True):
            found = [] if one.kept else checks.findings(cue, fit.lines, back)
            made.append(self._cue(cue, one, fit, found, source))
        return self._required(made, target)

    def _cue(self, cue: Cue, locked: Locked, fit: Fitted, found: Sequence[Finding], source: str) -> Cue:
        """Put a text into its cue: nothing but the text, the end and what is said about them is new."""
        findings = [*of_lock(locked.flags, locked.failed), *found]
        if not locked.kept:
            findings += [Finding(problem, 0.4, fails=True) for problem in fit.problems]
        base = self._trust + _OWN_DOUBT * locked.doubt if _translated(cue, locked) else 0.0
        risk = summed_up(findings, base)
        return replace(
            cue,
            lines=cue.lines if locked.kept else fit.lines,
            end=cue.end if locked.kept else fit.end,
            words=(),
            heard=None,
            repairs=(),
            confidence=round(1.0 - risk, 4),
            no_speech=0.0,
            flags=tuple(dict.fromkeys(one.text for one in findings if not one.fails)),
            failed=tuple(dict.fromkeys(one.text for one in findings if one.fails)),
            language=(cue.language or source) if locked.kept else None,
            risk=risk,
        )

    def _hints(self, terms: Terms, said: str) -> Hints:
        formal = {"auto": None, "formal": True, "informal": False}[self._options.formal]
        synopsis = self._glossary.synopsis if self._glossary else ""
        return Hints(synopsis=synopsis, terms=tuple(terms.said_in(said).items()), formal=formal)

    def _backs(self, cues: Sequence[Cue], locked: Sequence[Locked], source: str, target: str) -> list[str | None]:
        """Translate what was translated back again, where an engine is here for that."""
        if self._back is None:
            return [None] * len(cues)
        there = [
            replace(cue, lines=one.turns) if _translated(cue, one) else replace(cue, lines=())
            for cue, one in zip(cues, locked, strict=True)
        ]
        lock = Lock(self._back, Masker(Marks(self._back.mark), Terms(target, source)), None, 0)
        came = lock.translate(there, target, join=self._options.join_sentences)
        return [
            None if one.kept or not cue.lines else shown(" ".join(one.turns), styled=cue.styled)
            for cue, one in zip(there, came, strict=True)
        ]

    def _others(self, texts: Texts, source: str, target: str, terms: Terms) -> tuple[str, dict[str, str]]:
        """Translate a description and labels, each as a line of its own; one that cannot be is left out."""
        lines = [line for line in (texts.description, *texts.labels) if line.strip()]
        if not lines:
            return "", {}
        cues = [Cue(id=at, start=0.0, end=0.0, lines=(line,), confidence=1.0) for at, line in enumerate(lines, 1)]
        masker = Masker(Marks(self._engine.mark), terms)
        lock = Lock(self._engine, masker, self._hints(terms, " ".join(lines)), 0)
        came = lock.translate(cues, source, join=False)
        said = {line: "\n".join(one.turns) for line, one in zip(lines, came, strict=True) if not one.kept}
        return said.get(texts.description, ""), {label: said[label] for label in texts.labels if label in said}

    def _required(self, cues: list[Cue], target: str) -> list[Cue]:
        """Fail the last cue for wording that must stand somewhere and does not: credits stand at the end."""
        if not cues:
            return cues
        text = " ".join(shown(" ".join(cue.lines), styled=cue.styled) for cue in cues)
        for rule in self._options.required:
            language, _, wording = (part.strip() for part in rule.partition(":"))
            if (
                wording
                and f"{target}-".lower().startswith(f"{language}-".lower())
                and wording.casefold() not in text.casefold()
            ):
                last = cues[-1]
                cues[-1] = replace(last, failed=(*last.failed, f"required wording is in no cue: {wording!r}"), risk=1.0)
        return cues


def _translated(cue: Cue, locked: Locked) -> bool:
    return not locked.kept and any(char.isalpha() for line in cue.lines for char in line)


def speakers(cues: Sequence[Cue]) -> list[str]:
    """Give the names of those who speak in *cues*: words with a capital, not roles such as MAN."""
    named = {cue.speaker for cue in cues if cue.speaker}
    return sorted(name for name in named if name.isalpha() and name[0].isupper() and not name.isupper())


def _confidence(cues: Sequence[Cue], base: float) -> float:
    """Give the confidence of the whole: that of its cues, by how much they say."""
    weights = [max(sum(map(len, cue.lines)), 1) for cue in cues]
    if not weights:
        return round(1.0 - base, 4)
    mean = sum(weight * cue.confidence for weight, cue in zip(weights, cues, strict=True)) / sum(weights)
    return round(min(max(mean, 0.0), 1.0), 4)


__all__ = ["Options", "Progress", "Texts", "Translator", "speakers"]
