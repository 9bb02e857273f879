"""Cues laid out at any frame rate lie on its frames and keep to their delivery profile."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from callboard.timedtext.check import check
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import lay_out
from callboard_caption.layout import Layout
from callboard_schemas import Word

TEXT = """
The boat left the harbour before sunrise. Nobody on the pier saw it go. We will tell the captain when he comes back in
the morning. I have worked on this film for three years, and the hardest part was the storm, because we only had one
camera. Hello, can you hear me? The train is late again, so please start without me. Yes. No, I don't think so. Look,
there is something that you should know about Mr. Smith and his brother. He said that he would be here at seven, but
nobody has seen him since yesterday evening. Why? Because it rained. It was an extraordinarily complicated story.
"""
RATES = ("23.976", "24", "25", "29.97", "29.97df", "50", "59.94", "59.94df")
PROFILES = ("web", "netflix", "bbc", "broadcast", "ted")


def speech(seed: int, count: int = 150, pace: float = 13.0) -> tuple[list[Word], float]:
    """Speak at about *pace* characters a second, with pauses after sentences; the words, and how long it takes."""
    chance = random.Random(seed)
    words: list[Word] = []
    clock = chance.random() * 3
    texts = TEXT.split()
    at = chance.randrange(len(texts))
    for number in range(count):
        text = texts[(at + number) % len(texts)]
        length = (len(text) + 1) / pace * chance.uniform(0.8, 1.2)
        words.append(Word(text=text, start=round(clock, 3), end=round(clock + 0.95 * length, 3), confidence=0.9))
        clock += length
        clock += chance.uniform(0.2, 1.2) if text[-1] in ".?" else chance.uniform(0, 0.3) if text[-1] == "," else 0.0
    return words, clock + 2.0


def cut(seed: int, duration: float) -> tuple[float, ...]:
    """Make shots of 1.2 to seven seconds: in one under a second no time is half a second from both its ends."""
    chance = random.Random(seed)
    cuts = [chance.uniform(1.2, 7)]
    while cuts[-1] < duration:
        cuts.append(cuts[-1] + chance.uniform(1.2, 7))
    return tuple(cuts)


@pytest.mark.parametrize("rate", RATES)
def test_every_time_is_the_start_of_a_frame(rate: str) -> None:
    """In and out times are frames of the picture to the last digit, at whole and at fractional rates."""
    words, duration = speech(1)
    frames = parse_rate(rate)
    layout = Layout(profile=load("netflix", "en"), rate=frames, language="en", cuts=cut(1, duration))
    for cue in lay_out(words, layout, duration):
        for at in (cue.start, cue.end):
            assert at == frames.seconds(frames.frame_at(at))
            assert frames.frame_of(frames.timecode(frames.frame_at(at))) == frames.frame_at(at)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("rate", RATES)
def test_speech_at_an_ordinary_pace_breaks_no_rule(name: str, rate: str) -> None:
    """The linter finds nothing, warnings included, in cues of speech that a profile's reading speed can hold."""
    words, duration = speech(PROFILES.index(name) * 10 + RATES.index(rate))
    cuts = cut(7, duration)
    layout = Layout(profile=load(name, "en"), rate=parse_rate(rate), language="en", cuts=cuts)
    cues = lay_out(words, layout, duration)
    assert [word.text for cue in cues for word in cue.words] == [word.text for word in words]
    found = check(cues, layout.profile, layout.rate, shots=cuts, language="en", duration=duration)
    assert [(one.rule, one.message) for one in found] == []


def test_cues_start_with_their_first_word() -> None:
    """Without shot changes a cue starts at most half a frame from its first word."""
    words, duration = speech(3)
    layout = Layout(profile=load("netflix", "en"), rate=parse_rate("25"), language="en")
    cues = lay_out(words, layout, duration)
    assert max(abs(cue.start - cue.words[0].start) for cue in cues) <= 0.02 + 1e-9


def test_milliseconds_stand_in_for_frames_where_there_are_none() -> None:
    """Sound without a picture is laid out in whole milliseconds, with gaps that are enough at any frame rate."""
    words, duration = speech(4)
    layout = Layout(profile=load("netflix", "en"), language="en")
    cues = lay_out(words, layout, duration)
    for cue in cues:
        assert cue.start == round(cue.start, 3)
        assert cue.end == round(cue.end, 3)
    gaps = [round(after.start - before.end, 3) for before, after in pairwise(cues)]
    assert all(gap == 0.084 or gap > 0.458 for gap in gaps)
    assert check(cues, layout.profile, None, language="en", duration=duration) == []


def test_hurried_speech_breaks_the_reading_speed_and_nothing_else() -> None:
    """Where words come faster than a profile lets them be read, the reading speed alone gives way."""
    words, duration = speech(5, pace=24.0)
    layout = Layout(profile=load("web", "en"), rate=parse_rate("25"), language="en")
    found = check(lay_out(words, layout, duration), layout.profile, layout.rate, language="en", duration=duration)
    assert {one.rule for one in found} == {"reading-speed"}


def test_chinese_words_are_joined_without_spaces() -> None:
    """Words of a language that is written without spaces stand side by side, in lines of its own width."""
    texts = [
        "我们",
        "明天",
        "早上",
        "七点",
        "在",
        "码头",
        "见面。",
        "请",
        "不要",
        "迟到，",
        "船",
        "不会",
        "等",
        "任何",
        "人。",
    ]
    words = [
        Word(text=text, start=0.5 + at * 0.4, end=0.85 + at * 0.4, confidence=0.9) for at, text in enumerate(texts)
    ]
    layout = Layout(profile=load("netflix", "zh"), rate=parse_rate("25"), language="zh")
    cues = lay_out(words, layout, 20.0)
    assert "".join(line for cue in cues for line in cue.lines) == "".join(texts)
    assert check(cues, layout.profile, layout.rate, language="zh", duration=20.0) == []


def test_thai_lines_are_broken_between_words() -> None:
    """Thai words stand side by side, and no line ends inside of one."""
    texts = ["เรือ", "ออกจาก", "ท่า", "ก่อน", "พระอาทิตย์", "ขึ้น", "ไม่มีใคร", "บน", "สะพาน", "เห็น", "มัน", "ไป"]
    words = [Word(text=text, start=0.5 + at * 0.5, end=0.9 + at * 0.5, confidence=0.9) for at, text in enumerate(texts)]
    layout = Layout(profile=load("netflix", "th"), language="th")
    lines = [line for cue in lay_out(words, layout, 20.0) for line in cue.lines]
    assert len(lines) > 1
    assert "".join(lines) == "".join(texts)
    ends = {"".join(texts[:at]) for at in range(1, len(texts) + 1)}
    assert all("".join(lines[:at]) in ends for at in range(1, len(lines) + 1))


def test_marks_that_stand_alone_stay_with_their_word() -> None:
    """French sets its marks off by spaces: neither a line nor a cue begins with one."""
    text = "Est-ce que vous avez vu le bateau qui est parti du port ce matin avant le lever du soleil ? Mais non !"
    texts = text.split()
    for offset in range(4):
        words = [
            Word(text=text, start=1 + at * 0.35, end=1.3 + at * 0.35, confidence=0.9)
            for at, text in enumerate(texts[offset:])
        ]
        layout = Layout(profile=load("netflix", "fr"), language="fr")
        lines = [line for cue in lay_out(words, layout, 30.0) for line in cue.lines]
        assert " ".join(lines).split() == texts[offset:]
        assert not any(line.startswith(("?", "!")) for line in lines)
        assert max(map(len, lines)) <= layout.profile.line_length


def test_dots_are_written_as_the_profile_writes_them() -> None:
    """A profile that wants one character for an ellipsis gets it in the lines; the words stay what was heard."""
    words = [
        Word(text=text, start=at * 0.5, end=at * 0.5 + 0.4, confidence=1) for at, text in enumerate(["Wait...", "no."])
    ]
    (cue,) = lay_out(words, Layout(profile=load("netflix", "en"), language="en"), 10.0)
    assert cue.lines == ("Wait… no.",)
    assert [word.text for word in cue.words] == ["Wait...", "no."]


def test_an_hour_of_speech_takes_seconds() -> None:
    """Nine thousand words, with a thousand shot changes, take a sixtieth of the time that it takes to hear them."""
    words, duration = speech(6, 9000, pace=15.0)
    layout = Layout(profile=load("netflix", "en"), rate=parse_rate("25"), language="en", cuts=cut(6, duration))
    began = time.thread_time()  # of this thread alone, whatever others of this process still do
    cues = lay_out(words, layout, duration)
    assert time.thread_time() - began < duration / 60  # about 1 s of one core
    assert len(cues) > 800
