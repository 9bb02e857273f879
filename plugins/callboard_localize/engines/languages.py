"""Languages: BCP 47 tags, and the codes that engines write in their place."""

from __future__ import annotations

import functools
import re
from typing import Final

from msgspec import Struct

_SHORT: Final = (
    "aa:aar ab:abk af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis bm:bam "
    "bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cs:ces cv:chv cy:cym da:dan de:deu dv:div dz:dzo ee:ewe "
    "el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg "
    "gn:grn gu:guj gv:glv ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye ia:ina id:ind ie:ile ig:ibo ik:ipk io:ido "
    "is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kk:kaz kl:kal km:khm kn:kan ko:kor ks:kas ku:kur kv:kom "
    "kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mi:mri mk:mkd ml:mal mn:mon "
    "mr:mar ms:msa mt:mlt my:mya nb:nob ne:nep nl:nld nn:nno no:nor nv:nav ny:nya oc:oci om:orm or:ori os:oss pa:pan "
    "pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag sh:hbs si:sin "
    "sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha "
    "ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie "
    "wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul"
)
"""ISO 639-1 to ISO 639-3."""
THREE: Final[dict[str, str]] = {two: three for two, _, three in (pair.partition(":") for pair in _SHORT.split())}
TWO: Final[dict[str, str]] = {three: two for two, three in THREE.items()}
_MEMBERS: Final = {
    "ara": ("arb",),
    "aze": ("azj",),
    "bos": ("hbs",),
    "est": ("ekk",),
    "fas": ("pes", "prs"),
    "fil": ("tgl",),
    "ful": ("fuv",),
    "grn": ("gug",),
    "hrv": ("hbs",),
    "kur": ("kmr",),
    "lav": ("lvs",),
    "mlg": ("plt",),
    "mon": ("khk",),
    "msa": ("zsm", "zlm"),
    "nep": ("npi",),
    "nor": ("nob", "nno"),
    "ori": ("ory",),
    "orm": ("gaz",),
    "pus": ("pbt",),
    "que": ("quy",),
    "sqi": ("als",),
    "srp": ("hbs",),
    "swa": ("swh",),
    "uzb": ("uzn",),
    "yid": ("ydd",),
    "zho": ("cmn",),
}
"""What else a language is filed under: members of a macrolanguage, likeliest first, or the group it is of."""
_REGIONS: Final = {"bos": "BS", "hrv": "HR", "srp": "SR"}
"""The standard forms that one group of languages is told apart by."""


class Tag(Struct, frozen=True):
    """What a BCP 47 tag says."""

    language: str
    """ISO 639-3."""
    script: str = ""
    """ISO 15924, as in ``Cyrl``; empty where it is not said."""
    variants: tuple[str, ...] = ()
    """Region and variants, in lower case."""


def parse(tag: str) -> Tag:
    """Read a BCP 47 tag, or an engine's code such as ``eng_US`` or ``spa_Latn``; extensions are left out."""
    first, *rest = re.split(r"[-_]", tag.strip().strip("_"))
    language, script, variants = first.lower(), "", []
    for part in rest:
        if len(part) == 1:
            break
        if len(part) == 4 and part.isalpha() and not script:
            script = part.title()
        else:
            variants.append(part.lower())
    return Tag(THREE.get(language, language), script, tuple(variants))


@functools.cache
def names(language: str) -> tuple[str, ...]:
    """Give the codes of ISO 639-3 that *language* may be filed under, the nearest first."""
    groups = tuple(group for group, members in _MEMBERS.items() if language in members)
    return (language, *_MEMBERS.get(language, ()), *groups)


def same(one: str, other: str) -> bool:
    """Whether two tags are of one language in one script, whatever their regions."""
    first, second = parse(one), parse(other)
    scripts = first.script and second.script and first.script != second.script
    return first.language == second.language and not scripts


def fit(wanted: Tag, code: str) -> int | None:
    """Say how far an engine's *code* is from *wanted*: 0 for the same, more for less near, ``None`` for another."""
    given = parse(code)
    known = names(wanted.language)
    if given.language not in known or (wanted.script and given.script and wanted.script != given.script):
        return None
    region = _REGIONS.get(wanted.language, "").lower() if given.language == "hbs" else ""
    asked = set(wanted.variants) | ({region} if region else set())
    foreign = len(set(given.variants) - asked)
    return 100 * known.index(given.language) + 10 * foreign + len(asked - set(given.variants))


def nearest(wanted: str, codes: tuple[str, ...], *, plain: bool = False) -> str:
    """Choose of an engine's *codes* the one that is nearest to the tag *wanted*; empty where none is of it.

    Args:
        wanted: A BCP 47 tag.
        codes: The engine's.
        plain: Whether a code of another region or variant is none of it.
    """
    tag = parse(wanted)
    scored = [(far, code) for code in codes if (far := fit(tag, code)) is not None]
    if plain:
        scored = [(far, code) for far, code in scored if far % 100 < 10]
    return min(scored)[1] if scored else ""


__all__ = ["THREE", "TWO", "Tag", "fit", "names", "nearest", "parse", "same"]
