"""Shots by TransNetV2: cuts, and the dissolves and fades that no comparison of neighbours finds.

Frames go to the runtime in windows that overlap; what is said of a window's ends is not believed, because the network
has seen too little there. The classical finder runs along: it says of a flash that the old picture comes back, and it
answers alone where the network's pack is missing.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from callboard.errors import JobError, ModelMissing
from callboard.media.cuts import SIDE, Cut, CutFinder

from callboard_autotag.shots import rhythm
from callboard_autotag.transitions import LEAST, Frames, Transition, as_cuts, find, transition_tags

if TYPE_CHECKING:
    from callboard.context import Runtime
    from callboard.media import Frame

    from callboard_autotag.analyser import Found

Array = np.ndarray[Any, Any]

PACK = "transnetv2"
SIZE = (27, 48)
"""Rows and columns of the frames that the network sees."""
MARGIN = 25
"""Frames at each end of a window that are not believed, as the reference leaves them out."""
WINDOW = 200
"""Frames of a window. The network was trained on 100, of which half are believed; of 200 it is three quarters. On 300
frames of a music video the chances differ by 0.05 at most from those of windows of 100."""
_STEP = WINDOW - 2 * MARGIN
_SHORTEST = 100  # frames of a window at least, as in training; a short film's last frame is repeated
_AHEAD = 2  # windows that wait or run; decoding goes on meanwhile


class NetCuts:
    """Finds cuts and gradual transitions; a ``callboard_autotag.analyser.ShotFinder``.

    Holds three windows of small frames and some 250 bytes for each frame that went by.
    """

    def __init__(self, runtime: Runtime, duration: float, model: str = "") -> None:
        """Make a finder.

        Args:
            runtime: That has the network.
            duration: Seconds of picture there are.
            model: Digest of the pack, for the tags.
        """
        self._runtime, self._duration, self._model = runtime, duration, model
        self._classical, self._frames = CutFinder(), Frames()
        self._window: list[Array] = []
        self._calls = ThreadPoolExecutor(1, "shots")
        self._waiting: deque[Future[tuple[Array, Array]]] = deque()
        self._said: list[tuple[Array, Array]] = []
        self._found: list[Transition] | None = None
        self._missing: ModelMissing | None = None

    def add(self, frame: Frame) -> None:
        """Take the next frame: uint8, height x width x 3, RGB, any size."""
        self._classical.add(frame.time, frame.index, _fit(frame.pixels))
        if self._missing is not None:
            return
        small = cv2.resize(frame.pixels, SIZE[::-1], interpolation=cv2.INTER_AREA)
        self._frames.add(frame.index, frame.time, small)
        self._window += [small] * (1 + MARGIN) if not self._window else [small]
        if len(self._window) == WINDOW:
            self._send()

    @property
    def transitions(self) -> list[Transition]:
        """Every transition among the frames taken; there can be no more frames once this was asked.

        Raises:
            RuntimeGone: the runtime died; the job is tried again.
        """
        if self._found is None:
            self._found = self._finish()
        return self._found

    def must_answer(self) -> None:
        """Refuse the classical finder's answer.

        Raises:
            ModelMissing: it would be that, for want of the network's pack.
        """
        if self._missing is not None:
            raise self._missing

    def cuts(self) -> list[Cut]:
        """Give the first frame of each shot but the first, in order."""
        found = self.transitions
        return self._classical.cuts() if self._missing is not None else as_cuts(found)

    def finish(self) -> Found:
        """Put the cutting into words; ``facts["cuts_method"]`` says who found the cuts."""
        cuts = self.cuts()
        if self._missing is not None:
            return rhythm(cuts, self._duration, self._classical.frames)
        tags, facts = rhythm(cuts, self._duration, self._classical.frames, PACK, self._model, LEAST)
        gradual, numbers = transition_tags(self.transitions, PACK, self._model)
        return [*tags, *gradual], {**facts, **numbers}

    def _send(self) -> None:
        """Hand a window over, and keep its end as the beginning of the next."""
        frames = np.stack(self._window)[None]
        self._window = self._window[_STEP:]
        self._waiting.append(self._calls.submit(self._ask, frames))
        while len(self._waiting) > _AHEAD:
            self._take()

    def _ask(self, frames: Array) -> tuple[Array, Array]:
        said = self._runtime.call(PACK, {"frames": frames})
        single, many = (np.array(said[name][0, MARGIN:-MARGIN], np.float32) for name in ("single", "many"))
        if not (np.isfinite(single).all() and np.isfinite(many).all()):
            raise JobError(f"model {PACK!r} gave no numbers for a window of frames")
        return single, many

    def _take(self) -> None:
        try:
            self._said.append(self._waiting.popleft().result())
        except ModelMissing as error:
            self._missing = error
            self._waiting.clear()
            self._window.clear()
        except BaseException:
            self._calls.shutdown(wait=False, cancel_futures=True)
            raise

    def answers(self) -> tuple[Array, Array]:
        """Give both chances of every frame taken, float32; nothing of a single frame, or where the pack is missing.

        Raises:
            RuntimeGone: the runtime died; the job is tried again.
            JobError: the network gave something that is no number.
        """
        left = len(self._window) - MARGIN  # of which the last margin was not believed yet
        if self._missing is None and left > 0 and len(self._frames) > 1:
            self._window += [self._window[-1]] * (MARGIN + max(0, _SHORTEST - MARGIN - len(self._window)))
            self._send()
            self._window.clear()
        while self._waiting and self._missing is None:
            self._take()
        if self._missing is not None or not self._said:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        single, many = (np.concatenate(part)[: len(self._frames)] for part in zip(*self._said, strict=True))
        return single, many

    def _finish(self) -> list[Transition]:
        single, many = self.answers()
        self._calls.shutdown(wait=False, cancel_futures=True)
        return find(self._frames, single, many, self._classical) if len(single) else []


def _fit(pixels: Array) -> Array:
    scale = SIDE / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


__all__ = ["MARGIN", "PACK", "SIZE", "WINDOW", "NetCuts"]
