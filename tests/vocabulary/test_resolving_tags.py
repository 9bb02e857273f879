"""Tags become a vocabulary's concepts: synonyms merge, thresholds and banned words hold, facts stay."""

from __future__ import annotations

from callboard.vocabulary import parse, resolve
from callboard_schemas import Evidence, Tag
from hypothesis import given
from hypothesis import strategies as st

WORDS = """
never = ["girl", "H264"]
[[concepts]]
id = "place"
label = "Place"
category = true
[[concepts]]
id = "beach"
label = "beach"
parent = "place"
synonyms = ["seaside", "sea shore"]
threshold = 0.5
thresholds = {keywords = 0.2}
[[concepts]]
id = "person"
label = "person"
synonyms = ["girl", "boy"]
[[concepts]]
id = "take"
label = "take"
analysers = ["slate"]
"""


def tag(label: str, score: float = 0.9, method: str = "clip", **more: object) -> Tag:
    """Make a tag."""
    return Tag(label=label, score=score, method=method, **more)  # type: ignore[arg-type]  # fields by name


def test_no_vocabulary_changes_nothing() -> None:
    """Without a vocabulary tags stay as they are."""
    tags = (tag("beach"), tag("seaside"))
    assert resolve(tags, None) == tags


def test_synonyms_merge() -> None:
    """What one method says of one concept is one tag: best score, all evidence once, a guess if all are."""
    one, two = Evidence(frame=3), Evidence(frame=9, value=0.5)
    tags = (
        tag("Seaside", 0.6, evidence=(one,), guess=True, group=("scene",)),
        tag("dog", 0.7),
        tag("SEA SHORE", 0.8, evidence=(two, one)),
        tag("beach", 0.3, "keywords"),
    )
    first, dog, words = resolve(tags, parse(WORDS))
    assert first == tag("beach", 0.8, group=("Place",), concept="beach", threshold=0.5, evidence=(two, one))
    assert dog == tags[1]
    assert (words.label, words.method, words.score, words.threshold) == ("beach", "keywords", 0.3, 0.2)


def test_a_concept_has_its_threshold() -> None:
    """A tag below its concept's threshold goes; that of its method comes first; without one the method's own stands."""
    vocabulary = parse(WORDS)
    assert resolve([tag("seaside", 0.49)], vocabulary) == ()
    assert [one.score for one in resolve([tag("seaside", 0.5)], vocabulary)] == [0.5]
    assert resolve([tag("seaside", 0.19, "keywords")], vocabulary) == ()
    (boy,) = resolve([tag("boy", 0.01, threshold=0.005)], vocabulary)
    assert (boy.label, boy.threshold) == ("person", 0.005)


def test_banned_words_are_never_tags() -> None:
    """A banned word goes, also from technical facts; as a synonym it becomes its concept's label."""
    fact = tag("h264", method="container", group=("technical", "video"))
    plain = parse('never = ["girl"]')
    assert resolve([tag("Gírl")], plain) == ()
    assert [one.label for one in resolve([tag("girl"), fact], parse(WORDS))] == ["person"]
    assert resolve([fact], plain) == (fact,)


def test_facts_are_no_words_to_resolve() -> None:
    """Technical facts keep their label and group, also in a strict vocabulary."""
    fact = tag("beach", 0.1, method="container", group=("technical",))
    assert resolve([fact, tag("unknown")], parse("strict = true\n" + WORDS)) == (fact,)


def test_a_strict_vocabulary_drops_what_it_does_not_know() -> None:
    """Where the vocabulary is strict, only its concepts and facts stay."""
    tags = [tag("dog"), tag("seaside")]
    assert [one.label for one in resolve(tags, parse(WORDS))] == ["dog", "beach"]
    assert [one.label for one in resolve(tags, parse("strict = true\n" + WORDS))] == ["beach"]


def test_a_concept_listens_to_its_analysers() -> None:
    """A concept that names its methods leaves the tags of others as they are; a category is never a tag."""
    seen, read, above = tag("take"), tag("take", method="slate"), tag("place")
    assert [one.concept for one in resolve([seen, read, above], parse(WORDS))] == ["", "take"]


@given(
    st.lists(
        st.builds(
            Tag,
            label=st.sampled_from(["beach", "Seaside", "girl", "boy", "place", "take", "dog", "h264"]),
            score=st.floats(0, 1),
            method=st.sampled_from(["clip", "keywords", "slate"]),
            group=st.sampled_from([(), ("technical",), ("scene",)]),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_resolving_twice_is_resolving_once(tags: list[Tag], strict: bool) -> None:
    """What is resolved stays so, no method says one concept twice, and no banned word is left."""
    vocabulary = parse(("strict = true\n" if strict else "") + WORDS)
    once = resolve(tags, vocabulary)
    assert resolve(once, vocabulary) == once
    said = [(one.concept, one.method) for one in once if one.concept]
    assert len(said) == len(set(said))
    assert not any(vocabulary.banned(one.label) for one in once)
