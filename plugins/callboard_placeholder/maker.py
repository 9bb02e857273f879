"""Makes the versions that a request asks for: guarded, made, labelled, written, marked, compared, and put in place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from callboard.errors import JobError
from callboard.shots import sheets
from callboard.sources.single import digest_of
from callboard.timedtext.rate import Rate, parse_rate
from callboard_schemas import Brief, Envelope, MadeFile, Placeholder, PlaceholderRequested
from msgspec.structs import replace

from callboard_placeholder import burnin, guard, marks, names, sheet
from callboard_placeholder.continuity import matches
from callboard_placeholder.encoding import Target, Written, suffix, write
from callboard_placeholder.engine import Array, Made, Order
from callboard_placeholder.engines import PLAIN, VARIED, engine
from callboard_placeholder.placing import put

if TYPE_CHECKING:
    from callboard.context import Context

_SHOWN = 3
"""Pictures of a version on the contact sheet: the first, one from the middle, and the last."""

_LOOKS = ("codec", "burn_in")
"""Parameters of the plugin that every engine's files depend on; kept, so that one can be made again from its record."""


class _Bench:
    """Where one version is made."""

    def __init__(self, context: Context, folder: Path, done: float, share: float, look: Callable[[Made], None]) -> None:
        self.context, self.folder = context, folder
        self._done, self._share, self._look = done, share, look

    def progress(self, fraction: float, note: str = "") -> None:
        """Say how far this version is."""
        self.context.progress(self._done + self._share * min(max(fraction, 0.0), 1.0), note)

    def prompted(self, prompt: str, negative: str = "") -> None:
        """Compare a prompt with the project's rules before a model hears it."""
        self._look(Made(pictures=iter(()), prompt=prompt, negative=negative))


class _Kept:
    """Passes pictures on and keeps the first, one from the middle, and the last."""

    def __init__(self, pictures: Iterator[Array], frames: int, bench: _Bench | None = None) -> None:
        self._pictures, self._frames, self._bench = pictures, frames, bench
        self._wanted = sorted({round(index * (frames - 1) / (_SHOWN - 1)) for index in range(_SHOWN)})
        self.shown: list[Array] = []

    def __iter__(self) -> Iterator[Array]:
        for index, picture in enumerate(self._pictures):
            if index in self._wanted:
                self.shown.append(picture.copy())
            if self._bench is not None:
                self._bench.progress(index / self._frames)
            yield picture


def make(event: Envelope, context: Context) -> list[Placeholder]:
    """Make every version of a placeholder.

    Raises:
        JobError: the request cannot be met as it is; nothing was left behind.
        Blocked: something is missing on this machine.
    """
    asked = msgspec.json.decode(event.data, type=PlaceholderRequested)
    output = context.output
    if output is None:
        raise JobError("placeholders belong to a project", "Make one with 'callboard init'.")
    engines = _strings(context.parameters["engines"])  # one, where the board asks: each has a job of its own
    orders = [(name, order) for name in engines for order in _orders(asked, name, context)]
    guard.check(asked, engines, context)
    folder = names.home(output, asked.shot)
    made: list[sheet.Shown] = []
    for index, (name, order) in enumerate(orders):
        order = replace(order, version=index + 1, versions=len(orders))
        with tempfile.TemporaryDirectory(prefix="callboard-placeholder-") as work:
            look = partial(guard.prompted, asked, name, context=context)
            bench = _Bench(context, Path(work), index / len(orders), 1 / len(orders), look)
            made.append(_one(asked, name, order, bench, folder))
    return [_counted(told, context.project) for told in _with_sheet(made, folder, context)]


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def rate_of(asked: PlaceholderRequested) -> Rate:
    """Give the exact rate of a request: what it counts by, else the nearest of the usual ones.

    Raises:
        JobError: it counts by what is no rate.
    """
    if asked.counted:
        try:
            return parse_rate(asked.counted)
        except ValueError as error:
            raise JobError(f"{asked.shot}: {error}", "Rates are written 24, 23.976 or 29.97df.") from None
    known = (Fraction(nominal * 1000, 1001) for nominal in (24, 30, 48, 60, 120))
    near = next((one for one in known if abs(float(one) - asked.rate) < 0.005), None)
    exact = near or Fraction(asked.rate).limit_denominator(1001)
    return Rate(exact.numerator, exact.denominator)


def _orders(asked: PlaceholderRequested, name: str, context: Context) -> list[Order]:
    rate = rate_of(asked)
    aspect = Fraction(*map(int, asked.pixel_aspect.split(":"))) if asked.pixel_aspect else Fraction(1)
    first = Order(
        shot=asked.shot,
        brief=asked.brief or Brief(purpose=asked.purpose[:1000]),
        frames=asked.frames or max(round(Fraction(asked.duration) * rate.fps), 1),
        rate=rate,
        width=asked.width + asked.width % 2,
        height=asked.height + asked.height % 2,
        pixel_aspect=aspect,
        start=_first(asked, rate),
        parameters=context.parameters,
    )
    versions = asked.versions if name in VARIED else 1
    return [replace(first, seed=asked.seed + index) for index in range(versions)]


def _first(asked: PlaceholderRequested, rate: Rate) -> int:
    """Give the number of the first frame on the timeline."""
    try:
        return rate.frame_of(asked.start) if asked.start else 0
    except ValueError as error:
        raise JobError(f"{asked.shot}: {error}", f"Its first frame is said as timecode at {rate}.") from None


def _one(asked: PlaceholderRequested, name: str, order: Order, bench: _Bench, folder: Path) -> sheet.Shown:
    done = engine(name)(order, bench)
    guard.prompted(asked, name, done, bench.context)
    labelled = done.labelled or not bench.context.parameters["burn_in"]
    bare = _Kept(done.pictures, order.frames)
    pictures = iter(bare) if labelled else burnin.over(iter(bare), order, name)
    kept = _Kept(pictures, order.frames, bench)
    codec = str(bench.context.parameters["codec"])
    target = Target(codec=codec, order=order, sound=done.sound is not None)
    written = write(iter(kept), done.sound, target, bench.folder / f"made{suffix(codec)}")
    told = _told(asked, name, order, done)
    signed = marks.sign(written, told, bench.context)
    goes = () if name in PLAIN else matches(bare.shown, order, bench.context)
    told = replace(told, matches=goes, credentials=signed.by, notes=(*told.notes, *signed.notes))
    told = _placed(told, done, written, folder)
    guard.wrote(_counted(told, bench.context.project), asked, bench.context)
    return sheet.Shown(pictures=kept.shown, placeholder=told)


def _told(asked: PlaceholderRequested, name: str, order: Order, done: Made) -> Placeholder:
    return Placeholder(
        shot=asked.shot,
        generator=name,
        file="",
        digest="sha256:" + "0" * 64,
        confidence=1.0,
        parameters={**done.parameters, **{name: order.parameters[name] for name in _LOOKS}},
        prompt=done.prompt,
        negative=done.negative,
        seed=done.seed,
        version=order.version,
        versions=order.versions,
        rate=str(order.rate),
        frames=order.frames,
        width=order.width,
        height=order.height,
        pixel_aspect=asked.pixel_aspect,
        start=asked.start,
        timeline=asked.timeline,
        ref=asked.ref,
        brief=order.brief,
        by=asked.by,
        source_type=done.source_type,
        references=dict(done.references),
        models=dict(done.models),
        notes=done.notes,
    )


def _placed(told: Placeholder, done: Made, written: Written, folder: Path) -> Placeholder:
    """Move what was made to its place; the same bytes again are found there and take no new version."""
    path = put(written, folder, told.shot, told.generator)
    files: list[MadeFile] = []
    if done.scene is not None:
        scene = put(Written(path=done.scene, files=(done.scene,)), folder, told.shot, told.generator, beside=path)
        files.append(MadeFile(what="scene", file=str(scene), digest=digest_of(scene)))
    if done.workflow is not None:
        flow = put(Written(path=done.workflow, files=(done.workflow,)), folder, told.shot, told.generator, beside=path)
        files.append(MadeFile(what="workflow", file=str(flow), digest=digest_of(flow)))
    told = replace(told, file=str(path), digest=digest_of(path), files=tuple(files))
    sidecar = marks.write_sidecar(path, told)
    return replace(told, files=(*files, MadeFile(what="sidecar", file=str(sidecar), digest=digest_of(sidecar))))


def _with_sheet(made: list[sheet.Shown], folder: Path, context: Context) -> list[Placeholder]:
    """Put the versions on the contact sheet of the shot and name it in each; they are as good without one."""
    told = [one.placeholder for one in made]
    path = folder / f"{names.safe(told[0].shot)}{sheets.SHEET}"
    try:
        for one in made:
            sheet.keep(one)
        file = MadeFile(what="sheet", file=str(path), digest=sheets.compose(path))
    except OSError as error:
        context.log.warning("no contact sheet of %s: %s", told[0].shot, error)
        return told
    return [replace(one, files=(*one.files, file)) for one in told]


def _counted(told: Placeholder, project: Path | None) -> Placeholder:
    """Count paths from the project where they are in it, so that it may be moved."""

    def named(file: str) -> str:
        inside = project is not None and Path(file).is_relative_to(project)
        return Path(file).relative_to(project).as_posix() if inside and project is not None else file

    files = tuple(replace(one, file=named(one.file)) for one in told.files)
    return replace(told, file=named(told.file), files=files)


__all__ = ["make", "rate_of"]
