"""What a plugin is handed: its parameters, the media, the models, and a way to say how far it is.

The same contract holds in a plugin process, in ``callboard.testing`` and in a notebook.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from callboard_schemas import Asset, Parameters

    from callboard.glossary import Glossary
    from callboard.media import AudioBlock, Frame, Loudness, MediaFacts
    from callboard.vocabulary import Vocabulary

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
"""Named tensors: what a model takes and gives."""


class Runtime(Protocol):
    """The one owner of models. Plugins never open a session themselves."""

    async def run(self, model: str, inputs: Arrays, **options: object) -> dict[str, Any]:
        """Run *model* once and return its outputs by name: arrays, or plain values for library engines.

        Raises:
            ModelMissing: the pack is not here or not intact.
            RuntimeGone: the runtime died; the job is tried again.
        """
        ...

    def call(self, model: str, inputs: Arrays, **options: object) -> dict[str, Any]:
        """Do ``run`` from a plain function."""
        ...


class Media(Protocol):
    """One asset, opened in a process that may die. All calls block; use them from plain functions."""

    @property
    def problems(self) -> Sequence[str]:
        """What was skipped or cut off in the calls made so far, in words."""
        ...

    def probe(self) -> MediaFacts:
        """Container and stream facts; for a sequence, of its first frame.

        Raises:
            MediaError: the file cannot be opened or is past a limit.
        """
        ...

    def audio(self, rate: int = 16000, block_seconds: float = 30.0, *, channels: bool = False) -> Iterator[AudioBlock]:
        """Float32 samples in [-1, 1] at *rate* Hz, in order, without gaps (silence fills them).

        Args:
            rate: Samples a second, of each channel.
            block_seconds: Seconds of a block; the last one is shorter.
            channels: Keep the channels apart: samples are n x channels. Else they are mixed to one, and n.
        """
        ...

    def loudness(self) -> Loudness | None:
        """Loudness by EBU R 128, of the first sound stream with all its channels; ``None`` where there is no sound."""
        ...

    def frames(
        self, every: float = 0.0, max_side: int = 0, limit: int = 0, also: tuple[float, int] | None = None
    ) -> Iterator[Frame]:
        """RGB frames, upright, in time order.

        Args:
            every: Seconds between frames; 0 gives every frame.
            max_side: Longest side in pixels after scaling; 0 keeps the size.
            limit: Most frames to give; 0 means no limit.
            also: Seconds and pixels: as often as that, a frame comes with a ``large`` version whose longest side is
                at most that. Both are made of one decoded picture; a large version of a JPEG may be a quarter
                smaller, so that most of the decoding is saved.
        """
        ...

    def picture(self, at: float, max_side: int = 0) -> Frame | None:
        """Give the one frame that is shown at a time, upright, without decoding all that comes before it.

        Args:
            at: Seconds from the first frame; before them it is the first, past the end the last.
                A frame begins to be shown 0.6 ms early: containers round times to 1 ms.
            max_side: Longest side in pixels after scaling; 0 keeps the size.

        Returns:
            The frame; ``None`` where the media has no picture. Its ``index`` is reckoned from its time, so it is
            exact only where the frame rate does not vary.

        Raises:
            MediaError: the picture cannot be decoded.
        """
        ...


class Context(Protocol):
    """Everything a hook may use."""

    @property
    def parameters(self) -> Parameters:
        """The plugin's parameters: defaults from its manifest, overlaid by the project's settings."""
        ...

    @property
    def models(self) -> Mapping[str, str]:
        """Digests by name of the model packs that the job was made for: the optional ones only where they were here."""
        ...

    @property
    def path(self) -> Path | None:
        """Where the asset is on this machine, to be read only."""
        ...

    @property
    def media(self) -> Media:
        """The asset of this job.

        Raises:
            JobError: the event has no asset.
        """
        ...

    @property
    def roots(self) -> Mapping[str, Path]:
        """The watched folders by their names, to be read only."""
        ...

    def reach(self, asset: Asset) -> Path | None:
        """Say where another asset is on this machine, to be read only; ``None`` where it is not.

        Only what lies in one of the project's watched folders is found, and no link leads out of them. For a
        sequence it is its folder and its pattern.
        """
        ...

    def named(self, path: str) -> Path | None:
        """Say where a file is that a brief names, counted from the project's folder; ``None`` where it is not.

        Only what lies in the project's folder or in one of its watched folders is found, to be read only: whoever may
        ask for something may not have any file of this machine read. No link leads out of them.
        """
        ...

    def open(self, asset: Asset, rate: float = 24.0) -> Media:
        """Open another asset of the project, decoded where the job's own is; closed with the job.

        Args:
            asset: A neighbour, or a reference.
            rate: Frames a second of an image sequence, which does not say.

        Raises:
            MediaError: it cannot be reached, or not be opened.
        """
        ...

    @property
    def runtime(self) -> Runtime:
        """The models."""
        ...

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The project's own words, for plugins whose manifest says ``vocabulary = true``; ``None`` when there are none.

        Raises:
            Blocked: the vocabulary that the job was made for is gone.
        """
        ...

    @property
    def glossary(self) -> Glossary | None:
        """The film's names and terms, where the manifest says ``glossary = true``; ``None`` where there are none.

        Raises:
            Blocked: the glossary that the job was made for is gone.
        """
        ...

    @property
    def folder(self) -> Path | None:
        """Where the plugin may keep files of its own, in the project's data; made on first use by whoever writes.

        ``None`` where there is no project. What is in it is not part of a job's key: no answer may depend on it.
        """
        ...

    @property
    def project(self) -> Path | None:
        """The project's folder: paths of files in answers count from it. ``None`` where there is no project."""
        ...

    @property
    def output(self) -> Path | None:
        """Where media goes that the plugin makes: the project's folder for it, made on first use by whoever writes.

        ``None`` where there is no project.
        """
        ...

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines reach the supervisor with the job's key."""
        ...

    def progress(self, fraction: float, note: str = "") -> None:
        """Say how far the job is, 0 to 1."""
        ...
