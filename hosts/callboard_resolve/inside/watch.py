"""What changed since the last look: Resolve tells nobody, so two snapshots are compared.

That a project was saved cannot be seen, so no event says it.
"""

from typing import TYPE_CHECKING

from callboard_resolve.inside.session import Session

if TYPE_CHECKING:
    from typing import Any

    from fusionscript import Project


class Watch:
    """Compares the open project, its timeline and its render jobs with how they were at the last look.

    ``JobStatus`` is in the language of the window, so the percentage and ``Error`` decide.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.project = ""
        self.timeline = ""
        self._rendering = False
        self._settled: dict[str, bool] | None = None

    def look(self) -> "list[tuple[str, dict[str, Any]]]":
        """Give what happened: message types and their data, oldest first."""
        events: list[tuple[str, dict[str, Any]]] = []
        name = self.session.project_name()
        if name != self.project:
            self.project, self._settled = name, None
            if self._rendering:
                self._rendering = False
                events.append(("host.render.ended", {"detail": {"reason": "the project was closed"}}))
            if name:
                events.append(("host.scene.loaded", {"project": name}))
        if not name:
            self.timeline = ""
            return events
        timeline = self.session.timeline()
        self.timeline = str(timeline.GetUniqueId()) if timeline is not None else ""
        events.extend(self._renders(self.session.project()))
        return events

    def _renders(self, project: "Project") -> "list[tuple[str, dict[str, Any]]]":
        now: dict[str, bool] = {}
        failed = []
        for job in project.GetRenderJobList() or []:
            name = str(dict(job).get("JobId", ""))
            status: dict[str, Any] = dict(project.GetRenderJobStatus(name) or {})
            now[name] = bool(status.get("Error")) or float(status.get("CompletionPercentage") or 0) >= 100
            if status.get("Error"):
                failed.append(name)
        busy = bool(project.IsRenderingInProgress())
        before, self._settled = self._settled, now
        done = sorted(name for name, over in now.items() if over and before is not None and not before.get(name, False))
        detail = {"jobs": ", ".join(done), "failed": ", ".join(name for name in failed if name in done)}
        events: list[tuple[str, dict[str, Any]]] = []
        if self._rendering and not busy:
            events.append(("host.render.ended", {"project": self.project, "detail": detail}))
        elif done and not self._rendering and not busy:
            # begun and over between two looks
            events.append(("host.render.started", {"project": self.project}))
            events.append(("host.render.ended", {"project": self.project, "detail": detail}))
        elif busy and not self._rendering:
            events.append(("host.render.started", {"project": self.project}))
        self._rendering = busy
        return events
