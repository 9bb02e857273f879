"""A project's own delivery profiles and files: how plugins are told of them, and who may name them."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.catalog.jobs import Planned
from callboard.config import PluginSettings, Settings
from callboard.discovery import Found
from callboard.errors import ManifestError
from callboard.manifests import load_manifest
from callboard.own_files import missing
from callboard.router import Router
from callboard.testing import TmpPlugin, make_asset, make_event
from callboard_schemas import Asset, Captions, CaptionsAccepted, Parameters, TranslationRequested

MANIFEST = """
id = "lays"
name = "lays"
version = "1.0.0"
kind = "transform"
summary = "A plugin of a test."
license = "Apache-2.0"
events = ["captions.accepted", "translation.requested"]
results = ["translation"]
parameters.profile = { type = "string", default = "", help = "Which.", path = "profile" }
parameters.words = { type = "string", default = "", help = "What.", path = "content", project_only = true }
parameters.key = { type = "string", default = "", help = "Where.", path = "file", project_only = true }
"""
SILENT = """
    from callboard import hookimpl

    @hookimpl
    def callboard_handle(event, context):
        return None
"""


@pytest.fixture
def plugin(tmp_plugin: TmpPlugin) -> Found:
    """Give a plugin that is told of a profile and of a file."""
    return tmp_plugin("lays", SILENT, MANIFEST)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project's folder with a profile of its own, which begins with another of its own."""
    folder = tmp_path / "project"
    (folder / "profiles").mkdir(parents=True)
    write(folder, "house", 'extends = "netflix"\nline_length = 36\n')
    write(folder, "ours", 'extends = "house"\n')
    return folder


@pytest.fixture
def film(tmp_path: Path) -> Asset:
    """Give a film."""
    (tmp_path / "film.mov").write_text("a film")
    return make_asset(tmp_path / "film.mov")


def write(folder: Path, name: str, text: str) -> str:
    """Write a profile of a project, and give its path."""
    path = folder / "profiles" / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


def router(plugin: Found, folder: Path, parameters: Parameters) -> Router:
    """Route for a project with these parameters in its settings."""
    settings = Settings(plugins={"lays": PluginSettings(parameters=parameters)})
    return Router([plugin], settings, {}, folder=folder)


def asked(routes: Router, film: Asset, **parameters: str) -> Planned:
    """Plan what a request with parameters causes."""
    request = TranslationRequested(asset=film, parameters=dict(parameters))
    return routes.route(make_event(film, "translation.requested", request), request)[0]


def test_the_projects_own_are_told_by_their_whole_paths(plugin: Found, project: Path, film: Asset) -> None:
    """A name, a path from the project's folder and a whole path are one profile, and one job wherever it is moved."""
    whole = str(project / "profiles" / "ours.toml")
    jobs = [
        asked(router(plugin, project, {"profile": name, "key": "secret/key"}), film)
        for name in ("ours", "profiles/ours.toml", whole)
    ]
    told: list[object] = [job.parameters["profile"] for job in jobs]
    assert told == [whole] * 3
    assert jobs[0].parameters["key"] == str(project / "secret" / "key")
    moved = project.rename(project.with_name("moved"))
    after = asked(router(plugin, moved, {"profile": "ours", "key": "secret/key"}), film)
    assert after.parameters["profile"] == str(moved / "profiles" / "ours.toml")
    assert {job.key for job in jobs} == {after.key}


def test_a_built_in_profile_keeps_its_name(plugin: Found, project: Path, film: Asset) -> None:
    """It is told by its name and adds nothing to a key; one of the project's own of that name takes its place."""
    job = asked(router(plugin, project, {"profile": "bbc"}), film)
    assert (job.parameters["profile"], job.models) == ("bbc", {})
    path = write(project, "bbc", 'extends = "bbc"\n')
    assert asked(router(plugin, project, {"profile": "bbc"}), film).parameters["profile"] == path


@pytest.mark.parametrize("changed", ["ours", "house"])
def test_a_changed_profile_makes_new_jobs(plugin: Found, project: Path, film: Asset, changed: str) -> None:
    """The file and those of the project that it extends are part of the key, also while they say what they must not."""
    routes = router(plugin, project, {"profile": "ours"})
    keys = [asked(routes, film).key, asked(routes, film).key]
    write(project, changed, 'extends = "bbc"\n')
    keys.append(asked(routes, film).key)
    write(project, changed, "line_length = no\n")
    keys.append(asked(routes, film).key)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_changed_content_makes_new_jobs(plugin: Found, project: Path, film: Asset) -> None:
    """What is in a file whose content counts is part of the key, also where it is not there; a key's is not."""
    routes = router(plugin, project, {"words": "words.toml", "key": "key"})
    keys = [asked(routes, film).key]
    for name, text in (("words.toml", "a"), ("key", "secret"), ("words.toml", "b"), ("words.toml", "a")):
        (project / name).write_text(text)
        keys.append(asked(routes, film).key)
    assert [keys.index(key) for key in keys] == [0, 1, 1, 3, 1]
    moved = project.rename(project.with_name("moved"))
    assert asked(router(plugin, moved, {"words": "words.toml", "key": "key"}), film).key == keys[1]


def test_a_request_names_a_profile_and_never_a_file(plugin: Found, project: Path, film: Asset) -> None:
    """It may take a profile of the project's or a built-in one by its name; what is a path is not taken."""
    routes = router(plugin, project, {"profile": "ted"})
    assert asked(routes, film, profile="ours").parameters["profile"] == str(project / "profiles" / "ours.toml")
    assert asked(routes, film, profile="bbc").parameters["profile"] == "bbc"
    for path in (str(project / "profiles" / "ours.toml"), "profiles/ours.toml", "ours.toml", "..\\ours", "~/x.toml"):
        assert asked(routes, film, profile=path, key=path).parameters == {"profile": "ted", "words": "", "key": ""}


def test_captions_are_fitted_to_the_profile_they_were_laid_out_for(plugin: Found, project: Path, film: Asset) -> None:
    """Where nothing is set, the project's own profile that the captions name is told; a file that they name is not."""

    def told(laid_out_for: str, parameters: Parameters) -> object:
        captions = Captions(language="en", cues=(), confidence=1.0, profile=laid_out_for)
        data = CaptionsAccepted(asset=film, captions=captions, proposal="p")
        routes = router(plugin, project, parameters)
        return routes.route(make_event(film, "captions.accepted", data), data)[0].parameters["profile"]

    assert told("ours", {}) == str(project / "profiles" / "ours.toml")
    assert [told("bbc", {}), told("profiles/ours.toml", {}), told("ours", {"profile": "ted"})] == ["", "", "ted"]


def test_what_is_not_there_is_told_before_a_job_is(plugin: Found, project: Path) -> None:
    """Settings that name no profile and no file are found by looking, with what to do."""
    manifest = plugin.manifest
    assert manifest is not None
    (project / "key").touch()
    assert list(missing(manifest, {"profile": "ours", "words": "", "key": "key"}, project)) == []
    told = list(missing(manifest, {"profile": "hose", "words": "", "key": "kee"}, project))
    assert [words in error.message for words, error in zip(("'hose'", "kee"), told, strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('path = "file", project_only = true', 'path = "file"', "project_only"),
        ('type = "string", default = "", help = "Which."', 'type = "integer", default = 1, help = "Which."', "string"),
    ],
)
def test_a_path_is_a_string_and_a_file_the_projects(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A manifest that lets requests name files, or calls a number a path, is refused with the reason."""
    (tmp_path / "manifest.toml").write_text(MANIFEST.replace(old, new))
    with pytest.raises(ManifestError, match=words):
        load_manifest(tmp_path / "manifest.toml")
