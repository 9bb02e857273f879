"""The properties of an XMP file that Callboard shares with people, and those of its own namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from callboard_schemas import Proposal, Tags, Translation
from msgspec import Struct

from callboard.effects import plain
from callboard.effects.ledger import Values, Version
from callboard.effects.spans import Element, Name
from callboard.tagwise import kept, kept_text

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
LR = "http://ns.adobe.com/lightroom/1.0/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP = "http://ns.adobe.com/xap/1.0/"
OWN = "https://callboard.dev/ns/1.0/"
PLACEHOLDER = "https://callboard.dev/ns/placeholder/1.0/"
"""What a placeholder says of itself; apart from ``OWN``, which is written anew whenever tags are."""
XML = "http://www.w3.org/XML/1998/namespace"
DEFAULT = "x-default"
"""The language of a text for readers whose own is not among the alternatives."""

SUBJECT: Name = (DC, "subject")
HIERARCHY: Name = (LR, "hierarchicalSubject")
PATHS: Name = (DIGIKAM, "TagsList")
DESCRIPTION: Name = (DC, "description")
LISTS = {SUBJECT: "subjects", HIERARCHY: "hierarchy", PATHS: "paths"}
"""List property to the field of ``Values`` that it fills."""
KINDS = {SUBJECT: "Bag", HIERARCHY: "Bag", PATHS: "Seq"}
"""List property to the container that it is made with; one that is there is kept as it is."""
CONTAINERS = {(RDF, "Bag"), (RDF, "Seq"), (RDF, "Alt")}
ITEM: Name = (RDF, "li")

Property = str | list[str] | list[dict[str, str]]


_SLASH = "\u2215"
"""Division slash: digiKam parts levels by ``/`` and knows no escape, so "24/7" would become "7" below "24"."""


class Wish(Struct, frozen=True, kw_only=True):
    """What an XMP file should say of the accepted proposals."""

    values: Values
    own: dict[str, Property]
    """Properties of our namespace: text, a bag of texts, or a list of structures."""


def wish(proposals: Sequence[Proposal], *, keywords: bool = False) -> Wish | None:
    """Say what the accepted proposals want in XMP; ``None`` when no accepted tags are among them.

    Args:
        proposals: Of one asset, in any state.
        keywords: Write tag names in other languages as keywords too.
    """
    accepted = [proposal for proposal in proposals if proposal.state == "accepted"]
    tagged = [(proposal, proposal.body) for proposal in accepted if isinstance(proposal.body, Tags)]
    if not tagged:
        return None
    tags: list[dict[str, str]] = []
    subjects: dict[str, None] = {}
    hierarchy: dict[str, None] = {}
    paths: dict[str, None] = {}
    description = ""
    for proposal, body in tagged:
        description = plain.one_line(kept_text(body.description, proposal.without)) or description
        for tag in kept(body.items, proposal.without):
            label = plain.one_line(tag.label)
            if not label:
                continue
            levels = [part for part in map(plain.one_line, (*tag.group, label)) if part]
            path = "|".join(part.replace("|", "/") for part in levels)
            subjects[label] = None
            paths["/".join(part.replace("/", _SLASH) for part in levels)] = None
            if tag.group:
                hierarchy[path] = None
            row = {"label": label, "score": f"{tag.score:.4f}", "method": plain.one_line(tag.method)}
            tags.append(row | {"path": path, "guess": str(tag.guess), "proposal": proposal.id})
    alternatives = _alternatives(accepted) if description else {}
    if keywords:
        subjects |= dict.fromkeys(_names(accepted, subjects))
    values = Values(tuple(subjects), tuple(hierarchy), description, tuple(paths), alternatives)
    return Wish(values=values, own={"proposals": [_provenance(proposal) for proposal in accepted], "tags": tags})


def _alternatives(accepted: Sequence[Proposal]) -> dict[str, str]:
    """Give the description in other languages; of two in one, the later."""
    bodies = [proposal.body for proposal in accepted if isinstance(proposal.body, Translation)]
    found = {body.language: plain.one_line(body.description) for body in bodies}
    return {language: text for language, text in sorted(found.items()) if text}


def _names(accepted: Sequence[Proposal], subjects: Iterable[str]) -> list[str]:
    """Give what the tags that stand are called in other languages."""
    standing = list(subjects)
    bodies = [proposal.body for proposal in accepted if isinstance(proposal.body, Translation)]
    return [text for body in bodies for label in standing if (text := plain.one_line(body.labels.get(label, "")))]


def _provenance(proposal: Proposal) -> dict[str, str]:
    made = proposal.provenance
    row = {
        "id": proposal.id,
        "run": proposal.run,
        "job": proposal.job,
        "result": proposal.result,
        "state": proposal.state,
        "kind": proposal.kind,
        "confidence": f"{proposal.confidence:.4f}",
        "decidedBy": proposal.decided_by,
        "without": ", ".join(proposal.without),
        "plugin": made.plugin,
        "version": made.version,
        "models": ", ".join(f"{name} {digest}" for name, digest in sorted(made.models.items())),
        "parameters": msgspec.json.encode(made.parameters, order="deterministic").decode(),
        "seed": "" if made.seed is None else str(made.seed),
        "prompt": made.prompt,
        "fallback": made.fallback,
    }
    return {key: text for key, text in ((key, plain.one_line(text)) for key, text in row.items()) if text}


def find_rdf(root: Element) -> Element | None:
    """Find ``rdf:RDF``: the root, or directly below it."""
    return next((node for node in (root, *root.children) if node.name == (RDF, "RDF")), None)


def properties(root: Element) -> Iterator[Element]:
    """Give every property element of the top-level descriptions."""
    rdf = find_rdf(root)
    for description in rdf.children if rdf else ():
        yield from description.children


def items(node: Element) -> list[Element]:
    """Give the list items of a property whose value is a Bag, Seq or Alt."""
    if len(node.children) == 1 and node.children[0].name in CONTAINERS:
        return [child for child in node.children[0].children if child.name == ITEM]
    return []


def spoken(node: Element) -> list[tuple[str, str]]:
    """Give the texts of a property that has languages, each with its language; ``x-default`` where it says none."""
    return [(item.attributes.get((XML, "lang"), DEFAULT), item.text) for item in items(node)]


def said(values: Values) -> list[tuple[str, str]]:
    """Give a description as ``spoken`` reads it."""
    return [(DEFAULT, values.description), *values.alternatives.items()]


def values(root: Element) -> Values:
    """Read the shared properties."""
    lists: dict[str, list[str]] = {field: [] for field in LISTS.values()}
    description = ""
    alternatives: dict[str, str] = {}
    for node in properties(root):
        if node.name in LISTS:
            lists[LISTS[node.name]] += [item.text for item in items(node)]
        elif node.name == DESCRIPTION:
            description = description or next((item.text for item in items(node) if item.text), node.text)
            alternatives |= {language: text for language, text in spoken(node) if language != DEFAULT}
    texts = {field: tuple(found) for field, found in lists.items()}
    return Values(description=description, alternatives=alternatives, **texts)


def hides_others(there: Values) -> bool:
    """Tell whether a digiKam list of ours alone would hide keywords that people keep in other lists.

    digiKam takes the first list that has anything in it, its own before Lightroom's and the flat one, and writes all
    of them anew from that (``getItemTagsPath`` and ``setItemTagsPath`` in its dmetadata_tags.cpp): people's keywords
    would be gone. Without its own list it reads Lightroom's, where ours stand beside theirs.
    """
    return bool(there.subjects or there.hierarchy) and not there.paths


def recorded(root: Element) -> Version | None:
    """Read from our namespace what we wrote into this file; ``None`` when it is not there."""
    texts: dict[str, str] = {}
    bags: dict[str, tuple[str, ...]] = {}
    rdf = find_rdf(root)
    for description in rdf.children if rdf else ():
        texts |= {name: value for (space, name), value in description.attributes.items() if space == OWN}
        for node in description.children:
            if node.name[0] == OWN:
                texts[node.name[1]] = node.text
                bags[node.name[1]] = tuple(item.text for item in items(node))
    if "schema" not in texts:
        return None
    return Version(
        digest="",
        created=texts.get("created") == "True",
        wanted=Values(
            description=texts.get("description", ""),
            alternatives=_unpacked(bags.get("alternatives", ())),
            **{field: bags.get(field, ()) for field in LISTS.values()},
        ),
        added=Values(
            description=texts.get("addedDescription", ""),
            alternatives=_unpacked(bags.get("addedAlternatives", ())),
            **{field: bags.get(_added(field), ()) for field in LISTS.values()},
        ),
    )


def record(wanted: Values, added: Values, *, created: bool) -> dict[str, Property]:
    """Say in our namespace what we wrote, for ``recorded`` to read."""
    said: dict[str, Property] = {"created": str(created)}
    for field in LISTS.values():
        said |= {field: list(getattr(wanted, field)), _added(field): list(getattr(added, field))}
    said |= {"alternatives": _packed(wanted.alternatives), "addedAlternatives": _packed(added.alternatives)}
    return said | {"description": wanted.description, "addedDescription": added.description}


def _packed(alternatives: dict[str, str]) -> list[str]:
    return [f"{language} {text}" for language, text in alternatives.items()]


def _unpacked(texts: Sequence[str]) -> dict[str, str]:
    return {language: text for language, _, text in (entry.partition(" ") for entry in texts)}


def _added(field: str) -> str:
    return f"added{field.capitalize()}"


__all__ = [
    "CONTAINERS",
    "DC",
    "DEFAULT",
    "DESCRIPTION",
    "DIGIKAM",
    "HIERARCHY",
    "IPTC_EXT",
    "ITEM",
    "KINDS",
    "LISTS",
    "LR",
    "OWN",
    "PATHS",
    "PLACEHOLDER",
    "RDF",
    "SUBJECT",
    "XML",
    "XMP",
    "Property",
    "Wish",
    "find_rdf",
    "hides_others",
    "items",
    "properties",
    "record",
    "recorded",
    "said",
    "spoken",
    "values",
    "wish",
]
