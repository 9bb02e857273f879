"""``callboard init``: a settings file with comments, a watch folder, and what to type next."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.output import cell, console
from callboard.config import DATA_FOLDER, FILE_NAME, load_settings
from callboard.errors import UsageError

_TEMPLATE = """\
# Callboard's settings for this project. Every line that is commented out shows its default.

[[watch]]
name = "footage"            # how the folder is called on the bus
path = {path}
# mode = "auto"             # auto | native | poll; auto polls network shares
# quiet = 2.0               # seconds without change before a file may be settled
# ignore = ["proxies/", "*.bak"]   # gitignore patterns

[sidecars]
# folder = ""               # empty: beside the media
# xmp_name = "full"         # full: clip.mov.xmp | stem: clip.xmp
# subtitles = ["srt", "vtt"]   # also ttml, ass, txt, json

[policy]                    # what may be accepted without you
# analyse = "threshold"     # threshold | ask | accept
# transform = "ask"         # threshold | ask
# generate = "ask"          # always waits for you

# [policy.thresholds]
# caption = 0.6

# [plugins.caption]
# enabled = true
# parameters = {{ language = "auto", profile = "web" }}   # 'callboard captions profiles' lists profiles

# [plugins.localize]
# parameters = {{ languages = [] }}   # such as ["es", "pt-BR"]: what accepted captions are put into

# [hosts]                   # the applications people work in: 'callboard hosts list'
# bring = ["tags"]          # also captions, translation: what a project gets that begins to use known media

# [broker]
# url = "nats://studio:4222"   # empty: a nats-server of our own, on this machine only

# [runtime]
# threads = 0               # 0: all cores
# memory_mb = 4096
"""


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--watch", "watch", default="footage", show_default=True, help="The folder to watch, made if missing.")
def command(folder: Path, watch: str) -> int:
    """Make a project in FOLDER: a callboard.toml and a watch folder. Nothing that exists is changed."""
    settings = folder / FILE_NAME
    if settings.exists():
        raise UsageError(f"{settings} exists already", "Edit it; 'callboard doctor' checks it.")
    (folder / watch).mkdir(parents=True, exist_ok=True)
    settings.write_text(_TEMPLATE.format(path=_quoted(watch)), "utf-8")
    load_settings(settings)
    out = console()
    out.print(f"Made {cell(str(settings))}, watching {cell(str(folder / watch))}. Data will be in {DATA_FOLDER}/.")
    out.print("Next: 'callboard up', then drop footage into the folder.")
    return 0


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = ["command"]
