"""TTML and IMSC text, read through ttconv.

lxml reads the XML, without entities; here every time becomes ticks that are exact, and every paragraph gets a name by
which it is found again, so that nothing can go missing. ttconv then resolves styles, regions and nested times.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import lcm
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element, ElementTree

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard.strict_xml import parser as strict_parser
from callboard.timedtext import plain
from callboard.timedtext.formats.decoding import check_size, text_of
from callboard.timedtext.formats.reading import LANGUAGE, MOST_CUES, Reading
from callboard.timedtext.formats.timed import FAR, Paragraph, attend, paragraphs
from callboard.timedtext.formats.ttml_times import PARAMETER, Timing

_TTML: Final = "http://www.w3.org/ns/ttml"
_META: Final = f"{{{_TTML}#metadata}}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_OLD: Final = re.compile(r"\{http://www\.w3\.org/(?:2006/04|2006/10|2009/02)/ttaf1(#[a-z-]+)?\}")
_DECLARED: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_HEAD: Final = re.compile(r"\s*<\?xml[^>]*\?>")
_DTD: Final = re.compile(r"<!(DOCTYPE|ENTITY)")
_IN_TEXT: Final = frozenset(f"{{{_TTML}}}{name}" for name in ("span", "br", "set", "metadata"))
_NO_TEXT: Final = frozenset(f"{{{_TTML}}}{name}" for name in ("tt", "body", "div"))
_DEEPEST: Final = 40
"""Levels of elements; real documents have under ten."""
_MOST: Final = 1_000_000
"""Elements."""


class _Node(NamedTuple):
    """An element with what it inherits."""

    element: Any
    agent: str
    role: str
    language: str
    depth: int
    in_sequence: bool = False
    """Whether its parent shows its children one after the other."""
    in_text: bool = False
    """Whether it is below a paragraph."""


def read_ttml(data: bytes, reading: Reading, encoding: str | None = None) -> None:
    """Read TTML into *reading*.

    Raises:
        SubtitleError: it is no TTML, holds a document type, or a time that is none; the error names the line.
        MissingExtra: ttconv is not installed.
    """
    root = _parsed(data, reading, encoding)
    tag = _modern(root.tag)
    if tag != f"{{{_TTML}}}tt":
        hint = "" if etree.QName(root).localname != "tt" else "Its namespace is none of TTML's."
        raise reading.refuse(root.sourceline or 1, f"<{etree.QName(root).localname}> is not TTML", hint)
    if tag != root.tag:
        reading.note(root.sourceline or 1, "the namespace of a draft of 2006: read as TTML")
    attributes = {_modern(str(name)): str(value) for name, value in root.attrib.items()}
    timing = Timing(attributes, root.sourceline or 1, reading)
    built = _Built(root, timing, reading)
    if timing.declared and reading.rate is not None and reading.rate.fps != timing.fps:
        reading.note(
            root.sourceline or 1, f"counts {timing.rate} frames a second, not {reading.rate} as told: as it says"
        )
    if timing.declared or (reading.rate is None and timing.smpte):
        reading.rate = timing.rate
    language = attributes.get(f"{_XML}lang", "").strip()
    reading.language = language if LANGUAGE.fullmatch(language) else ""
    if timing.smpte:
        reading.note(root.sourceline or 1, "times are timecode: the first frame of the media is taken for 00:00:00:00")
    for raw in paragraphs(ElementTree(built.root), built.named, reading, attend(reading)):
        reading.add(raw)


def _parsed(data: bytes, reading: Reading, encoding: str | None) -> Any:
    check_size(data, reading)
    declared = _DECLARED.match(data.lstrip()[:300])
    name = declared[1].decode().lower() if declared else ""
    text = text_of(data, reading, encoding or (name if name not in ("", "utf-8", "utf8", "us-ascii") else None))
    found = _DTD.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise reading.refuse(line, "a document type or entities, which could hide anything", "Take them out.")
    parser = strict_parser(remove_comments=True, remove_pis=True)
    try:
        bare = _HEAD.sub(lambda head: "\n" * head[0].count("\n"), text, count=1)
        return etree.fromstring(bare.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise reading.refuse(error.lineno or 1, f"is no XML: {plain.one_line(error.msg or '')[:120]}") from None


def _modern(name: str) -> str:
    return _OLD.sub(lambda found: f"{{{_TTML}{found[1] or ''}}}", name)


class _Built:
    """A copy of the document for ttconv: names of today, times in ticks, paragraphs with names."""

    def __init__(self, root: Any, timing: Timing, reading: Reading) -> None:
        self.timing, self.reading = timing, reading
        self.named: dict[str, Paragraph] = {}
        self.agents = _agents(root)
        self.times: list[tuple[Element, str, Fraction]] = []
        self.count = 0
        head = next((child for child in root if _local(child) == "head"), None)
        title = None if head is None else next((n for n in head.iter() if _modern(str(n.tag)) == f"{_META}title"), None)
        reading.title = plain.one_line("".join(title.itertext())) if title is not None else ""
        self.root = self._copied(root)
        self._set_ticks()

    def _copied(self, root: Any) -> Element:
        top = Element(_modern(root.tag))
        todo = [(_Node(root, "", "", "", 0), top)]
        while todo:
            node, copy = todo.pop()
            self.count += 1
            line = node.element.sourceline or 0
            if node.depth > _DEEPEST or self.count > _MOST:
                raise self.reading.refuse(line, "more elements, or deeper ones, than any real document has")
            node = self._attributes(node, copy, line)
            copy.text, copy.tail = node.element.text, node.element.tail
            children = []
            for child in node.element:
                if not isinstance(child.tag, str):
                    raise self.reading.refuse(child.sourceline or line, "an entity, which is not allowed")
                in_text = node.in_text or copy.tag == f"{{{_TTML}}}p"
                below = Element(self._tag(child, in_text=in_text))
                copy.append(below)
                seq = copy.attrib.get("timeContainer") == "seq"
                told = _Node(child, node.agent, node.role, node.language, node.depth + 1, seq, in_text)
                children.append((told, below))
            todo += reversed(children)
            if copy.tag in _NO_TEXT:
                self._stray(node.element, line)
        return top

    def _tag(self, child: Any, *, in_text: bool) -> str:
        """Name an element; what TTML does not have inside of a paragraph becomes a span, so that its text stays."""
        tag = _modern(child.tag)
        if not in_text or tag in _IN_TEXT or tag.startswith(_META):
            return tag
        self.reading.note(child.sourceline or 0, f"<{_local(child)}> is not TTML: left out, its text is kept")
        return f"{{{_TTML}}}span"

    def _stray(self, element: Any, line: int) -> None:
        for text in (element.text, *(child.tail for child in element)):
            if text and text.strip():
                self.reading.note(line, f"text outside of a paragraph: left out: {plain.one_line(text)[:80]!r}")

    def _attributes(self, node: _Node, copy: Element, line: int) -> _Node:
        for name, value in node.element.attrib.items():
            copy.set(_modern(str(name)), str(value))
        timed = copy.tag.startswith(f"{{{_TTML}}}")
        for name in ("begin", "end", "dur") if timed else ():
            if name in copy.attrib:
                self.times.append((copy, name, self.timing.seconds(copy.attrib[name], line)))
        if timed and copy.tag != f"{{{_TTML}}}set":
            self._close(node, copy, line)
        if node.in_text and self._is_empty(copy):
            self.reading.note(line, "words that end before they start: read as shown with the rest")
            self._untime(copy, "begin", "end", "dur")
        agent = copy.attrib.get(f"{_META}agent", node.agent)
        role = copy.attrib.get(f"{_META}role", node.role)
        language = copy.attrib.get(f"{_XML}lang", node.language if node.depth > 1 else "")
        if copy.tag == f"{{{_TTML}}}p":
            self._paragraph(node._replace(agent=agent, role=role, language=language), copy, line)
        elif copy.tag == f"{{{_TTML}}}set":
            self.reading.note(line, "an animation: left out")
        return node._replace(agent=agent, role=role, language=language)

    def _close(self, node: _Node, copy: Element, line: int) -> None:
        """Give what has a begin and no end a far one: ttconv ends it too early, or leaves it out.

        It compares the ends of children, which count from their parent's begin, with that begin (ttconv 1.2.3,
        ``implicit_end`` in ``ContentElement.process``).
        """
        if "end" in copy.attrib or "dur" in copy.attrib:
            return
        if node.in_sequence:
            if any(key in child.attrib for child in node.element.iter() for key in ("begin", "end", "dur")):
                raise self.reading.refuse(line, "nested times in a sequence, without a duration of their own")
        elif "begin" in copy.attrib:
            copy.set("end", "")
            self.times.append((copy, "end", FAR))

    def _paragraph(self, told: _Node, copy: Element, line: int) -> None:
        """Name a paragraph by its language, the only attribute that ttconv hands on."""
        name = f"p-{len(self.named)}"
        copy.set(f"{_XML}lang", name)
        if len(self.named) >= MOST_CUES:
            raise self.reading.refuse(line, f"more than {MOST_CUES} paragraphs")
        empty = self._is_empty(copy)
        if empty:
            # ttconv leaves out what lasts no time; it is handed a paragraph with an open end, which is closed again
            self.reading.note(line, "ends before it starts, or as it starts: read as ending where it starts")
            self._untime(copy, "end", "dur")
        own = {child.get(f"{_META}agent") for child in told.element.iter() if child.get(f"{_META}agent")}
        self.named[name] = Paragraph(
            line=line,
            speaker=self._speaker(own, told.agent, line),
            sound="sound" in told.role.split(),
            empty=empty,
            has_text=bool("".join(told.element.itertext()).strip()),
            language=told.language if LANGUAGE.fullmatch(told.language) else "",
        )

    def _is_empty(self, copy: Element) -> bool:
        own = {key: time for element, key, time in self.times[-3:] if element is copy}
        begin, end = own.get("begin", Fraction(0)), own.get("end")
        return (end is not None and end <= begin) or own.get("dur") == 0

    def _untime(self, copy: Element, *names: str) -> None:
        self.times[-3:] = [one for one in self.times[-3:] if one[0] is not copy or one[1] not in names]
        for name in names:
            copy.attrib.pop(name, None)

    def _speaker(self, own: set[Any], agent: str, line: int) -> str:
        if len(own) > 1:
            self.reading.note(line, "several speakers in a paragraph: read as said by nobody known")
            return ""
        said = str(next(iter(own))) if own else agent
        names = [self.agents.get(one, one) for one in said.split()]
        return ", ".join(names)

    def _set_ticks(self) -> None:
        rate = lcm(1000, *(time.denominator for _, _, time in self.times))
        if rate.bit_length() > 200:
            raise self.reading.refuse(0, "times of too many different fractions")
        for element, name, time in self.times:
            element.set(name, f"{int(time * rate)}t")
        self.root.set(f"{PARAMETER}tickRate", str(rate))
        self.root.set(f"{PARAMETER}timeBase", "media")
        for name in ("frameRate", "frameRateMultiplier", "dropMode"):
            self.root.attrib.pop(f"{PARAMETER}{name}", None)


def _local(node: Any) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _agents(root: Any) -> dict[str, str]:
    """Names of the agents, by id."""
    found = {}
    for node in root.iter():
        if isinstance(node.tag, str) and _modern(node.tag) == f"{_META}agent":
            names = [plain.one_line("".join(child.itertext())) for child in node if _local(child) == "name"]
            found[node.get(f"{_XML}id", "")] = next(filter(None, names), node.get(f"{_XML}id", ""))
    return found


__all__ = ["read_ttml"]
