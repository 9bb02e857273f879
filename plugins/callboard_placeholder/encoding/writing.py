"""One call for all codecs: whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from av.error import FFmpegError
from callboard.errors import CallboardError, JobError

from callboard_placeholder.disk import blocked
from callboard_placeholder.encoding import films, sequences
from callboard_placeholder.encoding.feed import Recipe
from callboard_placeholder.encoding.pictures import exactly
from callboard_placeholder.encoding.sound import fitted
from callboard_placeholder.encoding.target import Target, Written, suffix
from callboard_placeholder.engine import Array, Order


def write(pictures: Iterator[Array], sound: Array | None, target: Target, path: Path) -> Written:
    """Write pictures and sound; the same again give the same bytes, on any machine with these versions.

    Args:
        pictures: Exactly ``order.frames``, height x width x 3, uint8, sRGB as they are to be seen.
        sound: float32 in [-1, 1], samples x channels, at 48 kHz, as long as the pictures; nothing is silent.
        target: As what.
        path: A film's file; of a sequence, the name that its numbers go into, before the suffix.

    Raises:
        JobError: there are too many or too few pictures, one has another size, or the codec cannot hold them; nothing
            is left behind.
        Blocked: the disk is full, or may not be written to; nothing is left behind.
    """
    ending = suffix(target.codec)
    if path.suffix != ending:
        raise JobError(f"{path.name} cannot be written as {target.codec}", f"Its name ends in {ending}.")
    film = ending in (".mov", ".mp4")
    _fits(films.recipe(target) if film else sequences.RECIPES[target.codec], target)
    heard = fitted(sound, target)
    counted = exactly(pictures, target.order)
    begun: list[Path] = []
    try:
        if film:
            begun.append(path)
            films.write_film(counted, heard, target, path)
        else:
            sequences.write_sequence(counted, heard, target, path, begun.append)
    except BaseException as error:
        for file in begun:
            file.unlink(missing_ok=True)
        told = _told(error, target.order, path)
        if told is error:
            raise
        raise told from error
    return Written(path=begun[0], files=tuple(begun))


def _fits(recipe: Recipe, target: Target) -> None:
    order = target.order
    width, height = recipe.least
    if order.frames < 1:
        raise JobError(f"{order.frames} frames make no shot")
    if order.width < width or order.height < height:
        raise JobError(
            f"{target.codec} holds no picture of {order.width} x {order.height}; its smallest is {width} x {height}",
            "Choose another codec: the parameter 'codec' of the plugin 'placeholder'.",
        )
    if recipe.even and (order.width % 2 or order.height % 2):
        raise JobError(f"{target.codec} holds no picture of {order.width} x {order.height}", "Make both sides even.")


def _told(error: BaseException, order: Order, path: Path) -> BaseException:
    """Say of a failure what a person can do; what others raised while they made the pictures passes as it is."""
    if isinstance(error, CallboardError):
        return error
    if isinstance(error, OSError) and (stopped := blocked(error, path)) is not None:
        return stopped
    if isinstance(error, FFmpegError):
        return JobError(
            f"{path.name}: {order.width} x {order.height} at {order.rate} cannot be encoded: {error.strerror}",
            "Choose another codec, or a smaller size.",
        )
    return error


__all__ = ["write"]
