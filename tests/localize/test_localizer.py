"""The plugin: what is asked for, what comes of it, and real cues through a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.glossary import parse
from callboard.testing.harness import HookFailed, PluginHarness, make_asset, make_event
from callboard.timedtext.document import of_result
from callboard.timedtext.files import write
from callboard_schemas import (
    Asset,
    Captions,
    CaptionsAccepted,
    Cue,
    Envelope,
    Place,
    Translation,
    TranslationRequested,
)
from msgspec.structs import replace

PLUGIN = "callboard_localize"
ASSET = Asset(digest="sha256:" + "0" * 64, place=Place(root="footage", path="film.mov"), kind="video", size=1)
LINES = (
    ("I think that the house of Marlow", "is 3.5 km from here."),
    ("- Where is the dog?", "- In the kitchen."),
    ("<i>The harbour master is here.</i>",),
    ("[the door closes]",),
    ("He told me that",),
    ("the house was white.",),
    ("Write to ana@example.com, please.",),
    ("♪",),
)
CUES = tuple(
    Cue(id=10 * at, start=4.0 * at, end=4.0 * at + 2.5, lines=lines, confidence=0.9, styled="<i>" in lines[0], align=8)
    for at, lines in enumerate(LINES, 1)
)
CAPTIONS = Captions(language="en", cues=CUES, confidence=0.9, rate="25", duration=60.0)
GLOSSARY = parse(
    '[[term]]\ntext = "Marlow"\nkeep = true\n'
    '[[term]]\ntext = "harbour master"\nlanguage = "en"\n[term.translations]\nes = "capitán de puerto"\n'
)


def requested(**more: object) -> Envelope:
    """Make a request for an asset."""
    return make_event(ASSET, "translation.requested", TranslationRequested(asset=ASSET, **more))  # type: ignore[arg-type]  # each test names fields that are there


def localized(harness: PluginHarness, event: Envelope, **more: object) -> list[Translation]:
    """Let the plugin answer one event."""
    given: dict[str, object] = {"event": event, "asset": ASSET, "glossary": GLOSSARY, **more}
    found = harness.run(PLUGIN, **given)  # type: ignore[arg-type]  # as above
    assert all(isinstance(one, Translation) for one in found)
    return [one for one in found if isinstance(one, Translation)]


def test_real_cues_through_apertium(plugin_harness: PluginHarness) -> None:
    """English cues become Spanish ones by rules: structure, names, numbers and terms are kept, nothing is left."""
    event = requested(languages=("es",), captions=CAPTIONS)
    [made] = localized(plugin_harness, event, parameters={"engine": "apertium"})
    assert (made.language, made.source_language, made.method) == ("es", "en", "rules")
    assert (made.rate, made.profile) == ("25", "web")
    assert made.engine.startswith("apertium eng-spa")
    assert [(cue.id, cue.start, cue.align, cue.styled) for cue in made.cues] == [
        (cue.id, cue.start, cue.align, cue.styled) for cue in CUES
    ]
    said = [" ".join(cue.lines) for cue in made.cues]
    assert said[0].startswith("Creo que la casa de Marlow")
    assert "3,5 km" in said[0]
    assert [line[0] for line in made.cues[1].lines] == ["-", "-"]
    assert said[2].startswith("<i>El capitán de puerto")
    assert said[2].endswith("</i>")
    assert (said[3][0], said[3][-1]) == ("[", "]")
    assert said[5].endswith("casa era blanca.")
    assert "ana@example.com" in said[6]
    assert said[7] == "♪"
    assert [cue.failed for cue in made.cues] == [()] * len(CUES)
    assert [cue.risk for cue in made.cues][-1] == 0.0
    assert all(0.0 < (cue.risk or 0.0) < 0.9 for cue in made.cues[:-1])
    assert 0.4 < made.confidence < 0.9


def test_captions_name_no_file(plugin_harness: PluginHarness, tmp_path: Path) -> None:
    """Captions that come with a request may name a profile that they were laid out for; a path is refused unread."""
    (tmp_path / "any.toml").write_text('extends = "web"\n')
    event = requested(languages=("es",), captions=replace(CAPTIONS, profile=str(tmp_path / "any.toml")))
    with pytest.raises(HookFailed) as failed:
        localized(plugin_harness, event, parameters={"engine": "apertium"})
    assert "never a file" in str(failed.value)


def test_description_and_labels_too(plugin_harness: PluginHarness) -> None:
    """A request without cues may ask for a description and names of tags."""
    event = requested(
        languages=("es",), source_language="en", description="A dog sleeps in the house.", labels=("night", "dog")
    )
    [made] = localized(plugin_harness, event)
    assert (made.cues, made.labels["dog"]) == ((), "perro")
    assert "perro" in made.description


def test_accepted_captions_go_where_the_settings_say(plugin_harness: PluginHarness) -> None:
    """Captions that were accepted are translated into the languages of the settings, and into none by default."""
    accepted = CaptionsAccepted(asset=ASSET, captions=CAPTIONS, proposal="p1")
    event = make_event(ASSET, "captions.accepted", accepted)
    assert localized(plugin_harness, event) == []
    found = localized(plugin_harness, event, parameters={"languages": ["es", "en-GB", "ca"]})
    assert [one.language for one in found] == ["es", "ca"]


def test_a_subtitle_file_is_translated(plugin_harness: PluginHarness, tmp_path: Path) -> None:
    """A subtitle file that settled is read, its language taken from its name, else from its words."""
    text = "1\n00:00:01,000 --> 00:00:03,000\nThe dog sleeps here, and nobody knows\n"
    text += "when the boat leaves.\n\n"
    text += "2\n00:00:05,000 --> 00:00:06,000\nGood night.\n"
    for name in ("film.en.srt", "film.srt"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        asset = make_asset(path, "subtitles")
        [made] = localized(plugin_harness, make_event(asset), path=path, asset=asset, parameters={"languages": ["es"]})
        assert (made.source_language, [cue.start for cue in made.cues]) == ("en", [1.0, 5.0])
        assert "perro" in made.cues[0].lines[0]


def test_nothing_said_is_nothing_to_translate(plugin_harness: PluginHarness) -> None:
    """Captions without cues, where nobody speaks, have no translation."""
    event = requested(languages=("es",), captions=Captions(language="en", cues=(), confidence=1.0))
    assert localized(plugin_harness, event) == []


def test_a_translation_is_not_translated_by_itself(plugin_harness: PluginHarness, tmp_path: Path) -> None:
    """A translation written as JSON that settles is left alone; asked for it, the plugin says what is better."""
    made = Translation(source_language="en", language="es", cues=CUES, confidence=1.0)
    path = tmp_path / "film.es.json"
    path.write_bytes(write(of_result(made), "json"))
    asset = make_asset(path, "subtitles")
    settled = make_event(asset)
    assert localized(plugin_harness, settled, path=path, asset=asset, parameters={"languages": ["fr"]}) == []
    asked = make_event(asset, "translation.requested", TranslationRequested(asset=asset, languages=("fr",)))
    with pytest.raises(HookFailed, match="is itself a translation from en"):
        localized(plugin_harness, asked, path=path, asset=asset)


def test_no_engine_for_a_pair(plugin_harness: PluginHarness) -> None:
    """Where nothing translates a pair, the job waits, and its answer says what would."""
    with pytest.raises(HookFailed) as caught:
        localized(plugin_harness, requested(languages=("ja",), captions=CAPTIONS), parameters={"engine": "apertium"})
    assert caught.value.failure.cause == "environment"
    assert "ja" in caught.value.failure.message


def test_what_has_no_language_is_refused(plugin_harness: PluginHarness) -> None:
    """A text that nobody names the language of, and that is too short to tell, is not guessed at."""
    with pytest.raises(HookFailed, match="nothing says which language it is in"):
        localized(plugin_harness, requested(languages=("es",), labels=("OK",)))


def test_wording_that_must_stand(plugin_harness: PluginHarness) -> None:
    """Required wording that no cue holds fails the last one."""
    event = requested(languages=("es",), captions=CAPTIONS)
    [made] = localized(plugin_harness, event, parameters={"required": ["es: Subtítulos de Ana", "fr: jamais"]})
    assert made.cues[-1].failed == ("required wording is in no cue: 'Subtítulos de Ana'",)
