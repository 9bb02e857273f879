"""Which file is of which shot."""

import pytest
from callboard.errors import UsageError
from callboard.shots import Match, best, check_pattern, of_name


@pytest.mark.parametrize(
    ("path", "shot", "version"),
    [
        ("SH010.mov", "SH010", None),
        ("/show/in/sh010_comp_v003.exr", "SH010", 3),
        ("SH010.%04d.exr", "SH010", None),
        ("SH010_v012.%04d.exr", "sh010", 12),
        ("SH010.####.exr", "SH010", None),
        ("SH010.1001.exr", "SH010", None),
        ("010_0020_v2", "010_0020", 2),
        ("010_0020_v2.mov", "010-0020", 2),
        ("SH010_3.mov", "SH010", 3),
        ("SH010v007.mov", "SH010", 7),
        ("SH010-comp-ver2.mov", "SH010", 2),
        ("SH010_v001_v002.mov", "SH010", 2),
        ("SH 010 final.mov", "SH_010", None),
        ("C:\\show\\SH010_v004.mov", "SH010", 4),
        (b"in/SH010_v001.mov", "SH010", 1),
        ("scene_3_v2.mov", "scene_3", 2),
        ("SH010_1080p.mov", "SH010", None),
        ("Cafe\u0301_010.mov", "caf\xe9_010", None),
    ],
)
def test_a_file_named_after_a_shot_is_of_it(path: str, shot: str, version: int | None) -> None:
    """A shot's name at the beginning of a file's, whole, is the shot, and a version behind it is read."""
    found = of_name(path, shot)
    assert found is not None
    assert (found.shot, found.version) == (shot, version)


@pytest.mark.parametrize(
    ("path", "shot"),
    [
        ("SH0100.mov", "SH010"),
        ("ASH010.mov", "SH010"),
        ("SH010A.mov", "SH010"),
        ("film_SH010.mov", "SH010"),
        ("010_0020_v2.mov", "010"),
        ("010_0020.mov", "010"),
        ("SH010/plate.mov", "SH010"),
        ("SH010_PLACEHOLDER_v001_slate.mov", "SH010"),
        ("SH010_PLACEHOLDER_sheet.png", "SH010"),
        ("1_v2.mov", "1"),
        ("SH010.mov", ""),
        ("SH010.mov", "_._"),
        ("SH01.mov", "SH010"),
    ],
)
def test_other_names_are_of_no_shot(path: str, shot: str) -> None:
    """Longer names, other shots' numbers, folders, placeholders and names that say too little are no match."""
    assert of_name(path, shot) is None


def test_the_longest_of_several_shots_is_meant() -> None:
    """A file whose name begins with two shots' names is of the one with the longer name."""
    shots = ["SQ1", "SQ1_0020", "SQ1_0020_B"]
    assert best("SQ1_0020_v003.mov", shots) == Match("SQ1_0020", 3, "v003")
    assert best("other.mov", shots) is None


@pytest.mark.parametrize(
    ("pattern", "path", "version"),
    [
        ("film_*_{shot}_*_v{version}", "film_sq01_SH010_comp_v003.%04d.exr", 3),
        ("{shot}/*/v{version}/*", "/show/SH010/comp/v012/beauty.%04d.exr", 12),
        ("*{shot}*", "film_SH010_v2.mov", 2),
    ],
)
def test_a_project_names_its_files_as_it_likes(pattern: str, path: str, version: int) -> None:
    """A pattern finds the shot and the version where the project puts them, and only the whole shot."""
    check_pattern(pattern)
    found = of_name(path, "SH010", (pattern,))
    assert found is not None
    assert found.version == version
    assert of_name(path.replace("SH010", "SH0101"), "SH010", (pattern,)) is None


def test_a_pattern_takes_the_place_of_the_usual_rule() -> None:
    """With patterns, a file that only the usual rule would take is of no shot."""
    assert of_name("SH010.mov", "SH010", ("film_{shot}",)) is None


@pytest.mark.parametrize("pattern", ["*", "{shot}_{take}", "{shot}{shot}", "{shot", "{shot}_{version}_{version}"])
def test_a_pattern_that_names_no_shot_is_refused(pattern: str) -> None:
    """A pattern needs the shot once, and has no fields but those there are."""
    with pytest.raises(UsageError):
        check_pattern(pattern)
