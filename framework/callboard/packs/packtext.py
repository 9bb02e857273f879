"""Writes a pack as the TOML file that it is read from; the same pack is always the same text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from callboard.packs.packfile import Pack
from callboard.replacing import replacing

_BARE: Final = re.compile(r"^[A-Za-z0-9_-]+$")
_UNWRITTEN: Final = frozenset({"origin", "problem", "store", "refused", "parts"})


def pack_text(pack: Pack) -> str:
    """Give the TOML text of *pack*; what has its default is left out."""
    default = {field.name: field.default for field in msgspec.structs.fields(Pack)}
    plain = {
        key: msgspec.to_builtins(value)
        for key, value in msgspec.structs.asdict(pack).items()
        if key not in _UNWRITTEN and value != default[key] and value not in ({}, ())
    }
    return "\n".join(_table(plain, ())) + "\n"


def write_pack(pack: Pack, path: Path) -> None:
    """Write the TOML file of *pack*, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durable=True, shared=True) as file:
        file.write(pack_text(pack).encode())


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Write a table: its own values first, then the tables in it, as TOML wants it."""
    tables = {key: value for key, value in values.items() if _is_table(value)}
    for key, value in values.items():
        if key not in tables and value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        name = ".".join(map(_key, (*path, key)))
        for one in value if isinstance(value, list | tuple) else [value]:
            yield ""
            yield f"[[{name}]]" if isinstance(value, list | tuple) else f"[{name}]"
            yield from _table(one, (*path, key))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _key(key: str) -> str:
    return key if _BARE.match(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, str):
        # DEL is the one character that JSON leaves as it is and TOML does not take.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


__all__ = ["pack_text", "write_pack"]
