"""Keywords, descriptions and colours of media: merged with what people wrote, and known again as ours."""

from typing import TYPE_CHECKING

from callboard_resolve.inside.ledger import checksum
from callboard_resolve.inside.outcome import Outcome

if TYPE_CHECKING:
    from fusionscript import ClipColor, MediaPoolItem

COLOURS: "tuple[ClipColor, ...]" = (
    *("Orange", "Apricot", "Yellow", "Lime", "Olive", "Green", "Teal", "Navy"),
    *("Blue", "Purple", "Violet", "Pink", "Tan", "Beige", "Brown", "Chocolate"),
)
"""The 16 colours that a clip may have, other ones than those of markers (fusionscript-stubs 21.0.0)."""

TAGS = "callboard.tags"
DESCRIPTION = "callboard.description"
PROPOSAL = "callboard.id"
"""Third-party metadata of our stand-ins: the proposal that each is of."""
CAPTIONS = "callboard.captions"
"""Third-party metadata of our SRT files: the timeline that they are for."""


def carried(clip: "MediaPoolItem", key: str) -> "dict[str, list[str]]":
    """Read what we keep with a clip under a key: by proposal, some texts.

    Each line is a proposal and its texts with tabs between them, which the Lua script reads and writes as well.
    """
    kept = {}
    for line in str(clip.GetThirdPartyMetadata(key) or "").splitlines():
        proposal, *texts = line.split("\t")
        if proposal:
            kept[proposal] = texts
    return kept


def carry(clip: "MediaPoolItem", key: str, kept: "dict[str, list[str]]") -> None:
    """Keep something with a clip; values must be strings, or Resolve refuses them."""
    clip.SetThirdPartyMetadata(key, "\n".join("\t".join([name, *texts]) for name, texts in sorted(kept.items())))


def keywords(clip: "MediaPoolItem") -> "list[str]":
    """Read a clip's keywords."""
    text = str(clip.GetMetadata("Keywords") or "")
    return [word.strip() for word in text.split(",") if word.strip()]


def write_tags(clip: "MediaPoolItem", proposal: str, tags: "list[str]") -> Outcome:
    """Add tags to a clip's keywords; those that the same proposal added before go, a person's stay.

    A comma parts keywords in Resolve, so one inside a tag becomes a space.
    """
    outcome = Outcome()
    kept = carried(clip, TAGS)
    before = set(kept.get(proposal, []))
    others = {word for name, words in kept.items() if name != proposal for word in words}
    words = [word for word in keywords(clip) if word not in before or word in others]
    known = {word.casefold() for word in words}
    wanted = [" ".join(tag.replace(",", " ").split()) for tag in tags]
    added = []
    for word in wanted:
        if word and word.casefold() not in known:
            known.add(word.casefold())
            added.append(word)
    clip.SetMetadata("Keywords", ", ".join(words + added))
    there = {word.casefold() for word in keywords(clip)}
    for word in dict.fromkeys(wanted):
        if word.casefold() in there:
            outcome.landed.append(word)
        else:
            outcome.missing.append("{}: Resolve did not keep the keyword".format(word or "an empty tag"))
    kept[proposal] = [word for word in added if word.casefold() in there]
    carry(clip, TAGS, kept)
    return outcome


def clear_tags(clip: "MediaPoolItem", proposal: str, outcome: Outcome) -> None:
    """Take away the keywords that a proposal added."""
    kept = carried(clip, TAGS)
    if proposal not in kept:
        return
    before = set(kept.pop(proposal))
    others = {word for words in kept.values() for word in words}
    clip.SetMetadata("Keywords", ", ".join(word for word in keywords(clip) if word not in before or word in others))
    left = [word for word in keywords(clip) if word in before and word not in others]
    outcome.missing.extend(f"{word}: Resolve kept the keyword" for word in left)
    carry(clip, TAGS, kept)


def write_description(clip: "MediaPoolItem", proposal: str, text: str) -> Outcome:
    """Write a clip's description where there is none, or ours; a person's stays."""
    outcome = Outcome()
    kept = carried(clip, DESCRIPTION)
    now = str(clip.GetMetadata("Description") or "")
    if now.strip() and [checksum(now)] not in kept.values():
        outcome.missing.append("Description: kept, because a person wrote one")
        return outcome
    clip.SetMetadata("Description", text)
    if str(clip.GetMetadata("Description") or "") != text:
        outcome.missing.append("Description: Resolve did not keep it")
        return outcome
    carry(clip, DESCRIPTION, {proposal: [checksum(text)]})
    outcome.landed.append("Description")
    return outcome


def clear_description(clip: "MediaPoolItem", proposal: str, outcome: Outcome) -> None:
    """Take away the description that a proposal wrote, unless a person changed it."""
    kept = carried(clip, DESCRIPTION)
    wrote = kept.pop(proposal, None)
    if not wrote:
        return
    if [checksum(str(clip.GetMetadata("Description") or ""))] == wrote:
        clip.SetMetadata("Description", "")
        if clip.GetMetadata("Description"):
            outcome.missing.append("Description: Resolve kept it")
    else:
        outcome.note("the description was kept: a person changed it")
    carry(clip, DESCRIPTION, kept)


def paint(clip: "MediaPoolItem", colour: "ClipColor") -> bool:
    """Give a clip a colour; say whether it has it now."""
    clip.SetClipColor(colour)
    return str(clip.GetClipColor() or "") == colour
