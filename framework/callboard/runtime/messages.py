"""What passes between the runtime process and its clients. Large arrays go by reference."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from callboard.errors import Blocked, CallboardError, JobError, ModelFault, ModelMissing
from callboard.runtime.arrays import Arrays
from callboard.runtime.status import Mode, RuntimeStatus


class Hello(Struct, frozen=True, tag=True):
    """First from a client: the name of its own folder, inside the shared one, for the arrays of both."""

    folder: str


class Call(Struct, frozen=True, tag=True):
    """Run a model. With *follow*, progress is sent back."""

    id: int
    model: str
    inputs: Arrays
    options: dict[str, Any]
    follow: bool = False
    caller: str = ""
    urgent: bool = False
    seconds: float | None = None
    """Until nobody wants the answer any more; ``None`` for never."""


class Cancel(Struct, frozen=True, tag=True):
    """Nobody waits for this call any more."""

    id: int


class Ask(Struct, frozen=True, tag=True):
    """Ask for the runtime's status."""

    id: int


class Busy(Struct, frozen=True, tag=True):
    """An application needs the devices, or with an empty mode gives them back; answered with ``Told``."""

    id: int
    mode: Mode
    reason: str = ""


class Answer(Struct, frozen=True, tag=True):
    """What a call gave: arrays, and plain values."""

    id: int
    arrays: Arrays
    values: dict[str, Any]


class Failed(Struct, frozen=True, tag=True):
    """Why a call gave nothing: an error's code, message and hint, and the model and output that are at fault."""

    id: int
    code: str
    message: str
    hint: str = ""
    model: str = ""
    output: str = ""


class Along(Struct, frozen=True, tag=True):
    """How far a call is, 0 to 1."""

    id: int
    fraction: float


class Told(Struct, frozen=True, tag=True):
    """The runtime's status."""

    id: int
    status: RuntimeStatus


ToRuntime = Hello | Call | Cancel | Ask | Busy
FromRuntime = Answer | Failed | Along | Told


def failed(call: int, error: BaseException) -> Failed:
    """Put an error into a message."""
    if isinstance(error, ModelMissing):
        return Failed(call, error.code, error.problem, error.hint, error.model)
    if isinstance(error, ModelFault):
        return Failed(call, error.code, error.problem, error.hint, error.model, error.output)
    if isinstance(error, CallboardError):
        return Failed(call, error.code, error.message, error.hint)
    return Failed(call, JobError.code, f"{type(error).__name__}: {error}")


def as_error(message: Failed) -> CallboardError:
    """Make the error of a message again."""
    if message.code == ModelMissing.code:
        return ModelMissing(message.model, message.message, message.hint)
    if message.code == ModelFault.code:
        return ModelFault(message.model, message.output, message.message)
    kind = Blocked if message.code == Blocked.code else JobError
    return kind(message.message, message.hint)


__all__ = [
    "Along",
    "Answer",
    "Ask",
    "Busy",
    "Call",
    "Cancel",
    "Failed",
    "FromRuntime",
    "Hello",
    "ToRuntime",
    "Told",
    "as_error",
    "failed",
]
