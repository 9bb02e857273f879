"""The contract between whoever makes the pictures of a placeholder and the maker, who labels, writes and signs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from callboard.timedtext.rate import Rate
from callboard_schemas import Brief, Parameters, SourceType
from msgspec import Struct

if TYPE_CHECKING:
    from callboard.context import Context

Array = np.ndarray[Any, Any]

SAMPLE_RATE = 48_000
"""Samples a second of all sound that is made."""


class Order(Struct, frozen=True, kw_only=True):
    """One version of one placeholder, asked of one engine."""

    shot: str
    brief: Brief
    frames: int
    """Exactly how many pictures."""
    rate: Rate
    width: int
    """Pixels of the picture as it is stored, even, as *height*."""
    height: int
    pixel_aspect: Fraction = Fraction(1)
    """Width to height of a pixel."""
    start: int = 0
    """Number of the first frame on the timeline, for its timecode."""
    seed: int = 0
    version: int = 1
    versions: int = 1
    parameters: Parameters = {}
    """The plugin's."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.rate.seconds(self.frames)


class Bench(Protocol):
    """What an engine may use beside its order."""

    @property
    def context(self) -> Context:
        """The job's: the runtime, the media of neighbours, the log."""
        ...

    @property
    def folder(self) -> Path:
        """An empty folder for files on the way; gone when the version is done."""
        ...

    def progress(self, fraction: float, note: str = "") -> None:
        """Say how far this version is, 0 to 1; also where a cancelled job ends."""
        ...


@runtime_checkable
class Wary(Protocol):
    """A bench that has words looked at before a model hears them."""

    def prompted(self, prompt: str, negative: str = "") -> None:
        """Compare a prompt with the project's rules.

        Raises:
            JobError: it is against one.
        """
        ...


class Made(Struct, frozen=True, kw_only=True):
    """What an engine gives."""

    pictures: Iterator[Array]
    """Exactly as many as were ordered, height x width x 3, uint8, RGB, as they are to be seen."""
    sound: Array | None = None
    """float32 in [-1, 1], samples x channels, at ``SAMPLE_RATE``, as long as the pictures; nothing is silent."""
    source_type: SourceType = "algorithmicMedia"
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    """What it really used; nothing where chance has no part in it."""
    models: Mapping[str, str] = {}
    """Name to digest or version of what made it: packs, Blender, a workflow."""
    parameters: Parameters = {}
    """Everything else that went into it: the same again give the same pictures."""
    references: Mapping[str, str] = {}
    """Path to digest of pictures that went into it."""
    scene: Path | None = None
    """A .blend to carry on from, in the bench's folder."""
    workflow: Path | None = None
    """What was sent to a ComfyUI server, in the bench's folder."""
    notes: tuple[str, ...] = ()
    """What a person should know: a fallback, or what the brief asks for and this does not show."""
    labelled: bool = False
    """The pictures say themselves what they are, as a slate does; no more is written over them."""


class Engine(Protocol):
    """Makes pictures for one kind of placeholder."""

    def __call__(self, order: Order, bench: Bench) -> Made:
        """Begin one version; pictures may be made as they are taken.

        Raises:
            JobError: this brief cannot be made by this engine; another try would fail again.
            Blocked: something is missing on this machine: a program, a pack, a server.
        """
        ...


__all__ = ["SAMPLE_RATE", "Array", "Bench", "Engine", "Made", "Order", "Wary"]
