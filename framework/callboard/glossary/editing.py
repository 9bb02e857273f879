"""Terms put into a ``glossary.toml`` whose comments and layout stay as a person wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import MissingExtra
from callboard.glossary.reading import parse, spelling
from callboard.glossary.terms import Glossary, Term, primary


class Merged(Struct, frozen=True):
    """A term as it is to be, its place among those of the file, and what of the new one was not taken."""

    term: Term
    place: int | None
    """``None`` puts it after all others."""
    notes: tuple[str, ...] = ()


def with_terms(text: str, terms: Iterable[Term], name: str = "glossary.toml") -> tuple[str, tuple[str, ...]]:
    """Give a file's text with *terms* in it: new ones at its end, what is new of others beside what they say.

    Returns:
        The text, and notes on what was not taken because the file says otherwise.

    Raises:
        GlossaryError: the file is broken, or would be: a spelling belongs to another term, say.
        MissingExtra: the library that edits TOML is not installed.
    """
    try:
        import tomlkit
    except ImportError:
        raise MissingExtra("changing a glossary", "tomlkit") from None
    document = tomlkit.parse(text.replace("\r\n", "\n"))
    notes: list[str] = []
    for term in terms:
        after = tomlkit.dumps(document)
        merged = _merged(parse(after, name), term)
        notes += merged.notes
        tables: Any = document.get("term")
        if merged.place is None:
            if tables is None:
                tables = tomlkit.aot()
                document["term"] = tables
            table = _table(merged.term)
            _make_room(document, tables, table)
            tables.append(table)
        else:
            _update(tables[merged.place], merged.term)
    after = tomlkit.dumps(document)
    parse(after, name)
    return after.replace("\n", "\r\n") if "\r\n" in text else after, tuple(notes)


def _merged(glossary: Glossary, new: Term) -> Merged:
    for place, old in enumerate(glossary.term):
        same_text = spelling(old.text) == spelling(new.text) and (
            old.language is None or new.language is None or primary(old.language) == primary(new.language)
        )
        if (new.id and new.id == old.id) or same_text:
            return _joined(place, old, new)
    return Merged(new, None)


def _joined(place: int, old: Term, new: Term) -> Merged:
    notes = [
        f"{old.text!r} stays {old.translations[tongue]!r} in {tongue}; {text!r} was not taken"
        for tongue, text in new.translations.items()
        if old.translations.get(tongue, text) != text
    ]
    if old.text != new.text and new.text not in old.variants:
        notes.append(f"{old.text!r} stays; {new.text!r} was not taken for it")
    known = {spelling(word) for word in (old.text, *old.variants, *old.sounds_like)}
    term = replace(
        old,
        variants=(*old.variants, *_others(new.variants, known)),
        sounds_like=(*old.sounds_like, *_others(new.sounds_like, known)),
        keep=old.keep or new.keep,
        case=old.case or new.case,
        translations={**new.translations, **old.translations},
        note=old.note or new.note,
    )
    return Merged(term, place, tuple(notes))


def _others(words: Sequence[str], known: set[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if spelling(word) not in known]


def _table(term: Term) -> Any:
    import tomlkit

    table = tomlkit.table()
    for key in ("text", "language", "id", "note"):
        if value := getattr(term, key):
            table.add(key, value)
    _update(table, term)
    return table


def _make_room(document: Any, tables: Any, table: Any) -> None:
    """Let what leads up to the table behind the terms, blank lines and comments, stay before that one."""
    import tomlkit

    keys = [key.key for key, _ in document.body if key is not None]
    if not len(tables) or keys[-1] == "term":
        return
    body: Any = tables[-1].value.body
    while body and hasattr(body[-1][1], "value") and hasattr(body[-1][1].value, "body"):
        body = body[-1][1].value.body
    first = len(body)
    while first and body[first - 1][0] is None:
        first -= 1
    led, body[first:] = body[first:], [(None, tomlkit.nl())]
    for _, item in led or [(None, tomlkit.nl())]:
        table.add(item)


def _update(table: Any, term: Term) -> None:
    """Say in a table what a term says; what it says already is left as it is written."""
    for key in ("variants", "sounds_like"):
        written = table.get(key)
        for word in getattr(term, key):
            if written is None:
                table.add(key, [])
                written = table[key]
            if word not in written:
                written.append(word)
    for key in ("keep", "case"):
        if getattr(term, key) and not table.get(key):
            table[key] = True
    if term.note and not table.get("note"):
        table["note"] = term.note
    missing = {
        tongue: text for tongue, text in term.translations.items() if tongue not in table.get("translations", {})
    }
    if missing:
        if "translations" not in table:
            import tomlkit

            table.add("translations", tomlkit.inline_table())
        table["translations"].update(missing)


__all__ = ["with_terms"]
