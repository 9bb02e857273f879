"""What plugins answer. Each result becomes one proposal that a policy or a person decides on."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.events import Language, Parameters, Scalar
from callboard_schemas.media import Digest
from callboard_schemas.placeholders import Brief, MadeFile, Match, SourceType, Swap

Score = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0)]

Kind = Literal["analyse", "transform", "generate"]
"""What a plugin does to media: labels what is there, rewrites it, or makes what was not there."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where something was seen or heard, so that a person can look."""

    start: Seconds | None = None
    end: Seconds | None = None
    frame: int | None = None
    box: tuple[Score, Score, Score, Score] | None = None
    """x, y, width, height as shares of the picture."""
    text: str | None = None
    value: float | None = None


class Tag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One label, with how sure the method is and what it saw."""

    label: Annotated[str, Meta(min_length=1, max_length=200)]
    score: Score
    method: Name
    """The analyser that says so, such as ``container``, ``shots`` or ``pp-ocr``."""
    group: tuple[str, ...] = ()
    """Its place in the hierarchy, outermost first, without the label."""
    evidence: tuple[Evidence, ...] = ()
    guess: bool = False
    """A guess from indirect evidence, shown as one."""
    threshold: Score | None = None
    """The score from which the method says it."""
    model: str = ""
    """Digest of the model pack that saw it; empty for arithmetic."""
    concept: str = ""
    """Id of the concept in the project's vocabulary that it was resolved to; label and group are the concept's then."""


class Tags(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="tags"):
    """Labels for an asset, its technical facts, and a description composed from them."""

    items: tuple[Tag, ...]
    confidence: Score
    facts: dict[str, Scalar | list[str]] = {}
    description: str = ""
    description_method: Literal["", "composed", "model"] = ""


class Print(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a picture, a shot or a text is found and compared by."""

    space: Annotated[str, Meta(min_length=1, max_length=120)]
    """Which prints it may be compared with: ``phash``, or ``clip:`` and the digest of the model pack."""
    vector: bytes
    """``phash``: 8 bytes; else float16, little endian, length one."""
    frame: int | None = None
    start: Seconds | None = None
    end: Seconds | None = None


class Prints(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="prints"):
    """What an asset is found and compared by. It is indexed, and not a proposal: there is nothing to decide on."""

    items: tuple[Print, ...]
    method: Name = "prints"


class Word(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recognised word; times in seconds from the first frame of the media."""

    text: str
    start: Seconds
    end: Seconds
    confidence: Score


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The evidence that somebody said the words of a cue."""

    least_confidence: Score = 1.0
    """Of its words."""
    compression: float = 0.0
    """Length of the recogniser's text over its zlib-compressed length; loops are far above 2."""
    repetition: float = 0.0
    """Share of its words that repeat what was said just before, 0 to 1."""
    voiced: Score = 1.0
    """Share of its time in which the speech detector hears a voice."""
    disagreement: Score | None = None
    """How far a second decoding differs, as a word error rate; nothing where there was none."""
    quiet: bool = False
    """Found only when listened for again, at a lower threshold."""
    voice: Score | None = None
    """How sure it is by the voice who says its least sure word; nothing where voices did not tell speakers apart."""


class Repair(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A word or two that the glossary spells otherwise, and why."""

    word: int
    """Index of the first word in the cue's words."""
    heard: str
    written: str
    term: str
    """Id of the glossary's entry."""
    score: Score
    """How alike they sound and look."""


class Cue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subtitle: when it is on the screen, and its lines."""

    id: int
    start: Seconds
    end: Seconds
    lines: tuple[str, ...]
    confidence: Score
    no_speech: Score = 0.0
    """The recogniser's probability that nobody speaks here."""
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    flags: tuple[str, ...] = ()
    """Why a person should look at this cue."""
    failed: tuple[str, ...] = ()
    """Why it must not ship before a person has said so; a result with such a cue waits for one."""
    styled: bool = False
    """Its lines hold ``<i>``, ``<b>`` and ``<u>``, and ``&amp;``, ``&lt;`` and ``&gt;`` for those characters."""
    align: Annotated[int, Meta(ge=1, le=9)] | None = None
    """Where on the picture, as the keys of a number pad lie; bottom centre where it is not said."""
    settings: str = ""
    """WebVTT cue settings as they were read, to be written again."""
    kind: Literal["speech", "sound"] = "speech"
    """``sound`` describes a sound for those who do not hear it."""
    language: Language | None = None
    """Where it is another one than the document's."""
    heard: Heard | None = None
    repairs: tuple[Repair, ...] = ()
    """What the glossary changed in its text."""
    risk: Score | None = None
    """How much a person should look at a translated cue: 1 first."""


class Captions(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="captions"):
    """What is said in an asset; no cues where nobody speaks."""

    language: Language
    cues: tuple[Cue, ...]
    confidence: Score
    language_confidence: Score = 1.0
    duration: Seconds = 0.0
    speech_seconds: Seconds = 0.0
    left_out: tuple[Cue, ...] = ()
    """What the recogniser wrote where nobody seems to speak: never shipped, kept for a reviewer; flags say why."""
    profile: str = ""
    """The delivery profile that the cues were laid out for."""
    rate: str = ""
    """Frames per second that the times lie on, such as ``23.976`` or ``29.97df``; empty where there is no picture."""
    task: Literal["transcribe", "translate", "file"] = "transcribe"
    """Written down as spoken, put into English while listening, or read from a subtitle file."""


class Translation(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="translation"):
    """Cues in another language, with the ids and times of the cues they translate."""

    source_language: Language
    language: Language
    cues: tuple[Cue, ...]
    confidence: Score
    engine: str = ""
    """What translated, with its version; a chain names each link: ``apertium eng-spa > spa-por``."""
    method: Literal["", "neural", "rules", "service", "person"] = ""
    profile: str = ""
    rate: str = ""
    description: str = ""
    """What the asset was described by, in *language*."""
    labels: dict[str, str] = {}
    """Label of a tag to what it is called in *language*."""


class Placeholder(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="placeholder"):
    """A stand-in for a shot that does not exist yet, and everything needed to make it again."""

    shot: Name
    generator: Name
    file: str
    digest: Digest
    confidence: Score
    parameters: Parameters = {}
    prompt: str = ""
    seed: int | None = None
    version: int = 1
    """Which of those that were made for one request."""
    versions: int = 1
    rate: str = ""
    """Such as ``23.976`` or ``29.97df``."""
    frames: int = 0
    width: int = 0
    height: int = 0
    pixel_aspect: str = ""
    start: str = ""
    """Timecode of its first frame on the timeline."""
    timeline: str = ""
    ref: str = ""
    brief: Brief | None = None
    """With every guess that went into it."""
    source_type: SourceType = "algorithmicMedia"
    matches: tuple[Match, ...] = ()
    """How it goes with its neighbours."""
    files: tuple[MadeFile, ...] = ()
    negative: str = ""
    """What the prompt asked to leave out."""
    models: dict[str, str] = {}
    """Name to digest or version of what made it: packs, Blender, a workflow."""
    references: dict[str, Digest] = {}
    """Pictures that went into it, by path."""
    by: str = ""
    """Who asked for it."""
    credentials: str = ""
    """Who signed its content credentials; empty where nobody did."""
    notes: tuple[str, ...] = ()
    """What a person should know of it: a fallback, a part that was left out, and why."""


class Failure(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="failure"):
    """Why a job has no result.

    ``deterministic`` would fail again, ``crash`` took its process down, ``environment`` is not the
    job's fault (disk, share, model, device) and waits until its condition clears.
    """

    code: Name
    message: str
    cause: Literal["deterministic", "crash", "environment"]
    hint: str = ""
    """What to do next, in words a user can act on."""
    detail: str = ""
    """The traceback or the last words of the process, for the plugin's author."""


Result = Tags | Captions | Translation | Placeholder | Swap
"""Any answer that becomes a proposal."""

AnyResult = Result | Prints
"""Any answer; prints are indexed and nobody decides on them."""

RESULT_NAMES = ("tags", "captions", "translation", "placeholder", "swap")


class Provenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything needed to make a result again, or to take it back."""

    plugin: Name
    version: str
    kind: Kind
    parameters: Parameters = {}
    models: dict[str, str] = {}
    """Model pack name to digest."""
    seed: int | None = None
    prompt: str = ""
    fallback: str = ""
    """Set when this is not what was asked for but the next best thing, and says which."""
