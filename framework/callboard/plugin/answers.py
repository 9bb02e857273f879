"""What a hook returned or raised, as values: checked results, or a failure with its cause."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

import msgspec
from callboard_schemas import AnyResult, Captions, Failure, Manifest, Placeholder, Prints, Tags, Translation

from callboard.errors import Blocked, CallboardError, MediaCrash

RESULT_TYPES: dict[str, type[msgspec.Struct]] = {
    "tags": Tags,
    "captions": Captions,
    "translation": Translation,
    "placeholder": Placeholder,
    "prints": Prints,
}
LONGEST_DETAIL = 16_000
"""Characters of a traceback that are kept, from its end."""
LONGEST_MESSAGE = 500
"""Characters of a failure's message."""


class BadResult(CallboardError):
    """A plugin returned what is not a result, or not one that its manifest names."""

    code = "bad-result"


def check_results(answer: object, manifest: Manifest) -> tuple[AnyResult, ...]:
    """Check what a hook returned.

    Raises:
        BadResult: it is not a result or a list of results of the types that the manifest names,
            or a value in it is out of its limits.
    """
    if answer is None:
        return ()
    answers = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    return tuple(_check_result(item, manifest) for item in answers)


def _check_result(item: object, manifest: Manifest) -> AnyResult:
    name = next((name for name, kind in RESULT_TYPES.items() if type(item) is kind), None)
    if name is None:
        raise BadResult(
            f"plugin {manifest.id!r} returned {_shown(item)}, which is not a result",
            "Return Tags, Captions, Translation, Placeholder or Prints, a list of them, or None.",
        )
    if name not in manifest.results:
        raise BadResult(
            f"plugin {manifest.id!r} returned {name}, which its manifest does not name",
            f'Add "{name}" to results in its manifest.toml.',
        )
    try:
        # a struct is not checked when it is made, only when it is decoded; UnicodeEncodeError is a ValueError
        checked: AnyResult = msgspec.msgpack.decode(msgspec.msgpack.encode(item), type=AnyResult)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadResult(f"plugin {manifest.id!r} returned {name} that are not valid: {error}") from None
    return checked


def _shown(item: object) -> str:
    try:
        text = repr(item)
    except Exception:  # noqa: BLE001 - a plugin's own repr may raise anything
        text = "?"
    return f"{type(item).__name__} {text[:80]}"


def failure_of(error: BaseException, manifest: Manifest | None, distribution: str = "") -> Failure:
    """Turn anything that a hook raised into a failure with its cause.

    An error that was raised on purpose says all there is to say; only of others is the traceback kept.
    """
    detail = "".join(traceback.format_exception(error))[-LONGEST_DETAIL:]
    if isinstance(error, CallboardError):
        detail = f"caused by {one_line(error.__cause__)}" if error.__cause__ is not None else ""
        cause = (
            "environment"
            if isinstance(error, Blocked)
            else "crash"
            if isinstance(error, MediaCrash)
            else "deterministic"
        )
        # a plugin's own subclass may not have called __init__
        message, hint = getattr(error, "message", one_line(error)), getattr(error, "hint", "")
        return _failure(str(error.code), cause, str(message), str(hint), detail)
    if isinstance(error, ModuleNotFoundError) and manifest and _required(error, manifest.requires):
        return _extras_missing(error, manifest, distribution, detail)
    return _failure("exception", "deterministic", one_line(error), "", detail)


def _required(error: ModuleNotFoundError, requires: Sequence[str]) -> bool:
    top = (error.name or "").partition(".")[0]
    return top in {name.partition(".")[0] for name in requires}


def _extras_missing(error: ModuleNotFoundError, manifest: Manifest, distribution: str, detail: str) -> Failure:
    hint = ""
    if manifest.extras:
        hint = f"Install it with: pip install '{distribution or 'callboard'}[{','.join(manifest.extras)}]'"
    message = f"plugin {manifest.id!r} needs {error.name!r}, which is not installed"
    return _failure("extras-missing", "environment", message, hint, detail)


def _failure(code: str, cause: Any, message: str, hint: str, detail: str) -> Failure:
    return Failure(
        code=code[:256] or "error",
        cause=cause,
        message=clean(message)[:LONGEST_MESSAGE],
        hint=clean(hint)[:LONGEST_MESSAGE],
        detail=clean(detail),
    )


def clean(text: str) -> str:
    """Make *text* encodable: a lone surrogate, as in a file name that is not UTF-8, is written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(error: BaseException) -> str:
    """Say an exception on one line, whatever its ``__str__`` does."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a plugin's own exception may raise anything
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


__all__ = ["BadResult", "check_results", "clean", "failure_of", "one_line"]
