"""Subtitle files beside media: whose they are and in which language, by the names that players go by.

``Film.en.srt`` belongs to ``Film.mov``; between the language and the extension may stand ``default``, ``forced``,
``foreign``, ``sdh``, ``hi`` and ``cc`` (https://jellyfin.org/docs/general/server/media/external-files/).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from callboard.sources.kinds import kind_of

FLAGS: Final = frozenset(("default", "forced", "foreign", "sdh", "hi", "cc"))

_TWO: Final = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka "
    "kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng "
    "nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su "
    "sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo yue za zh zu"
)
_THREE: Final = (
    "eng=en spa=es cat=ca por=pt ita=it fra=fr fre=fr deu=de ger=de nld=nl dut=nl swe=sv dan=da nor=no nob=nb nno=nn "
    "fin=fi isl=is ice=is pol=pl ces=cs cze=cs slk=sk slo=sk slv=sl hrv=hr srp=sr bos=bs bul=bg ron=ro rum=ro hun=hu "
    "ell=el gre=el tur=tr rus=ru ukr=uk bel=be lit=lt lav=lv est=et glg=gl eus=eu baq=eu cym=cy wel=cy gle=ga gla=gd "
    "ara=ar heb=he fas=fa per=fa urd=ur hin=hi ben=bn tam=ta tel=te mar=mr guj=gu pan=pa jpn=ja kor=ko zho=zh chi=zh "
    "tha=th vie=vi ind=id msa=ms may=ms fil=fil tgl=tl swa=sw afr=af lat=la epo=eo oci=oc"
)
_LANGUAGES: Final[dict[str, str]] = {
    **{code: code for code in _TWO.split()},
    **{long: short for long, _, short in (pair.partition("=") for pair in _THREE.split())},
}
"""ISO 639-1, and the three-letter codes of ISO 639-2 that people use in file names."""
_REST: Final = re.compile(r"(-[A-Za-z0-9]{2,8})*")


class Named(NamedTuple):
    """What the name of a subtitle file says."""

    stem: bytes
    """What is left: the name of its media without the extension, or all of it where it was taken for a language."""
    language: str
    """BCP 47; empty where the name does not say."""
    flags: tuple[str, ...] = ()


def language_of(text: str) -> str:
    """Read a language as file names have it: ``en``, ``eng``, ``pt-BR``, ``pt_br``, ``zh-Hans``; empty for none."""
    first, _, _ = (tag := text.replace("_", "-")).partition("-")
    language = _LANGUAGES.get(first.lower(), "")
    rest = tag[len(first) :]
    if not language or not _REST.fullmatch(rest):
        return ""
    cased = (part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest.split("-"))
    return language + "-".join(cased)


def read_name(name: bytes) -> Named:
    """Take the name of a subtitle file apart, such as ``Film.en.sdh.srt``."""
    parts = os.path.splitext(os.path.basename(name))[0].decode("utf-8", "surrogateescape").split(".")
    flags: list[str] = []
    while len(parts) > 1 and parts[-1].lower() in FLAGS and not _is_language(parts):
        flags.insert(0, parts.pop().lower())
    language = language_of(parts[-1]) if len(parts) > 1 else ""
    if language:
        parts.pop()
    return Named(".".join(parts).encode("utf-8", "surrogateescape"), language, tuple(flags))


def _is_language(parts: list[str]) -> bool:
    """``hi`` is Hindi where no other part before it says a language: ``Film.hi.srt``, but ``Film.en.hi.srt``."""
    before = [part for part in parts[1:-1] if part.lower() not in FLAGS]
    return parts[-1].lower() == "hi" and not (before and language_of(before[-1]))


def belongs(subtitles: bytes, media: bytes) -> bool:
    """Tell whether a subtitle file is named for a media file; both are names in one folder."""
    stem = read_name(subtitles).stem
    return stem in (os.path.splitext(media)[0], media)


def theirs(media: bytes, language: str, ours: Callable[[bytes], bool]) -> bytes | None:
    """Find a subtitle file that a person keeps beside media, in *language* or a variety of it.

    Args:
        media: Absolute path.
        language: BCP 47.
        ours: Tells whether an absolute path is Callboard's own output.

    Returns:
        Its absolute path; ``None`` where there is none, or the folder cannot be listed.
    """
    folder, name = os.path.split(media)
    main = language.partition("-")[0].lower()
    try:
        beside = sorted(os.listdir(folder))
    except OSError:
        return None
    for other in beside:
        if kind_of(other) == "subtitles" and belongs(other, name):
            said = read_name(other).language.partition("-")[0]
            path = os.path.join(folder, other)
            if said == main and not ours(path):
                return path
    return None


def media_beside(path: bytes) -> list[bytes]:
    """Give the absolute paths of the media that a subtitle file belongs to, by its name."""
    folder, name = os.path.split(path)
    try:
        beside = os.listdir(folder)
    except OSError:
        return []
    return sorted(
        os.path.join(folder, other) for other in beside if kind_of(other) in ("video", "audio") and belongs(name, other)
    )


__all__ = ["FLAGS", "Named", "belongs", "language_of", "media_beside", "read_name", "theirs"]
