"""The guard as a whole: what may be made, what may not, what has to wait, and a line in the audit for each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import callboard_placeholder
import pytest
from callboard.audit import Line, read, verify
from callboard.context import Context
from callboard.errors import Blocked, JobError
from callboard.manifests import FILE_NAME, load_manifest, resolve_parameters
from callboard.plugin.context import JobContext, Surroundings
from callboard_placeholder import guard
from callboard_placeholder.engine import Made
from callboard_schemas import Brief, Neighbour, Placeholder, PlaceholderRequested
from msgspec.structs import replace

MANIFEST = load_manifest(Path(str(callboard_placeholder.__file__)).parent / FILE_NAME)
ASKED = PlaceholderRequested(
    shot="SH010", frames=48, counted="24", versions=2, by="zoe", brief=Brief(purpose="He draws a gun", slug="INT. BANK")
)
TOLD = Placeholder(
    shot="SH010",
    generator="diffusion",
    file="/show/placeholders/SH010/SH010_PLACEHOLDER_v001_diffusion.mov",
    digest="sha256:" + "ab" * 32,
    confidence=1.0,
    prompt="a man in a bank",
    negative="text",
    seed=7,
    models={"sd-turbo": "sha256:cd"},
    references={"art/mood.png": "sha256:" + "ef" * 32},
    credentials="Studio Seven",
)


class Project:
    """A project with settings for the plugin, and what its audit says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "plugins" / "placeholder"

    def context(self, **parameters: Any) -> Context:
        """Give what a job is handed."""
        return JobContext(
            parameters=resolve_parameters(MANIFEST, parameters),
            path=None,
            asset=None,
            log=logging.getLogger("test"),
            surroundings=Surroundings(),
            folder=self.folder,
        )

    def lines(self) -> list[Line]:
        """Give the audit."""
        assert verify(self.folder).problems == ()
        return list(read(self.folder))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project."""
    return Project(tmp_path)


def made(prompt: str) -> Made:
    """Give what an engine gives before its pictures are taken."""
    return Made(pictures=iter(()), prompt=prompt, negative="gun", source_type="trainedAlgorithmicMedia")


def test_a_banned_term_is_refused_for_engines_that_dream(project: Project) -> None:
    """A draft is refused and audited; a slate shows the script's own words, and a request for both is refused whole."""
    context = project.context(banned_terms=["guns"])
    guard.check(ASKED, ["slate", "previs", "black"], context)
    assert project.lines() == []
    for engines in (["diffusion"], ["diffusion"], ["slate", "comfyui"]):
        with pytest.raises(JobError, match="'guns' is a banned term"):
            guard.check(ASKED, engines, context)
    first, second = project.lines()
    assert (first.entry.decision, first.entry.shot, first.entry.by) == ("refused", "SH010", "zoe")
    assert first.entry.engines == ("diffusion",)
    assert "brief.purpose says 'gun'" in first.entry.reason
    assert second.entry.engines == ("slate", "comfyui")


def test_a_rule_for_everywhere_holds_for_slates(project: Project, tmp_path: Path) -> None:
    """What may not even be read aloud is refused for every engine."""
    path = tmp_path / "guard.toml"
    path.write_text('[[terms]]\nterm = "gun"\neverywhere = true\n[[terms]]\nterm = "bank"\n')
    with pytest.raises(JobError, match=r"'gun' is a banned term for slate \(guard.toml\)"):
        guard.check(ASKED, ["slate"], project.context(guard=str(path)))
    harmless = replace(ASKED, brief=Brief(slug="INT. BANK"))
    guard.check(harmless, ["slate"], project.context(guard=str(path)))


def test_a_likeness_is_refused_until_the_project_allows_it(project: Project) -> None:
    """A name that somebody is to look like is no setting of a request."""
    asked = replace(ASKED, brief=Brief(purpose="portrait of Tom Hanks"), parameters={"likeness": "allowed"})
    with pytest.raises(JobError, match="likeness of 'Tom Hanks'"):
        guard.check(asked, ["diffusion"], project.context())
    guard.check(asked, ["slate"], project.context())
    guard.check(asked, ["diffusion"], project.context(likeness="allowed"))


def test_the_composed_prompt_is_looked_at_too(project: Project) -> None:
    """What a template or a neighbour's tag brings in is found before a picture is made; the negative may name it."""
    context = project.context(banned_terms=["gun"])
    guard.prompted(ASKED, "diffusion", made("a man in a bank"), context)
    guard.prompted(ASKED, "slate", made("a gun"), context)
    with pytest.raises(JobError, match="the prompt says 'guns'"):
        guard.prompted(ASKED, "diffusion", made("a bank, guns"), context)
    with pytest.raises(JobError, match="likeness of 'Tom Hanks'"):
        guard.prompted(ASKED, "diffusion", made("starring Tom Hanks"), context)
    assert [line.entry.prompt for line in project.lines()] == ["a bank, guns", "starring Tom Hanks"]


def test_what_a_template_makes_of_a_brief_is_looked_at_first(project: Project) -> None:
    """A neighbour's tag that goes into the prompt is refused before anything leaves for a server."""
    neighbours = (Neighbour(side="before", tags=("weapons",)),)
    asked = replace(ASKED, brief=Brief(purpose="He waits", neighbours=neighbours))
    template = project.folder.parent / "prompts.toml"
    template.parent.mkdir(parents=True)
    template.write_text('prompt = ["{purpose}", "after {before}"]\n')
    context = project.context(banned_terms=["weapon"], prompts=str(template))
    guard.check(replace(asked, brief=Brief(purpose="He waits")), ["comfyui"], context)
    with pytest.raises(JobError, match="the prompt says 'weapons'"):
        guard.check(asked, ["comfyui"], context)


def test_limits_hold_for_engines_that_cost(project: Project) -> None:
    """Versions and seconds are counted over requests, a slate costs nothing, and what waits is audited once."""
    context = project.context(versions_per_hour=4, seconds_per_day=9.0)
    for _ in range(3):
        guard.check(ASKED, ["slate", "previs"], context)
    guard.check(ASKED, ["diffusion"], context)
    guard.wrote(TOLD, ASKED, context)
    other = replace(ASKED, shot="SH020")
    guard.check(other, ["diffusion"], context)
    third = replace(ASKED, shot="SH030")
    for _ in range(3):
        with pytest.raises(Blocked, match="4 versions in one hour is reached"):
            guard.check(third, ["diffusion"], context)
    roomy = project.context(versions_per_hour=0, seconds_per_day=9.0)
    with pytest.raises(Blocked, match="9 seconds in one day is reached") as caught:
        guard.check(third, ["diffusion"], roomy)
    assert "free again at" in caught.value.hint
    assert [line.entry.decision for line in project.lines()] == ["made", "waits", "waits"]


def test_what_was_made_is_written_down_with_everything(project: Project) -> None:
    """Model, prompt, seed, references, who asked, and the file's digest stand in the audit; no setting does."""
    context = project.context(private_key="", banned_terms=["secretword"])
    asked = replace(ASKED, parameters={"references_agreed": True})
    guard.wrote(TOLD, asked, context)
    (line,) = project.lines()
    entry = line.entry
    assert (entry.decision, entry.by, entry.agreed, entry.seed) == ("made", "zoe", True, 7)
    assert (entry.prompt, entry.negative, entry.models) == (TOLD.prompt, TOLD.negative, TOLD.models)
    assert (entry.file, entry.digest, entry.references) == (TOLD.file, TOLD.digest, TOLD.references)
    assert entry.credentials == "Studio Seven"
    assert entry.request.startswith("sha256:")
    assert "secretword" not in (project.folder / "audit.jsonl").read_text()


def test_a_studio_that_cannot_sign_hears_it_before_anything_is_made(project: Project, tmp_path: Path) -> None:
    """A certificate that is not there stops the job at its beginning, whatever the engine."""
    missing = {"certificate": str(tmp_path / "none.pem"), "private_key": str(tmp_path / "none.key")}
    with pytest.raises(Blocked, match="cannot be read"):
        guard.check(ASKED, ["slate"], project.context(**missing))


def test_without_a_place_to_write_nothing_is_made(project: Project) -> None:
    """An audit that cannot be written stops the job."""
    context = project.context(banned_terms=["gun"])
    project.folder.parent.mkdir(parents=True)
    project.folder.write_text("a file")
    with pytest.raises(Blocked, match="cannot be written"):
        guard.wrote(TOLD, ASKED, context)


def test_outside_a_project_nothing_is_made(project: Project) -> None:
    """Where there is no folder for an audit there is no placeholder."""
    project.folder = None  # type: ignore[assignment]  # as a context without a project has it
    with pytest.raises(Blocked, match="nowhere to write"):
        guard.check(ASKED, ["slate"], project.context())
