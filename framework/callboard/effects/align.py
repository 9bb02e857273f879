"""Brings the sidecars of one asset at one place in line with the states of its proposals.

There is one way only: look at what is wanted, at what we wrote and at what is there, and close the gap. Accepting,
rejecting and undoing are changes of state followed by this.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from callboard_schemas import Captions, Proposal, Receipt, Translation, encode_path
from msgspec import Struct
from msgspec.structs import replace

from callboard.config import Sidecars
from callboard.cuewise import kept_cues
from callboard.effects import names, xmp
from callboard.effects.atomic import Changed, Folder
from callboard.effects.document import document, is_document
from callboard.effects.ledger import Ledger, Written
from callboard.effects.names import Spot, Subject
from callboard.effects.sidecar import Kept, Outcome, Sidecar
from callboard.effects.subtitles import has_text, role_of, written
from callboard.effects.xmpmodel import wish
from callboard.errors import CallboardError, EffectConflict, ExchangeError
from callboard.notes import LARGEST, replaced
from callboard.timedtext.document import Result

_TRIES = 4
"""Times to start again when somebody writes the same sidecar at the same moment."""


class Target(Struct, frozen=True, kw_only=True):
    """A sidecar that should be there."""

    role: str
    names: tuple[bytes, ...]
    """Names it may have, best first."""
    proposals: tuple[str, ...]
    data: bytes = b""
    """Its bytes; XMP depends on what is there."""
    problem: str = ""
    """Why it cannot be written; what is there of it stays."""


def sync(subject: Subject, settings: Sidecars, ledger: Ledger, *, out: Path | None = None) -> list[Receipt]:
    """Bring the sidecars of *subject* in line with its proposals.

    Blocks on the disk; meant for a thread, one call at a time for one asset. What the file system refuses is a receipt
    (``failed``, its note begins with ``pending:`` where trying again later may help), never an exception.

    Args:
        subject: the asset, its place and every proposal for it; no proposals takes everything of ours away.
        settings: where sidecars go, what they are called, which subtitles are wanted. A relative folder counts from
            the working directory.
        ledger: what was written so far.
        out: a folder to write to in place of the one that the settings say; the path inside the root is kept.

    Returns:
        One receipt for each sidecar that was written, left, removed or refused, in a fixed order.
    """
    try:
        place = names.spot(subject, settings, out)
    except EffectConflict as conflict:
        return [Receipt(effect="sidecar", proposals=(), target="", state="conflict", note=conflict.message)]
    targets = _targets(subject, place, settings)
    rows = ledger.written(subject.asset.digest, subject.media)
    here = [row for row in rows if os.path.dirname(row.path) == place.folder]
    away = [row for row in rows if row not in here and not any(_fits(row, target) for target in targets)]
    receipts: list[Receipt] = []
    if targets or here:
        receipts += _Place(subject, place, settings, ledger).align(targets, here)
    for folder in sorted({os.path.dirname(row.path) for row in away}):
        elsewhere = Spot(folder, (), place.full, place.relative, create=False)
        rest = [row for row in away if os.path.dirname(row.path) == folder]
        receipts += _Place(subject, elsewhere, settings, ledger).align([], rest)
    return receipts


def _fits(row: Written, target: Target) -> bool:
    return row.role == target.role and (row.role == "xmp" or os.path.basename(row.path) in target.names)


def _targets(subject: Subject, place: Spot, settings: Sidecars) -> list[Target]:
    accepted = [proposal for proposal in subject.proposals if proposal.state == "accepted"]
    if not accepted:
        return []
    targets = []
    for language, (proposal, body) in sorted(_spoken(accepted).items()):
        for wanted in settings.subtitles:
            found = tuple(names.subtitle_names(place, language, wanted))
            targets.append(_subtitles(wanted, found, proposal.id, body))
    targets += _notes(subject, place, accepted)
    if wish(accepted, keywords=settings.translated_keywords) is not None:
        found = tuple(names.xmp_names(place, settings.xmp_name))
        tagged = tuple(one.id for one in accepted if one.result == "tags" or _names_tags(one))
        targets.append(Target(role="xmp", names=found, proposals=tagged))
    whole = document(subject.asset, subject.proposals)
    everyone = tuple(sorted(proposal.id for proposal in subject.proposals))
    targets.append(Target(role="json", names=tuple(names.json_names(place)), proposals=everyone, data=whole))
    return targets


def _names_tags(proposal: Proposal) -> bool:
    return isinstance(proposal.body, Translation) and bool(proposal.body.description or proposal.body.labels)


def _notes(subject: Subject, place: Spot, accepted: Sequence[Proposal]) -> list[Target]:
    """A list of marker notes in each language that its notes are accepted in."""
    if subject.asset.kind != "other":
        return []
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for proposal in accepted:
        if isinstance(proposal.body, Translation) and proposal.body.labels:
            found[proposal.body.language] = (proposal.id, proposal.body.labels)
    targets = []
    for language, (proposal_id, called) in sorted(found.items()):
        kind = os.path.splitext(place.full)[1].removeprefix(b".").decode("ascii", "replace")
        data, problem = b"", ""
        try:
            with open(subject.media, "rb") as file:
                data = replaced(file.read(LARGEST + 1), os.fsdecode(place.full), called)
        except (OSError, ExchangeError) as error:
            problem = str(error)
        wanted = tuple(names.subtitle_names(place, language, kind))
        targets.append(Target(role="notes", names=wanted, proposals=(proposal_id,), data=data, problem=problem))
    return targets


def _subtitles(wanted: str, found: tuple[bytes, ...], proposal: str, body: Result) -> Target:
    """A subtitle file in one format; one whose library is not installed, or that cannot say a time, says so."""
    data, problem = b"", ""
    try:
        data = written(body, wanted)
    except CallboardError as error:
        problem = f"{error.message}: {error.hint}" if error.hint else error.message
    return Target(role=role_of(wanted), names=found, proposals=(proposal,), data=data, problem=problem)


def _spoken(accepted: Sequence[Proposal]) -> dict[str, tuple[Proposal, Result]]:
    """Cues by language: what was said before what was translated, the later before the earlier."""
    found: dict[str, tuple[Proposal, Result]] = {}
    for kind in (Translation, Captions):
        for proposal in accepted:
            body = proposal.body
            if isinstance(body, kind) and has_text(cues := kept_cues(body.cues, proposal.without)):
                found[body.language] = (proposal, replace(body, cues=cues))
    return found


class _Place:
    """One folder, while it is brought in line."""

    def __init__(self, subject: Subject, place: Spot, settings: Sidecars, ledger: Ledger) -> None:
        self.subject, self.place, self.settings, self.ledger = subject, place, settings, ledger
        self.own_name = os.path.basename(subject.media)

    def align(self, targets: Sequence[Target], rows: Sequence[Written]) -> list[Receipt]:
        """Write what is wanted, then take away what is not."""
        try:
            folder = Folder.open(self.place.base, self.place.parts, create=self.place.create and bool(targets))
        except (OSError, EffectConflict) as error:
            lost = [self._refused(target.role, target.names[0], target.proposals, error) for target in targets]
            return lost or [self._refused(row.role, os.path.basename(row.path), (), error) for row in rows]
        receipts, left = [], list(rows)
        with folder:
            for target in targets:
                mine = [row for row in left if _fits(row, target)]
                left = [row for row in left if row not in mine]
                receipts.append(self._bring(folder, target, mine))
                receipts += [self._take(folder, row) for row in mine[1:]]
            receipts += [self._take(folder, row) for row in left]
        return receipts

    def _bring(self, folder: Folder, target: Target, mine: Sequence[Written]) -> Receipt:
        row = mine[0] if mine else None
        work = self._xmp if target.role == "xmp" else self._plain
        name = os.path.basename(row.path) if row else target.names[0]
        if target.problem:
            at, over = self._target(name), target.proposals
            return Receipt(
                effect=f"sidecar.{target.role}", proposals=over, target=at, state="failed", note=target.problem
            )
        return self._guard(target.role, name, target.proposals, lambda: work(folder, target, row))

    def _take(self, folder: Folder, row: Written) -> Receipt:
        over = tuple(p.id for p in self.subject.proposals if p.state != "proposed")
        sidecar = self._sidecar(folder, os.path.basename(row.path), row.role, row)
        return self._guard(row.role, sidecar.name, over, sidecar.withdraw_xmp if row.role == "xmp" else sidecar.remove)

    def _guard(self, role: str, name: bytes, proposals: tuple[str, ...], work: Callable[[], Outcome]) -> Receipt:
        for _ in range(_TRIES):
            try:
                done = work()
            except Changed:
                continue
            except (OSError, EffectConflict, xmp.XmlRefused) as error:
                return self._refused(role, name, proposals, error)
            return Receipt(
                effect=f"sidecar.{role}",
                proposals=proposals,
                target=self._target(done.name),
                state=done.state,
                digest=done.digest,
                note=done.note,
            )
        busy = EffectConflict(os.fsdecode(name), "is being written by somebody else; theirs is kept")
        return self._refused(role, name, proposals, busy)

    def _target(self, name: bytes) -> str:
        return encode_path(os.path.join(self.place.relative, name))

    def _refused(self, role: str, name: bytes, proposals: tuple[str, ...], error: Exception) -> Receipt:
        waits = isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG
        if isinstance(error, OSError):
            note = f"{'pending: ' if waits else ''}{error.strerror or error}"
        else:
            note = error.message if isinstance(error, EffectConflict) else f"{encode_path(name)} {error}"
        return Receipt(
            effect=f"sidecar.{role}",
            proposals=proposals,
            target=self._target(name),
            state="failed" if isinstance(error, OSError) else "conflict",
            note=note,
        )

    def _sidecar(self, folder: Folder, name: bytes, role: str, row: Written | None) -> Sidecar:
        return Sidecar(folder, name, role, row, self.subject, self.ledger)

    def _plain(self, folder: Folder, target: Target, row: Written | None) -> Outcome:
        """A sidecar that is ours alone."""
        kept: Kept | None = None
        if row is not None:
            first = self._sidecar(folder, os.path.basename(row.path), row.role, row).put(target.data)
            if not isinstance(first, Kept):
                return first
            kept = first
        for name in target.names:
            if not self._free(name) or (kept is not None and name == kept.name):
                continue
            done = self._sidecar(folder, name, target.role, self._owned(name)).put(target.data)
            if isinstance(done, Outcome):
                return Outcome(name, "conflict", done.digest, kept.note) if kept else done
        if kept is not None:
            return Outcome(kept.name, "conflict", "", kept.note)
        raise EffectConflict(folder.label(target.names[0]), "belongs to somebody else, and so does every other name")

    def _owned(self, name: bytes) -> Written | None:
        """The row of a name, if it was written for what lies or lay at this media path."""
        row = self.ledger.owner(os.path.join(self.place.folder, name))
        here = row is not None and row in self.ledger.written(row.asset, self.subject.media)
        return row if here else None

    def _free(self, name: bytes) -> bool:
        """Tell whether no other media has the name; earlier content of this one may have had it."""
        taken = self.ledger.owner(os.path.join(self.place.folder, name)) is not None
        return name != self.own_name and (not taken or self._owned(name) is not None)

    def _xmp(self, folder: Folder, target: Target, row: Written | None) -> Outcome:
        if row is not None and folder.has(os.path.basename(row.path)):
            name = os.path.basename(row.path)
        else:
            if row is not None:
                self.ledger.forget(row.path)
            name = self._xmp_name(folder, target)
            row = self._owned(name)
        wanted = wish(self.subject.proposals, keywords=self.settings.translated_keywords)
        return self._sidecar(folder, name, "xmp", row).merge(wanted)

    def _xmp_name(self, folder: Folder, target: Target) -> bytes:
        """The one that is there; else the preferred one, unless other media shares it."""
        full, stem = self.place.full + b".xmp", self.place.stem + b".xmp"
        may_be = [name for name in target.names if self._free(name)]
        if full in may_be and folder.has(full):
            return full
        if stem != full and stem in may_be and names.shares_stem(self.place, self._beside(folder)):
            may_be.remove(stem)
        for name in may_be:
            if folder.has(name):
                return name
        if not may_be:
            raise EffectConflict(folder.label(full), "belongs to another asset")
        return may_be[0]

    def _beside(self, folder: Folder) -> list[bytes]:
        """Names beside the media; with sidecars in another folder the media's own folder counts."""
        if not (self.settings.xmp_name == "stem" or folder.has(self.place.stem + b".xmp")):
            return []
        home = os.path.dirname(self.subject.media)
        return folder.names() if home == self.place.folder else os.listdir(home)


__all__ = ["Target", "is_document", "sync"]
