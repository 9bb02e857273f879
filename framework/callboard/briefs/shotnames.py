"""What a shot's name says: ``SH010_CU_MARA``, ``sc12_WS_establishing``, ``010_0020_OTS_push_in``.

Abbreviations are those of shot lists (https://en.wikipedia.org/wiki/Shot_(filmmaking), and
https://filmlifestyle.com/shot-list-abbreviations). They count behind the number of a shot or a scene, or before what
is seen: ``MS`` is a manuscript, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from callboard_schemas import ShotSize

from callboard.briefs.wording import Guess, of_sentence


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ABBREVIATIONS: Final[dict[str, ShotSize]] = {
    **dict.fromkeys(("ECU", "XCU", "BCU", "VCU"), "extreme close-up"),
    "CU": "close-up",
    "MCU": "medium close-up",
    "MS": "medium shot",
    **dict.fromkeys(("MLS", "MWS", "MFS"), "medium long shot"),
    **dict.fromkeys(("WS", "LS", "FS"), "wide shot"),
    **dict.fromkeys(("EWS", "XWS", "ELS", "XLS", "VWS", "VLS"), "extreme wide shot"),
}
"""Of shot sizes. A big or very close close-up leaves no room for a head; in a very wide shot people are hardly seen."""
_TOGETHER: Final = {"OTS": 2, "OSS": 2, "2S": 2, "M2S": 2, "2SHOT": 2, "TWOSHOT": 2, "3S": 3, "3SHOT": 3}
"""Abbreviations that say how many people are seen."""
_WORDS: Final[dict[str, ShotSize]] = {
    **dict.fromkeys(("CLOSEUP", "CLOSE", "INSERT"), "close-up"),
    **dict.fromkeys(("MEDIUM", "MID"), "medium shot"),
    **dict.fromkeys(("WIDE", "ESTABLISHING"), "wide shot"),
}
"""Words that a name says its size by; a sentence uses them for other things."""
_ALONE: Final = frozenset(("CLOSE", "MEDIUM", "MID"))
"""Those of them that count only where no other word gives them a meaning: a door may close, too."""
_ON: Final = frozenset(("", "SHOT", "UP", "ON", "OF"))
_LENS: Final = frozenset(("ANGLE", "LENS", "RANGE"))
_VERSION: Final = re.compile(r"v\d+", re.IGNORECASE)
_STATIC: Final = frozenset(("STATIC", "LOCKOFF"))
_NO_SHOT: Final = _set(
    "PAGE PAGES SCAN SCANS MANUSCRIPT SCRIPT DOC DOCUMENT DRAFT FOLIO PDF BOOK CHAPTER LETTERHEAD WINDOWS"
)
_PERSON_SIZES: Final = frozenset(("CU", "MCU", "MS", "MLS", "MWS", "BCU"))
"""Behind these a single word may be who is seen."""
_THINGS: Final = _set(
    # what close shots show beside people, and what names of shots say beside who is seen
    """HAND HANDS FEET FOOT EYE EYES FACE MOUTH LIPS PHONE GUN KNIFE LETTER NOTE KEY KEYS DOOR WINDOW CLOCK WATCH RING
    BOOK PHOTO PICTURE PICTURES MAP GLASS CUP BOTTLE TABLE DESK CHAIR BED LAMP LIGHT LIGHTS FIRE CANDLE CAR WHEEL BUS
    TRAIN PLANE BOAT SHIP FERRY BIKE ROAD STREET BRIDGE HARBOUR HARBOR PIER BEACH SEA OCEAN LAKE RIVER WATER SKY CLOUDS
    SUN MOON RAIN SNOW TREE TREES FOREST PARK GARDEN CITY TOWN HOUSE ROOM KITCHEN BAR CAFE OFFICE SHOP STAIRS ROOF WALL
    FLOOR SCREEN MONITOR COMPUTER LAPTOP KEYBOARD TV RADIO CAMERA FOOD PLATE FLOWER FLOWERS DOG CAT BIRD BIRDS HORSE
    CROWD PEOPLE MAN WOMAN BOY GIRL CHILD KID BABY GUY GUYS COUPLE FAMILY TEAM GROUP EXTRAS DRIVER COP POLICE NURSE
    DOCTOR WAITER BLOOD BODY MONEY PAPER PAPERS BOX BAG COAT HAT SHOE SHOES SIGN LOGO TITLE TITLES PRODUCT PACKSHOT
    REACTION REACT DIALOGUE DIALOG ACTION WALK WALKS RUN RUNS TALK TALKS LOOK LOOKS TURN TURNS ENTER ENTERS EXIT EXITS
    SMILE CRY SCREAM FIGHT KISS DANCE INTRO OUTRO ENDING START BEGINNING END CUT SHOT TAKE SCENE VERSION FINAL COMP ANIM
    LAYOUT PREVIS PREVIZ POSTVIS PLATE PLATES BG FG VFX FX CG CGI ROTO PAINT CLEAN GRADE COLOR COLOUR TEST TEMP WIP DAY
    NIGHT DAWN DUSK INT EXT LEFT RIGHT UP DOWN LOW HIGH ANGLE OVERHEAD TOP FRONT BACK SIDE REAR REVERSE REV PROFILE SLOW
    FAST PUSH PULL PAN TILT ZOOM DOLLY TRACK CRANE HANDHELD STATIC STEADICAM DRONE AERIAL POV OTS INSERT CUTAWAY PICKUP
    ALT MAIN MASTER WIDE CLOSE MEDIUM SINGLE DOUBLE OLD NEW LONG SHORT BIG SMALL AND THE WITH"""
)
_NUMBER: Final = re.compile(r"(?:[a-z]{1,5})?\d+[a-z]{0,2}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[^\W_]+", re.UNICODE)
_OF: Final = re.compile(r"\s*(?:$|[,;:])|\s+(?:[–—-]\s|(?:of|on)\b)")


def of_name(name: str, cast: Sequence[str] = ()) -> Iterator[Guess]:
    """Give what a shot's name says of its size, who is in it, and the camera.

    Args:
        name: Of the shot.
        cast: Names of people in the film; any other word behind a size is somebody only if it is no common thing.
    """
    tokens = [token for token in _TOKEN.findall(name) if not _VERSION.fullmatch(token)]
    if _NO_SHOT & {token.upper() for token in tokens}:
        return
    numbered = [_number(token) for token in tokens]
    if not any(numbered):
        return
    words = [token for token, number in zip(tokens, numbered, strict=True) if not number]
    words = words[numbered.index(True) :]  # as many words as there are before the first number
    yield from _sizes(words)
    yield from _together([word.upper() for word in words])
    yield from _person(words, cast)
    if any(word.upper() in _STATIC for word in words):
        yield Guess("movement", "static", "static")
    yield from of_sentence(" ".join(map(_apart, words)))


def _number(token: str) -> bool:
    return token.upper() not in _TOGETHER and _NUMBER.fullmatch(token) is not None


def of_words(text: str) -> Iterator[Guess]:
    """Give what abbreviations in capitals say in a sentence: ``CU on Mara``, ``MS, low angle``, ``OTS to Jonas``."""
    found = []
    for hit in re.finditer(r"(?:^|(?<=[.;:,] ))([A-Z0-9]{2,4})\b(?!['’.])", text):
        word, rest = hit[1], text[hit.end() :]
        sure = len(word) > 2 or word in ("CU", "WS") or _OF.match(rest)
        if (
            word in ABBREVIATIONS
            and sure
            and not (text.isupper() and len(text) > len(word) + 1 and not _OF.match(rest))
        ):
            found.append(Guess("shot_size", ABBREVIATIONS[word], word))
        elif word in _TOGETHER:
            yield Guess("people", _TOGETHER[word], word)
    if len({guess.value for guess in found}) == 1:
        yield found[0]


def _sizes(words: list[str]) -> list[Guess]:
    """Read abbreviations and words of sizes: all large or all small; two that differ say nothing."""
    found = []
    for at, word in enumerate(words):
        large, behind = word.upper(), words[at + 1].upper() if at + 1 < len(words) else ""
        if _abbreviation(word):
            found.append(Guess("shot_size", ABBREVIATIONS[large], word))
        elif large in _WORDS and behind not in _LENS and (large not in _ALONE or (at == 0 and behind in _ON)):
            found.append(Guess("shot_size", _WORDS[large], word))
    agreed = len({guess.value for guess in found}) == 1 and not _long_name(words)
    return found[:1] if agreed else []


def _abbreviation(word: str) -> bool:
    return word.upper() in ABBREVIATIONS and (word.isupper() or word.islower())


def _long_name(words: list[str]) -> bool:
    """Whether words together name a size that one of them alone would get wrong: ``medium close up``."""
    return re.search(r"medium (?:close|long|wide|full)|extreme|(?:big|very) close", " ".join(words).lower()) is not None


def _together(words: list[str]) -> list[Guess]:
    found = {_TOGETHER[word]: word for word in words if word in _TOGETHER}
    return [Guess("people", value, word) for value, word in found.items()] if len(found) == 1 else []


def _person(words: list[str], cast: Sequence[str]) -> list[Guess]:
    """Say who is seen: the one word behind a size that shows people, if it is a name."""
    known = {name.casefold(): name for name in cast}
    for size, word in itertools.pairwise(words):
        if not _abbreviation(size):
            continue
        if word.casefold() in known:
            return [Guess("cast", (known[word.casefold()],), f"{size} {word}")]
        named = len(word) > 2 and word.isalpha() and word[0].isupper() and word.upper() not in _THINGS
        if size.upper() in _PERSON_SIZES and named and word.upper() not in (*ABBREVIATIONS, *_WORDS):
            return [Guess("cast", (word[0] + word[1:].lower(),), f"{size} {word}")]
    return []


def _apart(token: str) -> str:
    """Take words written together apart: ``lowAngle``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", token)


__all__ = ["ABBREVIATIONS", "of_name", "of_words"]
