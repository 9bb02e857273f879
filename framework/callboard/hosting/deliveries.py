"""What acceptances bring into applications: commands, made in the transaction of the decision and kept until a receipt.

A command is made for every project that uses the asset, and for the one that asked. It carries the proposal's id, so
an application replaces only what we made for it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from callboard_schemas import Command, Content, Parameters, Placeholder, Proposal, Swap, Translation, Use
from msgspec import Struct

from callboard.catalog import decisions, host_commands, hosts, proposals
from callboard.catalog.host_commands import Row
from callboard.config import Hosts, Sidecars
from callboard.hosting import swapping
from callboard.hosting.belonging import late, places
from callboard.hosting.content import placeholder_path, standing
from callboard.hosting.mapping import Roots
from callboard.hosting.planner import Plan, plan, targets
from callboard.keys import digest_of
from callboard.shots.facts import rate_said

_DAY = 86400.0
Project = tuple[str, str]
"""An application, and its project."""


class _Errand(Struct, frozen=True):
    """What the commands of one result for one project share."""

    project: Project
    proposal: str
    digest: str
    run: str
    plan: Plan
    stamp: object
    """With the rest it names a command: the same twice is the same command."""


class Deliveries:
    """Says what projects are asked for.

    Args:
        settings: What is brought when, and for how long it is tried.
        sidecars: What is written beside media.
        roots: The watched folders: nothing outside them is handed to an application.
        folder: The Callboard project's; paths of placeholders count from it.
    """

    def __init__(self, settings: Hosts, sidecars: Sidecars, roots: Roots, folder: Path) -> None:
        self._settings, self._roots, self._folder = settings, roots, folder
        self._sidecars = ("xmp", *sidecars.subtitles)

    def decided(self, conn: sqlite3.Connection, made: Proposal, digest: str, run: str) -> None:
        """Follow a decision: what holds no more is taken back, what holds is brought.

        Args:
            conn: The transaction of the decision.
            made: The proposal as it stands now.
            digest: Of its asset; empty where it has none.
            run: What the decision belongs to.
        """
        if made.state != "accepted":
            self._take_back(conn, made.id, run, f"{made.state} by {made.decided_by}")
            return
        if isinstance(made.body, Swap):
            self._bring_shot(conn, made, made.body, run)
            return
        if isinstance(made.body, Placeholder) and any(row.verb for row in swapping.holding(conn, made.id)):
            return  # what took its place is taken back, and what it was put there with holds still
        for other in proposals.superseded_by(conn, made.id):
            self._take_back(conn, other, run, f"superseded by {made.id}")
        for row in _standing(conn, made.id):
            host_commands.withdraw(conn, row.seq, "decided anew")
        for project in hosts.uses_of(conn, digest):
            self._bring(conn, made, digest, project, run)
        if isinstance(made.body, Placeholder):
            self._bring_placeholder(conn, made, made.body, run)

    def asked(
        self,
        conn: sqlite3.Connection,
        project: Project,
        digests: Collection[str],
        results: Collection[str],
        run: str,
        *,
        again: bool = False,
    ) -> None:
        """Bring a project what was accepted before, unless it was asked for it already.

        Args:
            conn: The transaction.
            project: Which.
            digests: Of these assets.
            results: These kinds, such as ``captions``.
            run: What it belongs to.
            again: Somebody asks for it: also what was brought before, for it may be gone there.
        """
        enough = ("pending",) if again else (*host_commands.OPEN, "told")
        for digest in sorted(digests) if results else ():
            for made in proposals.of_digest(conn, digest):
                if made.state == "accepted" and made.result in results and not _has(conn, made.id, project, enough):
                    self._bring(conn, made, digest, project, run)

    def began(self, conn: sqlite3.Connection, project: Project, digests: Collection[str], run: str = "") -> None:
        """Bring a project that begins to use media what was accepted for it before, as far as the settings say."""
        self.asked(conn, project, digests, self._settings.bring, run)

    def opened(self, conn: sqlite3.Connection, project: Project, run: str = "") -> None:
        """Bring a project that an application has open the placeholders that were asked for by the name of its file."""
        for made in late(conn, project):
            if isinstance(made.body, Placeholder):
                self._bring_placeholder(conn, made, made.body, run, project)

    def replan(self, conn: sqlite3.Connection, project: Project) -> None:
        """Choose anew for what waits, once an application says that it can do other things than before."""
        able = hosts.capabilities(conn, *project)
        stuck = {row.proposal: row for row in host_commands.pending(conn, *project) if row.verb not in able}
        for ident, row in stuck.items():
            made = proposals.get(conn, ident)
            if made is None or made.state != "accepted" or not row.digest:
                continue
            for other in _standing(conn, ident):
                if (other.application, other.project) == project and other.state == "pending":
                    host_commands.withdraw(conn, other.seq, f"{project[0]} does not take {other.verb} any more")
            self._bring(conn, made, row.digest, project, row.run)

    def _take_back(self, conn: sqlite3.Connection, ident: str, run: str, why: str, only: Project | None = None) -> None:
        """Ask the projects that were asked for a proposal, or *only* one, to take away what they made of it."""
        reached: dict[Project, int] = {}
        asked: set[Project] = set()
        for row in host_commands.of_proposal(conn, ident):
            project = row.application, row.project
            if only is not None and project != only:
                continue
            asked.add(project)
            if row.verb == "clear":
                reached.pop(project, None)
                continue
            if row.posted is not None:
                reached[project] = row.seq
            if row.state in host_commands.OPEN or row.state == "told":
                host_commands.withdraw(conn, row.seq, why)
        if only is None and reached:  # a project that was saved under another name has what we made, too
            copies = set(hosts.uses_of(conn, proposals.digest_of(conn, ident))) - asked
            reached |= {one: 0 for one in sorted(copies) if one[0] in {application for application, _ in reached}}
        for project, last in reached.items():
            able = "clear" in hosts.capabilities(conn, *project)
            way = Plan("nowhere", ("clear",), why)
            if not able:
                way = Plan("nowhere", (), f"{why}; {project[0]} cannot take back here: remove it by hand")
            self._add(conn, _Errand(project, ident, "", run, way, last), "clear" if able else "")

    def _bring(self, conn: sqlite3.Connection, made: Proposal, digest: str, project: Project, run: str) -> None:
        """Ask one project for one accepted result, by the best route that there is."""
        uses = [one.use for one in hosts.uses_of(conn, digest).get(project, ())]
        shown = standing(made)
        if shown.body is None or not uses:
            return
        way = plan(project[0], shown.body, hosts.capabilities(conn, *project), self._sidecars)
        stamp = [decisions.last_decision(conn, made.id), host_commands.count_settled(conn, made.id, *project)]
        errand = _Errand(project, made.id, digest, run, way, stamp)
        if not way.verbs:
            self._add(conn, errand, "")
        given: Parameters = {"translation": True} if isinstance(shown.body, Translation) else {}
        for verb in way.verbs:
            for use in targets(verb, uses):
                for row in host_commands.of_former(conn, *project, use.ref, verb, digest):
                    self._take_back(conn, row.proposal, run, "for what its file held before", project)
                self._add(conn, errand, verb, use, arguments=given)

    def _bring_placeholder(
        self, conn: sqlite3.Connection, made: Proposal, body: Placeholder, run: str, only: Project | None = None
    ) -> None:
        """Ask the projects into which a placeholder belongs, or *only* one of them: for a gap, or for a lost clip."""
        path = placeholder_path(body, self._folder)
        for place in places(conn, made):
            if only is not None and place.of != only:
                continue
            way = plan(place.application, body, hosts.capabilities(conn, *place.of), self._sidecars)
            if way.verbs and place.gap is None and place.use is None:
                reason = f"nothing says which clip of {place.application} {place.ref} is; give it the file {path}"
                way = Plan("nowhere", (), reason)
            if way.verbs and not self._roots.locate(path).root:
                reason = f"{path} is in none of the folders that applications may touch: {self._roots.named()}"
                way = Plan("nowhere", (), reason)
            told = [row for row in _standing(conn, made.id) if (row.application, row.project) == place.of]
            if not way.verbs and any(row.why == way.why for row in told):
                continue
            for row in told:
                host_commands.withdraw(conn, row.seq, way.why)
            stamp = [decisions.last_decision(conn, made.id), host_commands.count_settled(conn, made.id, *place.of)]
            errand = _Errand(place.of, made.id, "", run, way, stamp)
            content = Content(file=path, digest=body.digest, gap=place.gap)
            self._add(conn, errand, way.verbs[0] if way.verbs else "", place.use, content)

    def _bring_shot(self, conn: sqlite3.Connection, made: Proposal, swap: Swap, run: str) -> None:
        """Ask every project in which the placeholder is, or what took its place before, for the shot."""
        former = next((one for one in proposals.superseded_by(conn, made.id) if swapping.is_swap(conn, one)), "")
        for row in _standing(conn, former) if former else ():
            if row.state == "pending":
                host_commands.withdraw(conn, row.seq, f"superseded by {made.id}")
        media = swapping.media_of(conn, self._roots, swap)
        head = swap.handles[0] if swap.handles else 0
        rate = rate_said(swap.rate)
        for project, (stood, gap) in swapping.projects_of(conn, swap).items():
            way = plan(project[0], swap, hosts.capabilities(conn, *project), self._sidecars)
            stamp = [decisions.last_decision(conn, made.id), host_commands.count_settled(conn, made.id, *project)]
            errand = _Errand(project, made.id, "", run, way, stamp)
            content = Content(
                file=media, digest=swap.digest, gap=gap, source_in=rate.seconds(head) if rate is not None else 0.0
            )
            given: Parameters = {"placeholder": stood, "former": former} if former else {"placeholder": stood}
            self._add(conn, errand, "relink" if way.verbs else "", content=content, arguments=given)

    def _add(
        self,
        conn: sqlite3.Connection,
        errand: _Errand,
        verb: str,
        use: Use | None = None,
        content: Content | None = None,
        arguments: Parameters | None = None,
    ) -> None:
        """Put one command in; without a verb, the route that is taken instead."""
        (application, project), way = errand.project, errand.plan
        ref = use.ref if use else ""
        ident = "c-" + digest_of([application, project, errand.proposal, verb, ref, errand.stamp])[:20]
        gap = content.gap if content else None
        days = self._settings.expire_days
        command = Command(
            id=ident,
            host="-",
            verb=verb or way.route,
            proposal=errand.proposal,
            project=project,
            use=use,
            revision=use.revision if use else gap.revision if gap else "",
            arguments=arguments or {},
            expires=time.time() + days * _DAY if days and verb else 0.0,
        )
        host_commands.add(
            conn,
            command,
            application=application,
            digest=errand.digest,
            run=errand.run,
            route=way.route,
            why=way.why,
            content=content,
            told=not verb,
        )


def _standing(conn: sqlite3.Connection, ident: str) -> Iterator[Row]:
    """Give what a proposal's acceptance asked for and still holds; what takes something back is none of it."""
    for row in host_commands.of_proposal(conn, ident):
        if row.verb != "clear" and (row.state in host_commands.OPEN or row.state == "told"):
            yield row


def _has(conn: sqlite3.Connection, ident: str, project: Project, states: Collection[str]) -> bool:
    rows = host_commands.of_proposal(conn, ident)
    return any(row.state in states and (row.application, row.project) == project for row in rows)


__all__ = ["Deliveries", "Project"]
