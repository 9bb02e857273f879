"""A project's settings: ``callboard.toml``, validated, with every default in one place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from callboard_schemas import Parameters
from msgspec import Meta, Struct

from callboard.errors import ConfigError, UsageError
from callboard.shots import check_pattern

FILE_NAME = "callboard.toml"
DATA_FOLDER = ".callboard"

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Watch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A watched folder, known on the bus by its name."""

    path: str
    """Absolute, or relative to the project."""
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "footage"
    mode: Literal["auto", "native", "poll"] = "auto"
    """``auto`` polls network and FUSE file systems and listens on local ones."""
    quiet: Positive = 2.0
    """Seconds without change before a file may be settled; learned upwards."""
    poll: Positive = 5.0
    """Seconds between looks at a polled folder."""
    rescan: Positive = 900.0
    """Seconds between full scans of a folder that is listened to."""
    ignore: tuple[str, ...] = ()
    """gitignore patterns, added to the defaults and to ``.callboardignore`` in the folder."""


class Sidecars(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and how results are written."""

    folder: str = ""
    """Empty writes beside the media; else a folder that mirrors the roots."""
    xmp_name: Literal["stem", "full"] = "full"
    """``full`` is ``clip.mov.xmp``, ``stem`` is ``clip.xmp``; one that exists is used whatever its scheme."""
    translated_keywords: bool = False
    """Tag names in other languages, once accepted, are written as keywords too; else in the JSON alone."""
    subtitles: tuple[Literal["srt", "vtt", "ttml", "ass", "txt", "json"], ...] = ("srt", "vtt")


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be accepted without a person, per kind."""

    analyse: Literal["threshold", "ask", "accept"] = "threshold"
    transform: Literal["threshold", "ask"] = "ask"
    generate: Literal["ask"] = "ask"
    thresholds: dict[str, Share] = {}
    """Plugin id to confidence, in place of its manifest's threshold."""


class PluginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a project says of one plugin."""

    enabled: bool = True
    parameters: Parameters = {}
    deadline: Positive | None = None


class Broker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The message broker; an empty url starts the embedded one."""

    url: str = ""
    creds: str = ""
    nkey_seed: str = ""
    """Path of a file with an nkey seed."""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""


class RuntimeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model runtime."""

    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    """CPU threads for inference; 0 takes the cores that there are."""
    memory_mb: Annotated[int, Meta(ge=64)] = 4096
    """Resident model bytes on the CPU above which the least recently used is let go, in MiB."""
    device_memory_mb: Annotated[int, Meta(ge=0)] = 0
    """The same for each other device; 0 takes three quarters of what it has."""
    devices: tuple[Literal["tensorrt", "cuda", "coreml", "directml", "mps", "cpu"], ...] = ()
    """Devices to use, best first; empty takes those that are there. The CPU is always the last resort."""
    keep: Positive = 600.0
    """Seconds that an unused model stays in memory."""
    pin: tuple[str, ...] = ()
    """Models that stay in memory once they are loaded."""
    when_busy: Literal["pause", "cpu", "ignore"] = "pause"
    """While an application renders or plays, and in quiet hours: ``pause`` gives devices back and holds everything
    that nobody waits for, ``cpu`` gives devices back and goes on without them, ``ignore`` takes no notice."""
    quiet_hours: tuple[Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")], ...] = ()
    """Local times of day that count as busy, such as ``09:00-18:30``; ``22:00-06:00`` goes over midnight."""
    allow_pickles: tuple[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    """SHA-256 of weight files that may be loaded although their format can carry code."""
    models: str = ""
    """Folder of further model packs."""
    store: str = ""
    """Folder of pulled and exported models; empty is the user's own data folder."""


class Hosts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What applications are asked for."""

    bring: tuple[Literal["tags", "captions", "translation"], ...] = ("tags",)
    """What was accepted before is brought into a project that begins to use the media."""
    relink: bool = True
    """Media that arrives for a placeholder's shot is proposed to take its place."""
    expire_days: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    """Days after which an application that did not come back is not asked any more; 0 waits for ever."""
    gap_placeholders: bool = False
    """A gap in a saved Kdenlive project asks for a placeholder by itself; else it is only shown."""
    live_reload: bool = False
    """A Kdenlive project that is open without unsaved changes is changed on disk and loaded again at once."""


class Shots(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How media is known to be of a shot."""

    patterns: tuple[str, ...] = ()
    """What files are called, such as ``film_*_{shot}_*_v{version}``; empty looks for the shot at their beginning."""
    handles: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """Frames that shots are delivered with before and behind what is shown."""

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            try:
                check_pattern(pattern)
            except UsageError as error:
                raise ValueError(f"{error.message}. {error.hint}") from None


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything ``callboard.toml`` may say."""

    watch: tuple[Watch, ...] = ()
    sidecars: Sidecars = Sidecars()
    policy: Policy = Policy()
    plugins: dict[str, PluginSettings] = {}
    broker: Broker = Broker()
    runtime: RuntimeSettings = RuntimeSettings()
    hosts: Hosts = Hosts()
    shots: Shots = Shots()
    workers: Annotated[int, Meta(ge=0, le=256)] = 0
    """Jobs at once over all plugins; 0 takes the cores that there are."""
    data: str = ""
    """Folder of the catalog and the broker's store, on a local disk; empty is ``.callboard`` in the project."""
    placeholders: str = "placeholders"
    """Folder of the media that plugins make, such as stand-ins for missing shots; counted from the project."""
    vocabulary: str = "vocabulary.toml"
    """The studio's own words for tags; a file that is not there means none."""
    glossary: str = "glossary.toml"
    """Names and terms of the film, for captions and translations; a file that is not there means none."""
    allow_plugins: tuple[str, ...] = ()
    """Third-party plugins that may run; a plugin not named here is listed but not loaded."""


class Project(Struct, frozen=True, kw_only=True):
    """A folder with settings, and where its data lives."""

    folder: Path
    data: Path
    settings: Settings = Settings()

    @property
    def placeholders(self) -> Path:
        """Where plugins put the media that they make."""
        return self.folder.absolute() / (self.settings.placeholders or "placeholders")

    @property
    def vocabulary(self) -> Path | None:
        """Where the studio's own words would be; ``None`` when the settings say that there are none."""
        return self.folder / self.settings.vocabulary if self.settings.vocabulary else None

    @property
    def glossary(self) -> Path | None:
        """Where names and terms would be; ``None`` when the settings say that there are none."""
        return self.folder / self.settings.glossary if self.settings.glossary else None


def resolved(settings: Settings, folder: Path) -> Settings:
    """Make the paths in *settings* absolute: they count from the project, not from where the user stands."""

    def absolute(path: str) -> str:
        return str(folder.absolute() / Path(path).expanduser()) if path else ""

    broker = settings.broker
    return msgspec.structs.replace(
        settings,
        data=absolute(settings.data),
        placeholders=absolute(settings.placeholders),
        vocabulary=absolute(settings.vocabulary),
        glossary=absolute(settings.glossary),
        watch=tuple(msgspec.structs.replace(watch, path=absolute(watch.path)) for watch in settings.watch),
        sidecars=msgspec.structs.replace(settings.sidecars, folder=absolute(settings.sidecars.folder)),
        runtime=msgspec.structs.replace(
            settings.runtime, models=absolute(settings.runtime.models), store=absolute(settings.runtime.store)
        ),
        broker=msgspec.structs.replace(
            broker,
            creds=absolute(broker.creds),
            nkey_seed=absolute(broker.nkey_seed),
            tls_ca=absolute(broker.tls_ca),
            tls_cert=absolute(broker.tls_cert),
            tls_key=absolute(broker.tls_key),
        ),
    )


def load_settings(path: Path) -> Settings:
    """Read and check a settings file.

    Raises:
        ConfigError: it is not TOML, or says what no setting allows; the message names the key.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(str(path), str(error)) from None


def find_project(start: Path) -> Project | None:
    """Find the nearest folder with a ``callboard.toml``, from *start* upwards."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            settings = resolved(load_settings(folder / FILE_NAME), folder)
            return Project(folder=folder, data=Path(settings.data or folder / DATA_FOLDER), settings=settings)
    return None


def make_project(folder: Path, settings: Settings, data: Path | None = None) -> Project:
    """Make a project of settings that are in no file; its data goes into *folder* unless *data* says where."""
    folder = folder.absolute()
    return Project(folder=folder, data=data or folder / DATA_FOLDER, settings=resolved(settings, folder))


def require_project(start: Path) -> Project:
    """Find the project, or say how to make one."""
    project = find_project(start)
    if project is None:
        raise UsageError(
            f"no {FILE_NAME} in {start} or above it", "Make a project here with 'callboard init', then try again."
        )
    return project
