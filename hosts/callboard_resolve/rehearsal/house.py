"""The application, its projects and its render queue, as far as the contract goes."""

from __future__ import annotations

from typing import Any

from callboard_resolve.rehearsal.media import Folder, MediaPool
from callboard_resolve.rehearsal.reel import Timeline
from callboard_resolve.rehearsal.stage import Act, Stage

UNTITLED = "Untitled Project"
PAGES = ("media", "cut", "edit", "fusion", "color", "fairlight", "deliver")
DONE = {"en": "Complete", "es": "Finalizado", "de": "Abgeschlossen"}
FAILED = {"en": "Failed", "es": "Fallido", "de": "Fehlgeschlagen"}
WAITS = {"en": "Ready", "es": "Listo", "de": "Bereit"}
RUNS = {"en": "Rendering", "es": "Renderizando", "de": "Rendern"}


class Hang(AssertionError):
    """Here the real one would wait for ever."""


class House(Act):
    """The application: ``resolve``."""

    kind = "Resolve"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.page = "edit"
        self.manager = ProjectManager(stage)

    def get_product_name(self) -> str:
        """Name the edition."""
        return self.stage.terms.product

    def get_version(self) -> list[Any]:
        """Give version, build and suffix."""
        return [*self.stage.terms.version, 1, ""]

    def get_version_string(self) -> str:
        """Give the version as text."""
        return ".".join(map(str, (*self.stage.terms.version, 1)))

    def get_project_manager(self) -> ProjectManager:
        """Give what knows the projects."""
        return self.manager

    def get_current_page(self) -> str | None:
        """Give the page that is open."""
        return None if self.stage.terms.headless else self.page

    def open_page(self, name: str) -> bool:
        """Open a page."""
        if name not in PAGES:
            return False
        self.page = name
        return True


class ProjectManager(Act):
    """The projects of the open database."""

    kind = "ProjectManager"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.saved: dict[str, Project] = {}
        self.current: Project | None = Project(stage, UNTITLED)

    def get_current_project(self) -> Project | None:
        """Give the open project."""
        return self.current

    def get_current_database(self) -> dict[str, str] | None:
        """Name the database; none after a crash."""
        return {"DbType": "Disk", "DbName": "Local Database"} if self.stage.terms.database else None

    def get_project_list_in_current_folder(self) -> list[str]:
        """Name the projects that were saved."""
        return sorted(self.saved)

    def create_project(self, name: str, where: str = "") -> Project | None:
        """Make and open a project; one that was never saved and is open is gone."""
        if name in self.saved or not self.stage.terms.database:
            return None
        self.current = self.saved[name] = Project(self.stage, name)
        return self.current

    def load_project(self, name: str) -> Project | None:
        """Open a saved project."""
        if name not in self.saved:
            return None
        self.current = self.saved[name]
        return self.current

    def close_project(self, project: Project) -> bool:
        """Close the open project without saving it."""
        if self.current is not project:
            return False
        self.current = Project(self.stage, UNTITLED)
        return True

    def delete_project(self, name: str) -> bool:
        """Delete a project that is not open."""
        if name not in self.saved or (self.current is not None and self.current.name == name):
            return False
        del self.saved[name]
        return True

    def save_project(self) -> bool:
        """Save the open project: what an append that failed had placed is dropped; one without a name asks for it."""
        if self.current is None:
            return False
        if self.current.name == UNTITLED:
            raise Hang("SaveProject on 'Untitled Project' waits for ever")
        for timeline in self.current.timelines:
            timeline.drop_doubtful()
        self.saved[self.current.name] = self.current
        return True


class Project(Act):
    """A project."""

    kind = "Project"

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(stage)
        self.name = name
        self.settings = {"timelineFrameRate": stage.terms.rate, "timelineResolutionWidth": "1920"}
        self.settings.update(timelineResolutionHeight="1080", timelineDropFrameTimecode="0")
        self.timelines: list[Timeline] = []
        self.timeline: Timeline | None = None
        self.pool = MediaPool(stage, self, Folder(stage, "Master"))
        self.jobs: dict[str, dict[str, Any]] = {}
        self.target = ""

    def get_name(self) -> str:
        """Give its name."""
        return self.name

    def get_media_pool(self) -> MediaPool:
        """Give its media."""
        return self.pool

    def get_current_timeline(self) -> Timeline | None:
        """Give the open timeline."""
        return self.timeline

    def set_current_timeline(self, timeline: Timeline) -> bool:
        """Open a timeline."""
        if timeline not in self.timelines:
            return False
        self.timeline = timeline
        return True

    def get_timeline_count(self) -> int:
        """Count the timelines."""
        return len(self.timelines)

    def get_timeline_by_index(self, index: int) -> Timeline | None:
        """Give a timeline, from 1."""
        return self.timelines[index - 1] if 1 <= index <= len(self.timelines) else None

    def get_setting(self, name: str = "") -> Any:
        """Give a setting as text; all of them without a name."""
        return self.settings.get(name, "") if name else dict(self.settings)

    def set_setting(self, name: str, value: str) -> bool:
        """Set a setting; the frame rate is fixed once there is a timeline."""
        if not isinstance(value, str) or (name == "timelineFrameRate" and self.timelines):
            return False
        self.settings[name] = value
        return True

    def set_render_settings(self, settings: dict[str, Any]) -> bool:
        """Set where renders go."""
        self.target = str(settings.get("TargetDir", self.target))
        return True

    def add_render_job(self) -> str:
        """Queue a render of the open timeline; nothing without one."""
        if self.timeline is None or not self.target:
            return ""
        job = f"job-{next(self.stage.ids)}"
        self.jobs[job] = {"percent": 0, "error": ""}
        return job

    def delete_render_job(self, job: str) -> bool:
        """Take a job out of the queue."""
        return self.jobs.pop(job, None) is not None

    def is_rendering_in_progress(self) -> bool:
        """Say whether a render runs."""
        return any(0 < job["percent"] < 100 and not job["error"] for job in self.jobs.values())

    def get_render_job_list(self) -> list[dict[str, Any]]:
        """List the jobs."""
        return [{"JobId": job, "RenderJobName": job, "TargetDir": self.target} for job in self.jobs]

    def get_render_job_status(self, job: str) -> dict[str, Any]:
        """Tell of a job, in the language of the window but for the numbers."""
        state = self.jobs.get(job)
        if state is None:
            return {}
        words = FAILED if state["error"] else DONE if state["percent"] >= 100 else RUNS if state["percent"] else WAITS
        status: dict[str, Any] = {"JobStatus": words[self.stage.terms.language]}
        status["CompletionPercentage"] = state["percent"]
        return {**status, "Error": state["error"]} if state["error"] else status
