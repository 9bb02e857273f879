"""The command line. ``--help`` and ``--version`` answer from the table below, before anything is imported."""

from __future__ import annotations

import sys
from typing import NamedTuple


class Entry(NamedTuple):
    """A command: the module that holds it as ``command``, and what it does in one line."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("callboard.cli.init", "Make a project here: a settings file and a watch folder."),
    "up": Entry("callboard.cli.up", "Watch the folders and the bus until stopped."),
    "run": Entry("callboard.cli.run", "Caption and tag files now, without a daemon."),
    "status": Entry("callboard.cli.status", "Show what is being done and what waits."),
    "explain": Entry("callboard.cli.explain", "Say why a file was or was not processed."),
    "plan": Entry("callboard.cli.plan", "Say what an event would cause, and do nothing."),
    "inbox": Entry("callboard.cli.inbox", "List the proposals that wait for you."),
    "accept": Entry("callboard.cli.accept", "Accept proposals; their sidecars are written."),
    "reject": Entry("callboard.cli.reject", "Reject proposals; their sidecars go."),
    "undo": Entry("callboard.cli.undo", "Take back everything that a run wrote."),
    "localize": Entry("callboard.cli.localize", "Put captions, subtitle files and descriptions into other languages."),
    "exchange": Entry("callboard.cli.exchange", "Give translations to people as XLIFF or CSV, and take them back."),
    "search": Entry("callboard.cli.search", "Find media by words, by what is seen, or by a picture."),
    "duplicates": Entry("callboard.cli.duplicates", "Find copies of files, pictures and films."),
    "captions": Entry("callboard.cli.captions", "Check, convert, correct and export subtitles."),
    "vocabulary": Entry("callboard.cli.vocabulary", "Show, check and import the studio's own words."),
    "glossary": Entry("callboard.cli.glossary", "Keep names and terms: check, import, learn them from corrections."),
    "learn": Entry("callboard.cli.learn", "Propose thresholds from what people accepted and rejected."),
    "dead": Entry("callboard.cli.dead", "List, show and replay what failed for good."),
    "coverage": Entry("callboard.cli.coverage", "Say what a cut or a shot list lacks, and ask for placeholders."),
    "timeline": Entry("callboard.cli.timeline", "Look into timelines, fill gaps, and put captions and markers in."),
    "placeholder": Entry("callboard.cli.placeholder", "Ask for stand-ins of missing shots, and compare them."),
    "hosts": Entry("callboard.cli.hosts", "Put Callboard into Blender, Kdenlive and Resolve, and take it away."),
    "plugins": Entry("callboard.cli.plugins", "List, describe and check plugins."),
    "models": Entry("callboard.cli.models", "List, pull, verify, carry and remove model packs."),
    "eval": Entry("callboard.cli.eval", "Measure plugins on made truth, and compare with before."),
    "runtime": Entry("callboard.cli.runtime", "Show what models do and why something waits; pause and resume."),
    "schema": Entry("callboard.cli.schema", "Export or check the message schemas."),
    "licences": Entry("callboard.cli.licences", "List the licence of every dependency and model."),
    "doctor": Entry("callboard.cli.doctor", "Check this machine, and say how to mend it."),
    "demo": Entry("callboard.cli.demo", "Watch sample footage become captions and tags."),
}
"""Every command, in the order that help shows them."""


def help_text() -> str:
    """Give the text of ``callboard --help``."""
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {entry.help}" for name, entry in COMMANDS.items())
    return (
        "Usage: callboard [--version] [--help] COMMAND …\n\n"
        "Drop footage into a folder; captions, tags and sidecars come back for you to review.\n\n"
        f"Commands:\n{rows}\n\n"
        "'callboard COMMAND --help' says more. Begin with 'callboard demo', or 'callboard run FILE'.\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 all well, 1 something failed, 2 wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("--help", "-h", "help"):
        sys.stdout.write(help_text())
        return 0 if given else 2
    if given[0] in ("--version", "-V"):
        from callboard import __version__

        sys.stdout.write(f"callboard {__version__}\n")
        return 0
    try:
        from callboard.cli.app import run

        return run(given)
    except KeyboardInterrupt:  # while libraries were still being imported
        if "--json" in given:
            sys.stdout.write('{"error": {"code": "interrupted", "message": "interrupted", "hint": ""}}\n')
        sys.stderr.write("error: interrupted\n")
        return 130


__all__ = ["COMMANDS", "Entry", "help_text", "main"]
