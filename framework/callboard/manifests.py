"""``manifest.toml``: read, checked by rules that a schema cannot say, and its parameters resolved."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from callboard_schemas import MESSAGE_TYPES, Manifest, Parameter, Parameters, Scalar

from callboard.errors import ManifestError, UsageError

FILE_NAME = "manifest.toml"
LARGEST = 256 * 1024
"""Bytes of a manifest; a longer file is refused unread."""

_KINDS: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}
_NAMES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_AT = re.compile(r"^(.*?) - at `\$\.?(.*)`$")

Value = Scalar | list[str]


def nearest(name: str, names: Iterable[str]) -> str:
    """Give ``"; did you mean 'x'?"`` for the closest of *names*, or nothing."""
    close = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def load_manifest(path: Path, plugin: str = "") -> Manifest:
    """Read and check a manifest.

    Args:
        path: The ``manifest.toml``.
        plugin: The id to name in errors; the folder's name when not given.

    Raises:
        ManifestError: naming the file, the key and the rule.
    """
    plugin = plugin or path.parent.name
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ManifestError(plugin, f"{path}: longer than {LARGEST} bytes")
        table = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ManifestError(plugin, f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ManifestError(plugin, f"{path}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ManifestError(plugin, f"{path}: not TOML: {error}") from None
    return _checked(plugin, path, table)


def _checked(plugin: str, path: Path, table: dict[str, Any]) -> Manifest:
    try:
        _convert_parameters(table.get("parameters"))
        manifest = msgspec.convert(table, Manifest)
        _check_rules(manifest)
    except msgspec.ValidationError as error:
        raise ManifestError(plugin, f"{path}: {_explain(str(error), Manifest)}") from None
    except ValueError as error:
        raise ManifestError(plugin, f"{path}: {error}") from None
    return manifest


def _convert_parameters(table: object) -> None:
    """Convert each parameter alone: msgspec does not name the key of a dict in its messages."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        try:
            msgspec.convert(value, Parameter)
        except msgspec.ValidationError as error:
            raise ValueError(_explain(str(error), Parameter, f"parameters.{name}")) from None


def _explain(problem: str, struct: type[msgspec.Struct], under: str = "") -> str:
    """Turn msgspec's message into ``key: rule``."""
    found = _AT.match(problem)
    rule, key = (found[1], found[2]) if found else (problem, "")
    unknown = _UNKNOWN.search(rule)
    if unknown:
        key = f"{key}.{unknown[1]}" if key else unknown[1]
        rule = "no such key" + nearest(unknown[1], struct.__struct_fields__)
    key = ".".join(part for part in (under, key) if part)
    return f"{key}: {rule}" if key else rule


def _check_rules(manifest: Manifest) -> None:
    if not manifest.events:
        raise ValueError("events: a plugin that answers no event is never called")
    for event in manifest.events:
        if event not in MESSAGE_TYPES:
            raise ValueError(f"events: {event!r} is not an event type{nearest(event, MESSAGE_TYPES)}")
    lists = (manifest.each,) if manifest.each else ()
    for key, names in (("idle_without", manifest.idle_without), ("sends_to", manifest.sends_to), ("each", lists)):
        for name in names:
            if name not in manifest.parameters:
                raise ValueError(f"{key}: there is no parameter {name!r}{nearest(name, manifest.parameters)}")
    if manifest.each and manifest.parameters[manifest.each].type != "strings":
        raise ValueError("each: its parameter must be of the type strings")
    if not all(manifest.parameters[name].project_only for name in manifest.sends_to):
        raise ValueError("sends_to: its parameters must say project_only = true")
    if manifest.sends_to and "network" not in manifest.permissions:
        raise ValueError('sends_to: a plugin that sends anything says "network" under permissions')
    for name, parameter in manifest.parameters.items():
        _check_parameter(f"parameters.{name}", parameter)


def _check_parameter(key: str, parameter: Parameter) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None or high is not None) and parameter.type not in ("integer", "number"):
        raise ValueError(f"{key}: only an integer or a number has a minimum or a maximum")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{key}: the minimum {low:g} is more than the maximum {high:g}")
    if parameter.choices and parameter.type not in ("string", "strings"):
        raise ValueError(f"{key}: only a string or strings can have choices")
    if parameter.path and parameter.type != "string":
        raise ValueError(f"{key}: what is a path must be of the type string")
    if parameter.path in ("file", "content") and not parameter.project_only:
        raise ValueError(f"{key}: what names a file must say project_only = true")
    problem = unfit(parameter, parameter.default)
    if problem:
        raise ValueError(f"{key}.default: {problem}")


def unfit(parameter: Parameter, value: object) -> str:
    """Say why *value* does not fit *parameter*; empty when it does."""
    if parameter.type == "strings":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return f"{value!r} is not a list of text"
        return next((reason for item in value if (reason := _unchosen(parameter, item))), "")
    # bool is an int to Python, but not to who writes a setting
    if not isinstance(value, _KINDS[parameter.type]) or (isinstance(value, bool) and parameter.type != "boolean"):
        return f"{value!r} is not {_NAMES[parameter.type]}"
    if isinstance(value, str):
        return _unchosen(parameter, value)
    assert isinstance(value, (int, float))
    return "" if isinstance(value, bool) else _out_of_range(parameter, value)


def _unchosen(parameter: Parameter, value: str) -> str:
    if not parameter.choices or value in parameter.choices:
        return ""
    return f"{value!r} is none of {', '.join(parameter.choices)}{nearest(value, parameter.choices)}"


def _out_of_range(parameter: Parameter, value: float) -> str:
    if not math.isfinite(value):
        return f"{value!r} is not a finite number"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"{value:g} is less than the minimum {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"{value:g} is more than the maximum {parameter.maximum:g}"
    return ""


def resolve_parameters(manifest: Manifest, overrides: Mapping[str, Value]) -> Parameters:
    """Overlay the manifest's defaults with *overrides*, checked.

    Returns:
        Every parameter of the manifest, in its order; a ``number`` is always a float.

    Raises:
        UsageError: a name is unknown (the nearest is suggested) or a value does not fit.
    """
    known = manifest.parameters
    for name, value in overrides.items():
        if name not in known:
            raise UsageError(
                f"plugin {manifest.id!r} has no parameter {name!r}{nearest(name, known)}",
                f"It has: {', '.join(known)}." if known else "It has none.",
            )
        problem = unfit(known[name], value)
        if problem:
            raise UsageError(f"parameter {name!r} of plugin {manifest.id!r}: {problem}", known[name].help)
    resolved: Parameters = {}
    for name, parameter in known.items():
        value = overrides.get(name, parameter.default)
        if parameter.type == "number" and isinstance(value, int):
            value = float(value)
        resolved[name] = list(value) if isinstance(value, list) else value
    return resolved


__all__ = ["FILE_NAME", "load_manifest", "nearest", "resolve_parameters", "unfit"]
