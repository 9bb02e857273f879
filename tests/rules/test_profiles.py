"""Delivery profiles: the built-in ones, what a language changes, a project's own, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.errors import ProfileError
from callboard.timedtext.profile import languages, load, names
from callboard.timedtext.rate import parse_rate


def put(folder: Path, name: str, text: str) -> Path:
    """Write a profile into a project."""
    (folder / "profiles").mkdir(exist_ok=True)
    path = folder / "profiles" / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_built_in_profile_loads_for_each_language_it_names() -> None:
    """Every built-in profile is valid in all of its languages, and says where its numbers are published."""
    assert {"bbc", "broadcast", "netflix", "netflix-children", "netflix-sdh", "ted", "web"} <= set(names())
    for name in names():
        for language in ("", *languages(name), "xx"):
            profile = load(name, language)
            assert (profile.name, profile.language) == (name, language)
            assert profile.source.startswith("https://")


@pytest.mark.parametrize(
    ("name", "language", "length", "speed"),
    [
        ("netflix", "de", 42, 17),
        ("netflix", "en", 42, 20),
        ("netflix", "ja", 13, 4),
        ("netflix", "ko", 16, 12),
        ("netflix", "zh-TW", 16, 9),
        ("netflix", "th", 35, 17),
        ("netflix", "ru", 39, 17),
        ("netflix-children", "de", 42, 13),
        ("netflix-children", "en-GB", 42, 17),
        ("netflix-children", "ja", 13, 4),
        ("netflix-sdh", "ja", 16, 7),
        ("netflix-sdh-children", "ko", 16, 11),
        ("bbc", "en", 37, 15),
        ("ted", "", 42, 21),
    ],
)
def test_the_published_numbers_hold(name: str, language: str, length: int, speed: float) -> None:
    """Line length and reading speed are those of the published guides, for the language and its variants."""
    profile = load(name, language)
    assert (profile.line_length, profile.reading_speed) == (length, speed)


def test_a_regional_variant_adds_to_its_language() -> None:
    """Brazilian Portuguese has what Portuguese says, and its own source."""
    assert load("netflix", "pt-BR").dash == load("netflix", "pt").dash == "- "
    assert load("netflix", "pt-br").source != load("netflix", "pt").source


def test_half_a_second_of_frames_follows_the_rate() -> None:
    """Gaps shorter than half a second are closed, and shots draw cues within half a second, at every rate."""
    netflix, bbc = load("netflix"), load("bbc")
    frames = {
        rate: (netflix.closed_within(parse_rate(rate)), netflix.snapped_within(parse_rate(rate)))
        for rate in ("23.976", "24", "25", "30", "50", "59.94")
    }
    assert frames == {
        "23.976": (11, 12),
        "24": (11, 12),
        "25": (12, 13),
        "30": (14, 15),
        "50": (24, 25),
        "59.94": (29, 30),
    }
    assert (bbc.closed_within(parse_rate("25")), bbc.snapped_within(parse_rate("25"))) == (24, 0)
    assert load("ted").closed_within(parse_rate("25")) == 0


def test_a_project_adds_its_own(tmp_path: Path) -> None:
    """A project's file is found by name, extends a built-in one, and may bear the built-in's name."""
    put(tmp_path, "house", 'extends = "netflix"\nline_length = 36\n[language.ja]\nline_length = 12\n')
    put(tmp_path, "netflix", 'extends = "netflix"\nlongest = 6.0\n')
    assert set(names(tmp_path)) == {*names(), "house"}
    assert load("house", "de", tmp_path).line_length == 36
    house = load("house", "ja", tmp_path)
    assert (house.line_length, house.reading_speed, house.width, house.name) == (12, 4.0, "half", "house")
    assert (load("netflix", "", tmp_path).longest, load("netflix").longest) == (6.0, 7.0)
    assert load("house", "", tmp_path).longest == 6.0


def test_a_path_is_a_profile_too(tmp_path: Path) -> None:
    """A TOML file is used by its path, wherever it is."""
    path = put(tmp_path, "mine", "lines = 3\n")
    assert (load(str(path)).lines, load(str(path)).name) == (3, "mine")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("line_lenght = 40", "line_lenght"),
        ("line_length = 400", "line_length"),
        ("lines = 'two'", "lines"),
        ("language = 'ja'", "[language.ja]"),
        ("[language.ja]\nreading_speed = 0", "reading_speed"),
        ("shortest = 7.0\nlongest = 2.0", "not below longest"),
        ("lines = ", "Invalid value"),
        ('extends = "nothing"', "no such profile"),
        ("extends = 3", "extends"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """A profile that does not say what it must is refused in words that name what is wrong."""
    put(tmp_path, "wrong", text)
    with pytest.raises(ProfileError) as refused:
        load("wrong", "ja", tmp_path)
    assert told in str(refused.value)


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    """A circle of profiles ends in an error, not in a hang."""
    put(tmp_path, "one", 'extends = "two"')
    put(tmp_path, "two", 'extends = "one"')
    with pytest.raises(ProfileError):
        load("one", "", tmp_path)


def test_an_unknown_profile_names_those_there_are(tmp_path: Path) -> None:
    """The error for a name that is not there lists the names, the project's among them."""
    put(tmp_path, "house", "lines = 2")
    with pytest.raises(ProfileError) as refused:
        load("hause", "", tmp_path)
    assert {"house", "netflix", "bbc"} <= set(refused.value.known)
    assert "house" in refused.value.hint
    with pytest.raises(ProfileError):
        load(str(tmp_path / "none.toml"))
