"""Ten thousand cue lists through an engine that does everything wrong: none shifts, is lost or goes unsaid."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import pytest
from callboard.errors import JobError
from callboard_localize.checks import Checks, Pair
from callboard_localize.engines import Hints, Line, Method
from callboard_localize.lock import Lock
from callboard_localize.marks import Marks
from callboard_localize.masks import Masker, shown
from callboard_localize.terms import Terms
from callboard_localize.tongue import Tongues
from callboard_localize.translator import Options, Texts, Translator
from callboard_schemas import Captions, Cue

LISTS = 10_000
QUARTERS = 4
"""Parts that are run each for itself, so that a slow machine passes no test's time limit."""
SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu")
PIECES = ("{name}", "%s", "http://a.example/b?c=d", "@ana", "#cut", "1,204.5 km", "$30", "7:45", "B-52", "♪", "<br>")
TONGUES = Tongues()
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TURN = str.maketrans(LETTERS + LETTERS.upper(), "".join(x[13:] + x[:13] for x in (LETTERS, LETTERS.upper())))
MARK = re.compile(r"(⟦\d+⟧)")


def word(number: int) -> str:
    """Spell a number as a word that no other number has, and that is no word turned round."""
    spelled = SYLLABLES[number % 10]
    while number := number // 10:
        spelled += SYLLABLES[number % 10]
    return spelled + "x"


def turned(text: str) -> str:
    """Translate: letters turned by half the alphabet, marks left alone; done twice it gives the source again."""
    return text.translate(TURN)


class BadEngine:
    """Translates well, until it does one of the things that engines do."""

    name, batch = "bad", 4
    method: Method = "service"

    def __init__(self, rng: random.Random, evil: float, *, separate: bool = False) -> None:
        self._rng, self._evil, self.separate = rng, evil, separate
        self.did: Counter[str] = Counter()

    def mark(self, number: int) -> str:
        """Give a mark that turning leaves alone."""
        return f"⟦{number}⟧"

    def translate(self, lines: Sequence[Line], hints: Hints) -> list[str]:
        """Translate *lines*, and spoil some of the answers."""
        answers = [turned(line.text) for line in lines]
        while self._rng.random() < self._evil:
            deed = self._rng.choice(DEEDS)
            self.did[deed.__name__] += 1
            answers = deed(self._rng, answers, lines)
        return answers


Deed = Callable[[random.Random, list[str], Sequence[Line]], list[str]]


def drops(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Leave a line out."""
    gone = rng.randrange(len(answers)) if answers else 0
    return answers[:gone] + answers[gone + 1 :]


def merges(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Put two lines into one, and nothing, or the rest moved up, into the next."""
    if len(answers) < 2:
        return answers
    at = rng.randrange(len(answers) - 1)
    both = f"{answers[at]} {answers[at + 1]}"
    return [*answers[:at], both, *rng.choice(([""], [both], [answers[at + 1]], [])), *answers[at + 2 :]]


def merges_without_marks(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Say in one line what the next one says too, and keep the marks where they belong."""
    if len(answers) == len(lines) > 1:
        at = rng.randrange(len(answers) - 1)
        answers[at] += " " + " ".join(MARK.sub(" ", turned(lines[at + 1].text)).split())
    return answers


def shifts(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Move every line up by one, and make the number right again."""
    return [*answers[1:], answers[-1]] if answers else answers


def reorders(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Give the lines in another order."""
    rng.shuffle(answers)
    return answers


def translates_marks(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Rewrite marks as something else."""
    other = rng.choice(("({})", "<{}>", "[[{}]]", "⟦{}", "⟦x{}⟧", "{}"))
    at = rng.randrange(len(answers)) if answers else 0
    return [re.sub(r"⟦(\d+)⟧", lambda m: other.format(m[1]), a) if n == at else a for n, a in enumerate(answers)]


def empties(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Say nothing, or only what the marks stand for."""
    if answers:
        at = rng.randrange(len(answers))
        answers[at] = rng.choice(("", "  ", "\u200b", "".join(MARK.findall(answers[at]))))
    return answers


def doubles(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Say a line twice, in place of another one or beside it."""
    if not answers:
        return answers
    one, other = rng.randrange(len(answers)), rng.randrange(len(answers))
    if rng.random() < 0.5:
        answers[other] = answers[one]
    else:
        answers.insert(other, answers[one])
    return answers


def adds(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Say more than was asked: a line of its own, or a second one in an answer."""
    if rng.random() < 0.5 or not answers:
        return [*answers, "Urer lbh ner."]
    answers[rng.randrange(len(answers))] += "\nUrer lbh ner."
    return answers


def swaps_marks(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Exchange two marks, of one line or of two."""
    places = [(at, mark) for at, answer in enumerate(answers) for mark in MARK.findall(answer)]
    if len(places) < 2:
        return answers
    (a, one), (b, other) = rng.sample(places, 2)
    answers[a] = answers[a].replace(one, "⟦⟧")
    answers[b] = answers[b].replace(other, one)
    answers[a] = answers[a].replace("⟦⟧", other)
    return answers


def loses_marks(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Forget or repeat a mark."""
    places = [(at, mark) for at, answer in enumerate(answers) for mark in MARK.findall(answer)]
    if places:
        at, mark = rng.choice(places)
        answers[at] = answers[at].replace(mark, rng.choice(("", mark + mark)))
    return answers


def leaks(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Answer with a neighbour that was only there as context."""
    for at in range(min(len(answers), len(lines))):
        near = [*lines[at].before[-1:], *lines[at].after[:1]]
        if near and rng.random() < 0.5:
            answers[at] = turned(rng.choice(near))
    return answers


def refuses(rng: random.Random, answers: list[str], lines: Sequence[Line]) -> list[str]:
    """Raise."""
    raise rng.choice((JobError("too long"), ValueError("the reply is no JSON"), KeyError("choices")))


DEEDS: tuple[Deed, ...] = (
    drops, merges, merges_without_marks, shifts, reorders, translates_marks, empties, doubles, adds, swaps_marks,
    loses_marks, leaks, refuses,
)  # fmt: skip


def some_cues(rng: random.Random) -> tuple[Cue, ...]:
    """Make cues of which no two share a word: dashes, italics, sounds, pieces, sentences that go on."""
    at, number, cues = rng.random(), rng.randrange(1000), []
    begins = True
    for ident in range(1, rng.randint(1, 7)):
        lines = []
        styled = rng.random() < 0.3
        for _ in range(rng.randint(1, 2)):
            words = [word(number := number + 1) for _ in range(rng.randint(1, 6))]
            for _ in range(rng.choice((0, 0, 1, 2))):
                piece = rng.choice(PIECES[:-1] if styled else PIECES)
                words.insert(rng.randint(0, len(words)), piece)
            lines.append(" ".join(words))
        if styled:
            lines = [f"<i>{lines[0]}</i>", *(f"{line} <b>{word(number := number + 1)}</b>" for line in lines[1:])]
        shape = rng.random()
        if shape < 0.15:
            lines = [f"- {line}" for line in lines]
        elif shape < 0.2 and not styled:
            lines[0] = f"[{lines[0].replace('♪', 'x')}]"
        ends = rng.random() < 0.5
        if begins and lines[0][0].isalpha():
            lines[0] = lines[0][0].upper() + lines[0][1:]
        lines[-1] += "." if ends else ""
        begins = ends
        end = at + rng.choice((0.4, 1.0, 2.5))
        cues.append(Cue(id=ident * 3, start=at, end=end, lines=tuple(lines), confidence=0.9, styled=styled))
        at = end + rng.choice((0.0, 0.08, 0.4, 3.0))
    return tuple(cues)


def said(cue: Cue) -> Counter[str]:
    """Count what a cue says: words and pieces, in whatever order and lines."""
    text = shown(" ".join(cue.lines), styled=cue.styled)
    return Counter(part.casefold().strip(".,[]") for part in text.split())


def expected(cue: Cue) -> Counter[str]:
    """Count what a cue's translation says, from the source alone."""
    kept = {part.casefold() for piece in PIECES for part in piece.split()}
    parts: Counter[str] = Counter()
    for part, times in said(cue).items():
        whole = part.replace("1,204.5", "1.204,5")
        parts[turned(part) if part.isalpha() and part not in kept else whole] += times
    return parts


@pytest.fixture(scope="module", params=range(QUARTERS))
def outcome(request: pytest.FixtureRequest) -> Counter[str]:
    """Put a quarter of ten thousand cue lists through the lock and a bad engine; count what came of the cues."""
    counted: Counter[str] = Counter()
    for seed in range(request.param, LISTS, QUARTERS):
        rng = random.Random(seed)
        cues = some_cues(rng)
        engine = BadEngine(rng, rng.choice((0.0, 0.2, 0.5, 0.8, 0.95)), separate=False)
        counted.update(judged(cues, engine, rng))
        counted.update({f"it {deed}": times for deed, times in engine.did.items()})
    return counted


def judged(cues: tuple[Cue, ...], engine: BadEngine, rng: random.Random) -> Counter[str]:
    """Translate one list and compare each cue with what it must say."""
    counted: Counter[str] = Counter(cues=len(cues))
    checks = Checks(Pair(Terms("en", "es")), TONGUES)
    lock = Lock(engine, Masker(Marks(engine.mark), Terms("en", "es")), Hints(), rng.choice((0, 2)))
    try:
        locked = lock.translate(cues, "en", join=rng.random() < 0.7)
    except JobError:
        return Counter(cues=len(cues), refused=len(cues))
    counted["lost"] += abs(len(cues) - len(locked))
    for cue, one in zip(cues, locked, strict=False):
        came = said(Cue(id=1, start=0, end=0, lines=one.turns, confidence=1, styled=cue.styled))
        if one.kept:
            counted["left"] += 1
            counted["left, and changed"] += came != said(cue)
        elif came == expected(cue):
            counted["right"] += 1
        else:
            others = {part for other in cues if other is not cue for part in expected(other) if len(part) > 4}
            counted["shifted"] += bool((others - {*expected(cue)}) & {*came})
            found = one.flags or checks.findings(cue, one.turns)
            counted["wrong, and flagged" if found else "wrong, and silent"] += 1
    return counted


def test_no_cue_is_shifted_or_lost(outcome: Counter[str]) -> None:
    """Whatever the engine does, each cue says what it said before or its own translation, and none is missing."""
    assert outcome["cues"] > 29_000 / QUARTERS
    assert {name: outcome[name] for name in ("lost", "shifted", "left, and changed")} == {
        "lost": 0,
        "shifted": 0,
        "left, and changed": 0,
    }


def test_every_bad_cue_is_flagged(outcome: Counter[str]) -> None:
    """No cue that is not rightly translated passes without a word."""
    assert outcome["wrong, and silent"] == 0
    kinds = ("right", "left", "refused", "wrong, and flagged")
    assert sum(outcome[kind] for kind in kinds) == outcome["cues"]
    assert outcome["left"] > 1000
    assert outcome["right"] > 10_000 / QUARTERS


def test_the_engine_did_all_of_it(outcome: Counter[str]) -> None:
    """Each kind of misdeed happened at least a thousand times."""
    assert {deed.__name__ for deed in DEEDS if outcome[f"it {deed.__name__}"] < 1000 / QUARTERS} == set()


def test_times_and_ids_stay() -> None:
    """Ids, order, starts, styles and speakers are the source's; an end moves later only, and into a free gap."""
    for seed in range(400):
        rng = random.Random(seed)
        cues = some_cues(rng)
        engine = BadEngine(rng, rng.choice((0.0, 0.2, 0.5)))
        captions = Captions(language="en", cues=cues, confidence=1.0, duration=cues[-1].end + 1 if cues else 1.0)
        translator = Translator(engine, options=Options(), tongues=TONGUES)
        try:
            made = translator.translate(Texts(captions=captions), "en", "es").cues
        except JobError:
            continue
        assert [structure(cue) for cue in made] == [structure(cue) for cue in cues]
        for at, (cue, one) in enumerate(zip(cues, made, strict=True)):
            following = cues[at + 1].start if at + 1 < len(cues) else captions.duration
            assert (
                one.end == cue.end
                or cue.end < one.end <= max(following - 2 / 25, 0) + 1e-9
                or (at + 1 == len(cues) and cue.end < one.end <= captions.duration)
            )
            if one.language == "en":
                assert (one.lines, one.end, one.failed[0][:25]) == (cue.lines, cue.end, "left in its own language:")
                assert one.risk == 1.0
            assert one.risk is not None


def structure(cue: Cue) -> bytes:
    """Give everything of a cue that a translation may not touch."""
    return msgspec.json.encode((cue.id, cue.start, cue.speaker, cue.styled, cue.align, cue.settings, cue.kind))
