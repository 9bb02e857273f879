"""Joins the bridge into one file, which works wherever it is put: ``python -m callboard_bridge.onefile FILE``.

A FILE that ends in ``.lua`` becomes the LuaJIT twin.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

PACKAGE = "callboard_bridge"
NOT_PART = ("__init__", "example", "onefile")
HEAD = '''"""The bridge between an application and Callboard, in one file: put it where your script finds it.

    bridge = Bridge.for_project("/path/to/project", "Maya", "2027", ["tags.write"])

Then call ``bridge.poll()`` from a timer of the application. Standard library only, Python 3.7 or newer, no threads.
Made by Callboard {version}; changes are lost when it is made again. SPDX-License-Identifier: Apache-2.0
"""

from __future__ import annotations

{imports}

__all__ = ["Bridge"]
TYPE_CHECKING = False
'''


class _Module:
    """One module of the package, cut into what the joined file needs of it."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.text = path.read_text("utf-8")
        self.needs: set[str] = set()
        self.imports: set[str] = set()
        self.names: list[str] = []
        gone: set[int] = set()
        for node in ast.parse(self.text).body:
            if self._is_head(node):
                gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            else:
                self.names += _names(node)
        lines = self.text.splitlines()
        self.body = "\n".join(line for number, line in enumerate(lines, 1) if number not in gone).strip()

    def _is_head(self, node: ast.stmt) -> bool:
        """Say whether a statement goes to the top of the joined file, or nowhere; note what it brings."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node.lineno == 1
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            if any(alias.asname for alias in node.names):
                raise ValueError(f"{self.name}: one file has no room for 'import ... as'")
            self.needs.add((node.module or "").partition(".")[2])
            return True
        if isinstance(node, ast.Import | ast.ImportFrom):
            if getattr(node, "module", "") != "__future__":
                self.imports.add(ast.unparse(node))
            return True
        if isinstance(node, ast.Assign | ast.If):  # what only type checkers read
            return "TYPE_CHECKING" in ast.unparse(node).splitlines()[0]
        return False


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    for target in targets:
        yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def build(version: str = "") -> str:
    """Give the joined file's text; *version* is the installed Callboard's where it is empty.

    Raises:
        ValueError: two modules use one name, or need each other.
    """
    modules = {
        path.stem: _Module(path) for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in NOT_PART
    }
    owner: dict[str, str] = {}
    for module in modules.values():
        for name in module.names:
            if owner.setdefault(name, module.name) != module.name:
                raise ValueError(f"{name} is in {owner[name]} and in {module.name}, which end in one file")
    parts = [HEAD.format(version=version or metadata.version("callboard"), imports="\n".join(_imports(modules)))]
    while modules:
        ready = [name for name, module in modules.items() if not module.needs & modules.keys()]
        if not ready:
            raise ValueError(f"{', '.join(modules)} need each other")
        parts += [modules.pop(name).body + "\n" for name in ready]
    return "\n\n".join(parts)


def _imports(modules: dict[str, _Module]) -> list[str]:
    """Join what the modules import, names of one module on one line."""
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for line in sorted(line for module in modules.values() for line in module.imports):
        if line.startswith("from "):
            source, _, names = line[len("from ") :].partition(" import ")
            parts.setdefault(source, set()).update(names.split(", "))
        else:
            whole.add(line)
    return sorted(whole) + [f"from {source} import {', '.join(sorted(parts[source]))}" for source in sorted(parts)]


def build_lua() -> str:
    """Give the text of one file that is the LuaJIT twin, whatever else of it there is beside."""
    folder = Path(__file__).parent
    parts = [
        f'package.preload["{path.stem}"] = function(...)\n{path.read_text("utf-8")}end\n'
        for path in sorted(folder.glob("callboard_*.lua"))
        if path.stem != PACKAGE
    ]
    return "\n".join([*parts, (folder / f"{PACKAGE}.lua").read_text("utf-8")])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(build_lua() if target.suffix == ".lua" else build(), "utf-8")
