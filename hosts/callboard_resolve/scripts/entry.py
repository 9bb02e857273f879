"""Callboard in the menu of DaVinci Resolve: Workspace > Scripts. Written by 'callboard hosts install resolve'."""

import sys

LIBRARY = ""
PROJECT = ""
ENTRY = ""


def main(found: "dict") -> None:  # type: ignore[type-arg]  # this runs in the Python that Resolve finds, 3.6 or newer
    """Do what this menu entry is for."""
    if sys.version_info < (3, 7):  # noqa: UP036  # Resolve runs whatever Python it finds, which is seldom ours
        sys.stdout.write(f"Callboard needs Python 3.7 or newer; Resolve runs {sys.version.split()[0]}\n")
        return
    if LIBRARY not in sys.path:
        sys.path.insert(0, LIBRARY)
    from callboard_resolve.inside import menu  # found in LIBRARY only

    menu.main(ENTRY, PROJECT, found)


if ENTRY and ("bmd" in globals() or __name__ == "__main__"):
    main(globals())
