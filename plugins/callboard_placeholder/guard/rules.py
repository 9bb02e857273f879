"""What a project does not want made: banned terms and subjects, from its settings and from a file of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from callboard.errors import Blocked, JobError
from callboard.known_types import know
from msgspec import Meta, Struct

from callboard_placeholder.guard.words import finds, finds_all, normal

if TYPE_CHECKING:
    from callboard_schemas import Parameters, PlaceholderRequested

_LARGEST: Final = 1024 * 1024
Text = Annotated[str, Meta(min_length=1, max_length=200)]


class _Banned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    aliases: tuple[Text, ...] = ()
    everywhere: bool = False
    """Holds for slates and other engines that make nothing up, too."""
    why: str = ""
    by: str = ""


class _Term(_Banned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    term: Text


class _Subject(_Banned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    subject: Text


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    terms: tuple[_Term, ...] = ()
    subjects: tuple[_Subject, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    """One thing that is not to be made."""

    name: str
    words: tuple[str, ...]
    """Its name and its aliases."""
    subject: bool
    """Its words count in any order within a sentence; a term's one behind the other."""
    everywhere: bool = False
    whose: str
    """Where it is written, for whoever is refused by it."""
    why: str = ""


def rules_of(parameters: Parameters) -> tuple[Rule, ...]:
    """Give the rules of a project.

    Raises:
        Blocked: its file cannot be read, or does not say what it must; nothing is made unguarded.
    """
    found = [
        Rule(name=word, words=(word,), subject=subject, whose=f"{name} of the plugin")
        for name, subject in (("banned_terms", False), ("banned_subjects", True))
        for word in _strings(parameters.get(name))
        if word.strip()
    ]
    path = str(parameters.get("guard", ""))
    return (*found, *_of_file(Path(path))) if path else tuple(found)


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _of_file(path: Path) -> Iterator[Rule]:
    try:
        with path.open("rb") as file:
            told = msgspec.convert(tomllib.loads(file.read(_LARGEST).decode("utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Blocked(
            f"the guard's rules in {path} cannot be read: {error}", "Mend the file; nothing is made without it."
        ) from None
    for term in told.terms:
        yield _rule(term, term.term, path, subject=False)
    for subject in told.subjects:
        yield _rule(subject, subject.subject, path, subject=True)


def _rule(banned: _Banned, name: str, path: Path, *, subject: bool) -> Rule:
    return Rule(
        name=name,
        words=(name, *banned.aliases),
        subject=subject,
        everywhere=banned.everywhere,
        whose=f"{path.name}, by {banned.by}" if banned.by else path.name,
        why=banned.why,
    )


def texts(asked: PlaceholderRequested) -> Iterator[tuple[str, str]]:
    """Give every text of a request that says what is to be seen, with its name."""
    brief = asked.brief
    yield "shot", asked.shot
    yield "purpose", asked.purpose
    for name, value in asked.parameters.items():
        for text in (value,) if isinstance(value, str) else value if isinstance(value, list) else ():
            yield f"parameters.{name}", text
    if brief is None:
        return
    for name in ("purpose", "slug", "place", "mood", "notes"):
        yield f"brief.{name}", getattr(brief, name)
    for index, name in enumerate(brief.cast):
        yield f"brief.cast[{index}]", name
    for index, line in enumerate(brief.dialogue):
        yield f"brief.dialogue[{index}]", line.text
        yield f"brief.dialogue[{index}].speaker", line.speaker


def obey(rules: Sequence[Rule], given: Iterable[tuple[str, str]], engine: str) -> None:
    """Refuse what a rule bans.

    Args:
        rules: Those that hold here.
        given: Texts by the names of their fields.
        engine: Which engine would have made it.

    Raises:
        JobError: naming the rule, whose it is, the field, and what stands there.
    """
    for field, text in given:
        plain = normal(text)
        for rule in rules:
            for word in rule.words:
                found = (finds_all if rule.subject else finds)(word, plain)
                if found:
                    _refuse(rule, field, found, engine)


def _refuse(rule: Rule, field: str, found: str, engine: str) -> None:
    what = "subject" if rule.subject else "term"
    why = f": {rule.why}" if rule.why else ""
    hint = "Say it in other words, or change the rule."
    if not rule.everywhere:
        hint += " Engines that make nothing up, such as slate, take it as it is."
    raise JobError(
        f"{field} says {found!r}, and {rule.name!r} is a banned {what} for {engine} ({rule.whose}){why}", hint
    )


know(_File)

__all__ = ["Rule", "obey", "rules_of", "texts"]
