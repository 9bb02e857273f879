"""Manifests: what is refused and how it is said, and parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.errors import ManifestError, UsageError
from callboard.manifests import load_manifest, resolve_parameters
from callboard_schemas import Manifest, Parameter

GOOD = """
id = "shout"
name = "Shout"
version = "1.0.0"
kind = "analyse"
summary = "Says it louder."
license = "Apache-2.0"
events = ["media.settled"]
results = ["tags"]
"""

WRONG = {
    "not-toml": ("id = ", "not TOML: Invalid value (at end of document)"),
    "missing-key": (GOOD.replace('name = "Shout"', ""), "Object missing required field `name`"),
    "unknown-key": (GOOD + 'licence = "MIT"', "licence: no such key; did you mean 'license'?"),
    "wrong-type": (GOOD.replace('"1.0.0"', "1"), "version: Expected `str`, got `int`"),
    "bad-version": (
        GOOD.replace("1.0.0", "one"),
        r"version: Expected `str` matching regex '^\\d+\\.\\d+\\.\\d+([-+][0-9A-Za-z.-]+)?$'",
    ),
    "bad-kind": (GOOD.replace("analyse", "analyze"), "kind: Invalid enum value 'analyze'"),
    "no-events": (GOOD.replace('"media.settled"', ""), "events: a plugin that answers no event is never called"),
    "unknown-event": (
        GOOD.replace("media.settled", "media.setled"),
        "events: 'media.setled' is not an event type; did you mean 'media.settled'?",
    ),
    "unknown-result": (GOOD.replace('["tags"]', '["tag"]'), "results[0]: Invalid enum value 'tag'"),
    "negative-deadline": (GOOD + "deadline = -1", "deadline: Expected `float` > 0.0"),
    "parameter-not-table": (GOOD + "parameters = {x = 1}", "parameters.x: Expected `object`, got `int`"),
    "parameter-unknown-key": (
        GOOD + 'parameters = {x = {type = "integer", defualt = 1, help = ""}}',
        "parameters.x.defualt: no such key; did you mean 'default'?",
    ),
    "parameter-unknown-type": (
        GOOD + 'parameters = {x = {type = "int", default = 1, help = ""}}',
        "parameters.x.type: Invalid enum value 'int'",
    ),
    "default-of-other-type": (
        GOOD + 'parameters = {x = {type = "integer", default = 1.5, help = ""}}',
        "parameters.x.default: 1.5 is not a whole number",
    ),
    "default-boolean-for-integer": (
        GOOD + 'parameters = {x = {type = "integer", default = true, help = ""}}',
        "parameters.x.default: True is not a whole number",
    ),
    "default-above-maximum": (
        GOOD + 'parameters = {x = {type = "number", default = 2, maximum = 1.5, help = ""}}',
        "parameters.x.default: 2 is more than the maximum 1.5",
    ),
    "default-below-minimum": (
        GOOD + 'parameters = {x = {type = "integer", default = -1, minimum = 0, help = ""}}',
        "parameters.x.default: -1 is less than the minimum 0",
    ),
    "default-not-finite": (
        GOOD + 'parameters = {x = {type = "number", default = nan, help = ""}}',
        "parameters.x.default: nan is not a finite number",
    ),
    "default-not-a-choice": (
        GOOD + 'parameters = {x = {type = "string", default = "larg", choices = ["small", "large"], help = ""}}',
        "parameters.x.default: 'larg' is none of small, large; did you mean 'large'?",
    ),
    "strings-not-a-choice": (
        GOOD + 'parameters = {x = {type = "strings", default = ["a", "z"], choices = ["a", "b"], help = ""}}',
        "parameters.x.default: 'z' is none of a, b",
    ),
    "strings-of-numbers": (
        GOOD + 'parameters = {x = {type = "strings", default = "a", help = ""}}',
        "parameters.x.default: 'a' is not a list of text",
    ),
    "limits-on-text": (
        GOOD + 'parameters = {x = {type = "string", default = "a", minimum = 1, help = ""}}',
        "parameters.x: only an integer or a number has a minimum or a maximum",
    ),
    "limits-crossed": (
        GOOD + 'parameters = {x = {type = "integer", default = 1, minimum = 2, maximum = 1, help = ""}}',
        "parameters.x: the minimum 2 is more than the maximum 1",
    ),
    "choices-of-numbers": (
        GOOD + 'parameters = {x = {type = "integer", default = 1, choices = ["1"], help = ""}}',
        "parameters.x: only a string or strings can have choices",
    ),
}


def test_a_small_manifest_is_enough(tmp_path: Path) -> None:
    """The required keys alone make a manifest, with the defaults of the rest."""
    path = tmp_path / "manifest.toml"
    path.write_text(GOOD)
    manifest = load_manifest(path)
    assert (manifest.id, manifest.deadline, manifest.concurrency, manifest.parameters) == ("shout", 600.0, 2, {})


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_is_refused_with_file_key_and_rule(tmp_path: Path, case: str) -> None:
    """Each mistake gives one message: the plugin, the file, the key and the rule, and what to do next."""
    text, rule = WRONG[case]
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, "shout")
    assert str(caught.value) == f"plugin 'shout': {path}: {rule}\n'callboard plugins check shout' says more."


def test_a_file_that_cannot_be_read_is_a_manifest_error(tmp_path: Path) -> None:
    """Missing, binary and endless files are told apart."""
    path = tmp_path / "shout" / "manifest.toml"
    path.parent.mkdir()
    with pytest.raises(ManifestError, match="No such file"):
        load_manifest(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="not UTF-8"):
        load_manifest(path)
    path.write_bytes(b"#" * 300_000)
    with pytest.raises(ManifestError, match=r"plugin 'shout': .*longer than 262144 bytes"):
        load_manifest(path)


def manifest(**parameters: Parameter) -> Manifest:
    """Make a manifest with parameters."""
    return Manifest(
        id="shout",
        name="Shout",
        version="1.0.0",
        kind="analyse",
        summary="s",
        license="MIT",
        events=("media.settled",),
        results=("tags",),
        parameters=parameters,
    )


RATE = Parameter(type="number", default=1, help="Words per second, 0 to 10.", minimum=0, maximum=10)
SIZE = Parameter(type="string", default="small", help="small or large", choices=("small", "large"))
WORDS = Parameter(type="strings", default=["a"], help="Words.")
LOUD = Parameter(type="boolean", default=False, help="Whether.")


def test_parameters_are_defaults_overlaid_by_settings() -> None:
    """Every parameter is there, numbers are floats, and defaults cannot be changed through the result."""
    known = manifest(rate=RATE, size=SIZE, words=WORDS, loud=LOUD)
    resolved = resolve_parameters(known, {"size": "large", "loud": True})
    assert resolved == {"rate": 1.0, "size": "large", "words": ["a"], "loud": True}
    assert isinstance(resolved["rate"], float)
    words = resolved["words"]
    assert isinstance(words, list)
    words.append("b")
    assert resolve_parameters(known, {})["words"] == ["a"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rat", 1, "plugin 'shout' has no parameter 'rat'; did you mean 'rate'?\nIt has: rate, size, words, loud."),
        ("rate", "fast", "parameter 'rate' of plugin 'shout': 'fast' is not a number\nWords per second, 0 to 10."),
        (
            "rate",
            11,
            "parameter 'rate' of plugin 'shout': 11 is more than the maximum 10\nWords per second, 0 to 10.",
        ),
        (
            "size",
            "smal",
            "parameter 'size' of plugin 'shout': 'smal' is none of small, large; did you mean 'small'?\nsmall or large",
        ),
        ("loud", 1, "parameter 'loud' of plugin 'shout': 1 is not true or false\nWhether."),
        ("words", [1], "parameter 'words' of plugin 'shout': [1] is not a list of text\nWords."),
    ],
)
def test_a_parameter_that_does_not_fit_is_wrong_usage(name: str, value: object, message: str) -> None:
    """Unknown names suggest the nearest; values say the rule and the parameter's help."""
    with pytest.raises(UsageError) as caught:
        resolve_parameters(manifest(rate=RATE, size=SIZE, words=WORDS, loud=LOUD), {name: value})  # type: ignore[dict-item] # wrong on purpose
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_a_plugin_without_parameters_says_so() -> None:
    """The hint of an unknown parameter is honest about there being none."""
    with pytest.raises(UsageError, match=r"^plugin 'shout' has no parameter 'x'\nIt has none\.$"):
        resolve_parameters(manifest(), {"x": 1})
