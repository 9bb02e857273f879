"""One contract for every translation engine, over real processes, random weights and a server on this machine."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from callboard.config import RuntimeSettings
from callboard.context import Context
from callboard.errors import JobError, ModelMissing, NoTranslator
from callboard.packs.store import PACKS_VARIABLE
from callboard.runtime.local import LocalRuntime
from callboard.testing.tinytranslator import convert, describe, make_m2m, make_marian
from callboard_localize.engines import Engine, Hints, Line, Text, choose, neural
from callboard_localize.engines.languages import nearest, parse, same
from callboard_localize.engines.neural import codes

NAMES = ("apertium", "tiny-marian-ct2", "tiny-marian-torch", "service")
TEXTS = (
    "the cat eats fish",
    "where were you last night, John?",
    "Maria went to Paris with John friends.",
    "日本語 ñ",
    "Yes!",
    "he said never again by the sea",
)


class Mirror(BaseHTTPRequestHandler):
    """A service that gives each text back in capitals."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer as a chat completion does."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        lines = json.loads(asked["messages"][1]["content"])["lines"]
        said = {"lines": [{"id": line["id"], "text": line["text"].upper()} for line in lines]}
        answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": json.dumps(said)}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make small models with random weights, as checkpoints and converted, and describe them as packs."""
    folder = tmp_path_factory.mktemp("models")
    described = folder / "packs"
    described.mkdir()
    for name, make, family, languages in (
        ("marian", make_marian, "marian", ("eng>spa",)),
        ("m2m", make_m2m, "m2m100", ("__en__", "__pt__", "__it__")),
    ):
        make(folder / name)
        convert(folder / name, folder / f"{name}-ct2")
        describe(folder / name, described, f"tiny-{name}-torch", "torch", family, languages)
        describe(folder / f"{name}-ct2", described, f"tiny-{name}-ct2", "ctranslate2", family, languages)
    return described


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def context(packs: Path, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Give what a job has: the runtime with those packs, the parameters, a folder."""
    with pytest.MonkeyPatch.context() as patch, LocalRuntime(RuntimeSettings(threads=1), packs) as runtime:
        patch.setenv(PACKS_VARIABLE, str(packs))
        patch.setenv("CALLBOARD_STORE", str(tmp_path_factory.mktemp("store")))
        parameters = {"service_url": address, "service_model": "mirror", "service_requests_per_minute": 6000}
        yield cast(
            "Context",
            SimpleNamespace(
                parameters=parameters,
                runtime=runtime,
                log=logging.getLogger("test"),
                folder=tmp_path_factory.mktemp("kept"),
            ),
        )


@pytest.fixture(scope="module")
def engine(context: Context) -> Iterator[Callable[[str], Engine]]:
    """Give each engine, made once, from English to Spanish."""
    made: dict[str, Engine] = {}
    yield lambda name: made.setdefault(name, made.get(name) or choose("en", "es", context, name))
    for one in made.values():
        close = getattr(one, "close", None)
        if close is not None:
            close()


def ask(engine: Engine, *texts: str) -> list[str]:
    """Translate texts without context."""
    return list(engine.translate([Line(text=text) for text in texts], Hints()))


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_as_many_and_in_the_order_of_the_lines(engine: Callable[[str], Engine], name: str) -> None:
    """Each answer is that of its own line, whatever the order and company in which the lines come."""
    made = engine(name)
    answers = ask(made, *TEXTS)
    assert len(answers) == len(TEXTS)
    assert ask(made, *reversed(TEXTS)) == answers[::-1]
    assert ask(made, TEXTS[1]) == [answers[1]]
    assert len(set(answers)) > len(TEXTS) / 2


@pytest.mark.parametrize("name", NAMES)
def test_nothing_and_emptiness_come_back(engine: Callable[[str], Engine], name: str) -> None:
    """No lines give no answers, and an empty line an empty one."""
    assert ask(engine(name)) == []
    if name != "service":
        assert [answer.strip() for answer in ask(engine(name), "", "the cat", "  ")][::2] == ["", ""]


@pytest.mark.parametrize("name", NAMES)
def test_very_long_lines_are_answered(engine: Callable[[str], Engine], name: str) -> None:
    """A line far past any subtitle is answered, and does not hold up or change its neighbours."""
    short = "the cat eats fish"
    answers = ask(engine(name), short, f"{short} and " * 200, short)
    assert answers[0] == answers[2] == ask(engine(name), short)[0]
    assert answers[1]


@pytest.mark.parametrize("name", NAMES)
def test_engines_say_what_they_are(engine: Callable[[str], Engine], name: str) -> None:
    """Name, method and batch are there, and marks are distinct texts that hold their number."""
    made = engine(name)
    assert made.name
    assert made.method == {"apertium": "rules", "service": "service"}.get(name, "neural")
    assert made.batch >= 1
    assert made.separate is (name != "service")
    assert len({made.mark(number) for number in range(50)}) == 50
    assert all(str(number) in made.mark(number) for number in range(50))


@pytest.mark.parametrize("name", ["apertium", "service"])
def test_marks_come_back_once(engine: Callable[[str], Engine], name: str) -> None:
    """Every mark of a line is in its answer once."""
    made = engine(name)
    answer = ask(made, f"I saw {made.mark(0)} and {made.mark(12)} in the {made.mark(3)}garden{made.mark(4)}.")[0]
    assert [answer.count(made.mark(number)) for number in (0, 12, 3, 4)] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["tiny-marian-ct2", "tiny-marian-torch", "tiny-m2m-ct2", "tiny-m2m-torch"])
@pytest.mark.parametrize("beams", [1, 4])
def test_a_batch_and_single_lines_give_the_same_texts(context: Context, name: str, beams: int) -> None:
    """Every text of a batch is what the model writes for it alone, with the same score and the same verdict."""
    source, target = ("__en__", "__pt__") if "m2m" in name else ("eng", "spa")
    options: dict[str, Any] = {"source": source, "target": target, "beams": beams, "ratio": 0.5}
    texts = list(TEXTS[:3] if "torch" in name else TEXTS)
    whole = context.runtime.call(name, {}, texts=texts, **options)
    for at, text in enumerate(texts):
        alone = context.runtime.call(name, {}, texts=[text], **options)
        assert alone["texts"] == [whole["texts"][at]]
        assert alone["scores"][0] == pytest.approx(whole["scores"][at], abs=1e-3)
        assert alone["cut"] == [whole["cut"][at]]
    assert all(score < 0 for score in whole["scores"])
    assert len(set(whole["texts"])) > len(texts) / 2


@pytest.mark.parametrize(("model", "pair"), [("marian", ("eng", "spa")), ("m2m", ("__en__", "__it__"))])
def test_both_libraries_write_the_same(context: Context, model: str, pair: tuple[str, str]) -> None:
    """CTranslate2 and torch begin greedy texts alike: tokenizer, languages and weights mean the same to both."""
    options: dict[str, Any] = {"texts": list(TEXTS[:2]), "source": pair[0], "target": pair[1], "beams": 1, "ratio": 0.5}
    one = context.runtime.call(f"tiny-{model}-ct2", {}, **options)["texts"]
    other = context.runtime.call(f"tiny-{model}-torch", {}, **options)["texts"]
    for first, second in zip(one, other, strict=True):
        assert first[:12] == second[:12]
    assert any(one)


def test_another_language_gives_another_text(context: Context) -> None:
    """The language that is asked for reaches the decoder."""
    options: dict[str, Any] = {"texts": ["the cat eats fish"], "source": "__en__", "beams": 1, "ratio": 0.5}
    for name in ("tiny-m2m-ct2", "tiny-m2m-torch"):
        texts = {
            context.runtime.call(name, {}, target=target, **options)["texts"][0] for target in ("__pt__", "__it__")
        }
        assert len(texts) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"texts": "a text"},
        {"texts": [1]},
        {"texts": ["a"], "beams": 0},
        {"texts": ["a"], "ratio": 100.0},
        {"texts": ["a"], "temperature": 1.0},
        {"texts": ["a"] * 2000},
    ],
)
def test_wrong_calls_are_refused(context: Context, options: dict[str, Any]) -> None:
    """Options that are unknown or past their limits are named in the error."""
    with pytest.raises(JobError, match="tiny-marian-ct2"):
        context.runtime.call("tiny-marian-ct2", {}, source="eng", target="spa", **options)


def test_a_pack_without_its_tokenizer_is_refused(context: Context, packs: Path) -> None:
    """Weights alone do not translate; the error says which files are wanted, and which families there are."""
    folder = packs.parent / "marian-ct2"
    for family, words in (("marian", "source.spm"), ("elvish", "none of marian")):
        bare = packs.parent / f"bare-{family}"
        bare.mkdir()
        for path in folder.iterdir():
            if path.suffix != ".spm":
                (bare / path.name).write_bytes(path.read_bytes())
        describe(bare, packs, f"bare-{family}", "ctranslate2", family, ("rus>pol",))
        with pytest.raises(ModelMissing, match=words):
            context.runtime.call(f"bare-{family}", {}, texts=["a"], source="eng", target="spa")


def test_confidence_comes_with_neural_texts(engine: Callable[[str], Engine]) -> None:
    """Texts of a model carry how sure it is."""
    answer = ask(engine("tiny-marian-ct2"), "the cat eats fish")[0]
    assert isinstance(answer, Text)
    assert answer.confidence is not None
    assert 0.0 <= answer.confidence <= 1.0


def test_the_best_engine_for_a_pair_is_chosen(context: Context) -> None:
    """A model goes before rules, one for the pair before one for many, rules before a service."""
    chosen = {target: choose("en", target, context) for target in ("es", "pt", "ca", "de")}
    assert [made.method for made in chosen.values()] == ["neural", "neural", "rules", "service"]
    assert chosen["es"].name.startswith("tiny-marian-ct2 1")
    assert chosen["pt"].name.startswith("tiny-m2m-ct2 1")
    assert choose("en", "pt", context, "apertium").name.startswith("apertium eng-spa > spa-por")
    assert "mirror at http://127.0.0.1" in choose("en", "es", context, "service").name


def test_no_engine_is_an_error_that_says_what_to_install(context: Context) -> None:
    """Packages, packs with their licences, and the service that sends text away are all named."""
    bare = cast("Context", SimpleNamespace(parameters={}, runtime=context.runtime, log=context.log, folder=None))
    with pytest.raises(NoTranslator) as caught:
        choose("eu", "es", bare)
    assert "nothing here translates from eu to es" in caught.value.message
    for words in ("apt-get install apertium-eu-es", "opus-mt-eu-es", "add-hub", "CC-BY-NC", "leaves the machine"):
        assert words in caught.value.hint
    with pytest.raises(NoTranslator) as caught:
        choose("eu", "ja", bare, "apertium")
    assert caught.value.hint == "Apertium has no way between these languages."
    with pytest.raises(JobError, match="no translation engine or model pack 'deepest'"):
        choose("en", "es", bare, "deepest")
    with pytest.raises(JobError, match="one language"):
        choose("en-GB", "en-US", bare)


def test_codes_of_models_are_found_by_language_tags(packs: Path, context: Context) -> None:
    """Models name languages by one-way pairs, two letters or three with a script; regions do not matter to them."""
    assert codes(neural.translators()["tiny-m2m-ct2"], "en-GB", "pt-BR") == ("__en__", "__pt__")
    assert codes(neural.translators()["tiny-marian-ct2"], "en", "es-MX") == ("eng", "spa")
    assert codes(neural.translators()["tiny-marian-ct2"], "es", "en") is None
    nllb = ("arb_Arab", "eng_Latn", "srp_Cyrl", "spa_Latn", "zho_Hans", "zho_Hant", "hrv_Latn", "nob_Latn")
    wanted = {
        "ar": "arb_Arab",
        "sr": "srp_Cyrl",
        "zh-Hant": "zho_Hant",
        "zh": "zho_Hans",
        "hr": "hrv_Latn",
        "no": "nob_Latn",
    }
    assert {tag: nearest(tag, nllb) for tag in wanted} == wanted
    assert nearest("sr-Latn", nllb) == ""
    assert nearest("eu", nllb) == ""
    assert parse("ca-valencia").variants == ("valencia",)
    assert same("pt-BR", "pt")
    assert not same("zh-Hans", "zh-Hant")
