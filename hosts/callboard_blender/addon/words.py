"""What the panel says, in words: pure functions from what is known to short lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LANGUAGES = {
    "ar": "Arabic",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""What languages that are often met are called; any other is shown by its code."""

_KINDS = {
    "captions": "Captions",
    "tags": "Tags",
    "translation": "Translation",
    "placeholder": "Placeholder",
    "swap": "Real shot",
}
_ICONS = {
    "captions": "FILE_TEXT",
    "tags": "BOOKMARKS",
    "translation": "WORLD",
    "placeholder": "IMAGE_DATA",
    "swap": "FILE_REFRESH",
}
_STATES = {
    "applied": ("CHECKMARK", "In place"),
    "partial": ("ERROR", "Partly in place"),
    "refused": ("CANCEL", "Refused"),
    "stale": ("ERROR", "Waits for you"),
    "failed": ("CANCEL", "Did not work"),
}
_VERBS = {
    "tags.write": "tags",
    "description.write": "description",
    "markers.write": "markers",
    "subtitles.write": "captions",
    "placeholder.insert": "placeholder",
    "relink": "real shot",
    "clear": "taking it away",
}
_CLEARED = {"applied": "Taken away", "partial": "Partly taken away"}


_START = "'callboard up'"


class Status(NamedTuple):
    """How the connection stands, and what to do next; ``advice`` is empty where nothing has to be done."""

    icon: str
    headline: str
    advice: str = ""


def status(state: str, problem: str = "", pending: int = 0, project: str = "") -> Status:
    """Say how the connection stands.

    Args:
        state: ``online``, ``connecting``, ``offline``, ``unset`` (no project is named) or ``closed`` (Blender may not
            go online).
        problem: Why, where that is known.
        pending: Events that wait for the board.
        project: The Callboard project's folder.
    """
    if state == "online":
        return Status("CHECKMARK", f"Connected{_to(project)}")
    if state == "connecting":
        return Status("SORTTIME", f"Connecting{_to(project)} …", problem)
    if state == "unset":
        return Status("ERROR", "No project yet", "Name your Callboard project's folder in the preferences.")
    if state == "closed":
        return Status("ERROR", "Blender may not go online", problem)
    why = problem.rstrip(".") or "Callboard does not answer"
    if _START not in why:
        why += f". If it is not running: {_START} in the project's folder"
    kept = f" {count(pending, 'message')} will be sent then." if pending else ""
    return Status("UNLINKED", f"Not connected{_to(project)}", f"{why}.{kept}")


def _to(project: str) -> str:
    name = project.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return f" to {name}" if name else ""


def strange(unknown: int, files: int) -> str:
    """Say that the board does not know some of the files that a project uses; empty where it knows all."""
    if not unknown:
        return ""
    which = f"{unknown} of {count(files, 'file')}" if unknown < files else count(files, "file")
    return f"{which} in this project: not in Callboard's watched folders, or not looked at yet."


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 cue``, ``3 cues``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first(said: Sequence[str]) -> str:
    """Say the first of several, and how many more there are: ``somewhat unsure +2``."""
    return f"{said[0]} +{len(said) - 1}" if len(said) > 1 else "".join(said)


def language(code: str) -> str:
    """Name a language as people do; its code where the name is not known."""
    known = LANGUAGES.get(code.partition("-")[0].lower())
    return code if known is None else f"{known} ({code})" if "-" in code else known


def icon(result: str) -> str:
    """Name the icon of a kind of result."""
    return _ICONS.get(result, "DOT")


def kind(item: Mapping[str, Any]) -> str:
    """Say what an item of the inbox is: ``Captions, English``."""
    said = _KINDS.get(str(item.get("result", "")), "Proposal")
    code = str(item.get("language", "") or "")
    return f"{said}, {language(code)}" if code else said


def sureness(confidence: object) -> str:
    """Say how sure it is: ``82 %``; nothing where that is not known."""
    return f"{float(confidence):.0%}".replace("%", " %") if isinstance(confidence, int | float) else ""


def clock(seconds: float) -> str:
    """Write a time as ``1:02.3``, with hours where there are any."""
    tenths = round(max(seconds, 0.0) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def receipt(command: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Say what became of a command.

    Returns:
        An icon's name, a line, and lines on what did not land.
    """
    state = str(answer.get("state", "failed"))
    mark, said = _STATES.get(state, ("QUESTION", state))
    use = command.get("use") or {}
    name = str(use.get("name") or str(use.get("path", "")).replace("\\", "/").rpartition("/")[2])
    what = _VERBS.get(str(command.get("verb", "")), str(command.get("verb", "")))
    landed = len(answer.get("landed") or ())
    number = f" ({landed})" if landed > 1 else ""
    cleared = _CLEARED.get(state) if command.get("verb") == "clear" else None
    line = (cleared or f"{said}: {what}{number}") + (f", {name}" if name else "")
    more = [str(one) for one in answer.get("missing") or ()]
    note = str(answer.get("note", "") or "")
    return mark, line, ([note] if note else []) + more


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of at most *width* characters, at spaces where there are any."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            for piece in _pieces(word, width):
                if line and len(line) + 1 + len(piece) > width:
                    lines.append(line)
                    line = piece
                else:
                    line = f"{line} {piece}" if line else piece
        if line:
            lines.append(line)
    return lines


def _pieces(word: str, width: int) -> Sequence[str]:
    return [word[at : at + width] for at in range(0, len(word), width)]
