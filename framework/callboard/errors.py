"""Every error Callboard raises on purpose, on one screen.

Each class takes what happened as typed arguments, keeps them, and builds its own message: what happened,
to what, and what to do next. The command line prints ``str(error)`` and exits with ``exit_code``; ``code``
is the stable name that ``--json`` output and dead letters carry.
"""

from __future__ import annotations

from typing import ClassVar

_CHECKED = "Mend the file, then try again; 'callboard {0} check' checks it."


def _listed(problems: tuple[str, ...]) -> str:
    more = f"\n… and {len(problems) - 10} more" if len(problems) > 10 else ""
    return problems[0] if len(problems) == 1 else "".join(f"\n{one}" for one in problems[:10]) + more


class CallboardError(Exception):
    """The base of every error a user may see."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}\n{hint}" if hint else message)


class UsageError(CallboardError):
    """The command or a setting is wrong; nothing was done."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A settings file does not say what it must."""

    code = "config"

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}", "Mend the file, then try again; 'callboard doctor' checks it.")


class VocabularyError(UsageError):
    """A project's vocabulary does not say what it must; ``problems`` are in words, with lines."""

    code = "vocabulary"

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        self.path, self.problems = path, problems
        super().__init__(f"{path}: {_listed(problems)}", _CHECKED.format("vocabulary"))


class GlossaryError(UsageError):
    """A project's glossary does not say what it must; ``problems`` are in words, with lines."""

    code = "glossary"

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        self.path, self.problems = path, problems
        super().__init__(f"{path}: {_listed(problems)}", _CHECKED.format("glossary"))


class ProfileError(UsageError):
    """There is no delivery profile of that name, or its file does not say what it must."""

    code = "profile"

    def __init__(self, name: str, problem: str, known: tuple[str, ...] = ()) -> None:
        self.name, self.problem, self.known = name, problem, known
        hint = f"There are: {', '.join(known)}; or give a TOML file. " if known else ""
        super().__init__(f"profile {name!r}: {problem}", f"{hint}'callboard captions profiles' lists them.")


class Interrupted(CallboardError):
    """The user, or the system, asked the command to stop; what was done stays done."""

    code = "interrupted"

    def __init__(self, signal: int = 2) -> None:
        self.signal = signal
        self.exit_code = 128 + signal  # type: ignore[misc]  # what shells expect of a program that a signal ended
        super().__init__("interrupted", "Nothing is lost; the same command again goes on.")


class MessageRefused(CallboardError):
    """A message is not what its schema says; it is kept as a dead letter, not processed."""

    code = "message-refused"

    def __init__(self, reason: str, problem: str) -> None:
        self.reason, self.problem = reason, problem
        super().__init__(f"message refused ({reason}): {problem}")


class MessageParked(MessageRefused):
    """A message of a newer major version: kept, and replayed after an upgrade."""

    code = "message-parked"


class CatalogError(CallboardError):
    """The catalog cannot be opened, or is damaged or newer than this program."""

    code = "catalog"


class BoardBusy(CallboardError):
    """Another process owns this project's data folder."""

    code = "busy"

    def __init__(self, folder: str, owner: str) -> None:
        self.folder, self.owner = folder, owner
        super().__init__(
            f"another Callboard ({owner}) is at work in {folder}",
            "Drop files into its watch folders, or stop it first; 'callboard status' shows it.",
        )


class BrokerError(CallboardError):
    """The message broker cannot be started or reached."""

    code = "broker"


class PluginError(CallboardError):
    """A plugin cannot be listed, loaded or run."""

    code = "plugin"

    def __init__(self, plugin: str, problem: str) -> None:
        self.plugin, self.problem = plugin, problem
        super().__init__(f"plugin {plugin!r}: {problem}", f"'callboard plugins check {plugin}' says more.")


class ManifestError(PluginError):
    """A plugin's manifest.toml is missing or wrong."""

    code = "manifest"


class JobError(CallboardError):
    """A job cannot be done, and would fail in the same way again."""

    code = "job"


class ModelFault(JobError):
    """A model gave what no model should: NaN, infinity, or an output that is not what its pack says."""

    code = "model-fault"

    def __init__(self, model: str, output: str, problem: str) -> None:
        self.model, self.output, self.problem = model, output, problem
        super().__init__(f"model {model!r}: output {output!r} {problem}", "'callboard models verify' checks its files.")


class MediaError(JobError):
    """Media cannot be opened, is not what its name says, or is past a limit."""

    code = "media"

    def __init__(self, name: str, problem: str, hint: str = "") -> None:
        self.name, self.problem = name, problem
        super().__init__(f"{name}: {problem}", hint)


class SubtitleError(JobError):
    """A subtitle file cannot be read, or text cannot be written in a format; ``line`` is 1-based, 0 for the whole."""

    code = "subtitles"

    def __init__(self, name: str, problem: str, *, line: int = 0, hint: str = "") -> None:
        self.name, self.problem, self.line = name, problem, line
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}", hint)


class ExchangeError(CallboardError):
    """A translator's file cannot be taken back, or not a single text of it; nothing was changed."""

    code = "exchange"

    def __init__(self, name: str, problem: str, hint: str = "") -> None:
        self.name, self.problem = name, problem
        super().__init__(f"{name}: {problem}", hint)


class MediaCrash(CallboardError):
    """The process that decoded a file died or hung; only this file is to blame."""

    code = "media-crash"


class Blocked(CallboardError):
    """The surroundings stop a job: disk, share, device or model. It waits, and is not counted as a try."""

    code = "blocked"


class ModelMissing(Blocked):
    """A model pack is not here, or a file of it is not what its digest says."""

    code = "model-missing"

    def __init__(self, model: str, problem: str, hint: str) -> None:
        self.model, self.problem = model, problem
        super().__init__(f"model {model!r}: {problem}", hint)


class NoTranslator(Blocked):
    """Nothing that is installed translates between two languages; the hint names what would."""

    code = "no-translator"

    def __init__(self, source: str, target: str, advice: tuple[str, ...]) -> None:
        self.source, self.target = source, target
        super().__init__(f"nothing here translates from {source} to {target}", "\n".join(advice))


class PullError(CallboardError):
    """A model pack cannot be fetched or stored; what was fetched so far is kept, and the same command goes on."""

    code = "pull"

    def __init__(self, model: str, problem: str, hint: str = "") -> None:
        self.model, self.problem = model, problem
        super().__init__(f"model {model!r}: {problem}", hint)


class PullOffline(PullError):
    """The place that a model pack comes from cannot be reached."""

    code = "pull-offline"


class PullForbidden(PullError):
    """The place that a model pack comes from wants a login, or that its terms are accepted there first."""

    code = "pull-forbidden"


class PullGone(PullError):
    """The place that a model pack comes from does not have it, or not in this version."""

    code = "pull-gone"


class NoRoom(PullError):
    """The disk that models are stored on is full."""

    code = "no-room"


class DigestDiffers(PullError):
    """What was fetched, carried or built is not, byte for byte, what the pack says; it was thrown away."""

    code = "digest-differs"


class BundleRefused(CallboardError):
    """A bundle of model packs is damaged, or holds what no bundle may; nothing was stored."""

    code = "bundle-refused"

    def __init__(self, path: str, problem: str, hint: str = "Make it again with 'callboard models bundle'.") -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}", hint)


class WeightsRefused(CallboardError):
    """A file of published weights is damaged, or holds more than numbers; nothing in it was run."""

    code = "weights-refused"

    def __init__(self, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(f"{name}: {problem}", "Pull the pack again; if this comes back, do not trust that file.")


class ExportError(CallboardError):
    """A checkpoint cannot be exported as an ONNX pack, or came out too different; nothing was kept."""

    code = "export"

    def __init__(self, model: str, problem: str, hint: str = "") -> None:
        self.model, self.problem = model, problem
        super().__init__(f"model {model!r}: {problem}", hint)


class MissingExtra(CallboardError):
    """A command needs libraries that are not installed."""

    code = "extra-missing"

    def __init__(self, what: str, library: str, extra: str = "media,cpu", package: str = "callboard") -> None:
        self.library = library
        hint = f"pip install '{package}[{extra}]'" if extra else f"Install it where {package} is."
        super().__init__(f"{what} needs {library}, which is not installed", hint)


class RuntimeGone(Blocked):
    """The runtime process died during a call; it is started again."""

    code = "runtime-gone"


class EffectConflict(CallboardError):
    """A sidecar was changed by somebody else meanwhile; theirs is kept."""

    code = "conflict"

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}")


class HostError(CallboardError):
    """An application, or our part in it, is missing, of a version not supported, or refuses what is asked."""

    code = "host"

    def __init__(self, host: str, problem: str, hint: str = "") -> None:
        self.host, self.problem = host, problem
        super().__init__(f"{host}: {problem}", hint or f"'callboard hosts doctor {host}' says what is missing.")


class TimelineError(CallboardError):
    """A timeline or a project file cannot be read, is of a version not supported, or cannot hold what is asked."""

    code = "timeline"

    def __init__(self, path: str, problem: str, hint: str = "") -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}", hint)
