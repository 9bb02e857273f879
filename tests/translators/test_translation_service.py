"""The service: a real HTTP server on this machine that does everything wrong a service can do."""

from __future__ import annotations

import json
import logging
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from callboard.context import Context
from callboard.errors import Blocked, JobError, UsageError
from callboard.spending import DAY, Ledger
from callboard.testing.ports import reserved_port
from callboard_localize.engines import Hints, Line
from callboard_localize.engines.post import MOST_BYTES, Post, place_of
from callboard_localize.engines.sent import AUDIT
from callboard_localize.engines.service import Service, find

KEY = "sk-secret-0123"
Answer = tuple[int, dict[str, str], bytes]
Behaviour = Callable[[dict[str, Any]], Answer]


def chat(content: str) -> Answer:
    """Make an answer of chat completion."""
    return 200, {}, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


def lines_of(body: dict[str, Any]) -> list[dict[str, str]]:
    """Give the lines that a request asks for."""
    asked = json.loads(body["messages"][1]["content"])["lines"]
    return cast("list[dict[str, str]]", asked)


def good(body: dict[str, Any]) -> Answer:
    """Answer as one should: every line in capitals, in another order."""
    said = [{"id": line["id"], "text": line["text"].upper()} for line in lines_of(body)]
    return chat(json.dumps({"lines": said[::-1]}))


class Server(ThreadingHTTPServer):
    """Behaves for each request as the next behaviour in ``plan`` says, and then as the last."""

    daemon_threads = True

    def __init__(self) -> None:
        self.plan: list[Behaviour] = [good]
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.drip = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    """Answers for the server."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  # the library's own way to reach it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer as planned."""
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.bodies.append(body)
        server.keys.append(self.headers["Authorization"])
        behaviour = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
        status, headers, content = behaviour(body)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked may have gone
            if "X-Drip" in headers:
                while not server.drip.wait(0.05):
                    self.wfile.write(content)
            self.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a service."""
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.drip.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def make(server: Server, tmp_path: Path) -> Callable[..., Service]:
    """Make the engine for that service, as a project's parameters say."""
    key = tmp_path / "key"
    key.write_text(f"{KEY}\n")
    key.chmod(0o600)

    def made(
        *, folder: Path | None = tmp_path / "kept", cancelled: threading.Event | None = None, **more: Any
    ) -> Service:
        given = {"url": server.address, "model": "m-1", "key_file": str(key), "requests_per_minute": 6000, **more}
        parameters = {f"service_{name}": value for name, value in given.items()}
        context = SimpleNamespace(parameters=parameters, log=logging.getLogger("test"), folder=folder)
        if cancelled is not None:
            context.cancelled = cancelled
        service = find("en", "es", cast("Context", context))
        assert service is not None
        return service

    return made


def ask(service: Service, *texts: str, hints: Hints | None = None) -> list[str]:
    """Translate texts."""
    return service.translate([Line(text=text) for text in texts], hints or Hints())


def test_answers_are_found_by_their_numbers(make: Callable[..., Service], server: Server) -> None:
    """Whatever order a service answers in, each line gets its own; the key goes along and nowhere else."""
    assert ask(make(), "one", "two ⟦0⟧", "three") == ["ONE", "TWO ⟦0⟧", "THREE"]
    assert server.keys == [f"Bearer {KEY}"]
    assert KEY not in json.dumps(server.bodies)
    assert server.bodies[0]["temperature"] == 0
    assert server.bodies[0]["model"] == "m-1"


def test_context_and_glossary_go_along(make: Callable[..., Service], server: Server) -> None:
    """Synopsis, terms, tone, speaker, and what comes before and after are told, apart from the lines."""
    lines = [
        Line(text="one", before=("earlier",), speaker="Ana"),
        Line(text="two", before=("one",), after=("later",)),
    ]
    make().translate(lines, Hints(synopsis="A heist.", terms=(("Vault", "Bóveda"),), formal=False))
    asked = json.loads(server.bodies[0]["messages"][1]["content"])
    assert asked == {
        "from": "en",
        "into": "es",
        "about": "A heist.",
        "terms": {"Vault": "Bóveda"},
        "address": "informal",
        "said_before": ["earlier"],
        "said_after": ["later"],
        "lines": [{"id": "1", "text": "one", "speaker": "Ana"}, {"id": "2", "text": "two"}],
    }


def in_fence(body: dict[str, Any]) -> Answer:
    """Wrap the JSON as chat models do."""
    return chat("```json\n" + json.dumps({"lines": {line["id"]: line["text"] for line in lines_of(body)}}) + "\n```")


def listed(body: dict[str, Any]) -> Answer:
    """Leave out the object around the list."""
    return chat(json.dumps(lines_of(body)))


@pytest.mark.parametrize("behaviour", [in_fence, listed])
def test_other_ways_to_write_the_same_are_read(
    make: Callable[..., Service], server: Server, behaviour: Behaviour
) -> None:
    """Fences, bare lists and objects by number are all understood."""
    server.plan = [behaviour]
    assert ask(make(), "one", "two") == ["one", "two"]


def test_missing_doubled_and_foreign_lines_shift_nothing(make: Callable[..., Service], server: Server) -> None:
    """A line that is missing, twice there, or no text is empty; its neighbours keep theirs."""
    said = [
        {"id": "9", "text": "foreign"},
        {"id": "1", "text": "uno"},
        {"id": "3", "text": "tres"},
        {"id": "3", "text": "otra"},
        {"id": "4", "text": None},
        {"id": 5, "text": "cinco"},
        {"text": "no number"},
        "stray",
    ]
    server.plan = [lambda _: chat(json.dumps({"lines": said}))]
    assert ask(make(), "1", "2", "3", "4", "5") == ["uno", "", "", "", "cinco"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        chat("I am sorry, I cannot translate this."),
        chat("[" * 5000),
        chat("{}"),
        (200, {}, b'{"choices": []}'),
        (200, {}, b"\xff\xfe"),
    ],
    ids=["html", "prose", "deep", "empty", "no choices", "bytes"],
)
def test_what_is_not_an_answer_is_asked_for_once_more(
    make: Callable[..., Service], server: Server, answer: Answer
) -> None:
    """One more request mends a slip; a service that goes on so is refused."""
    server.plan = [lambda _: answer, good]
    assert ask(make(), "one") == ["ONE"]
    server.plan = [lambda _: answer]
    with pytest.raises(JobError, match="the service"):
        ask(make(), "one")
    assert len(server.bodies) == 4


def test_a_service_that_asks_for_patience_gets_it(make: Callable[..., Service], server: Server) -> None:
    """429 and 503 are tried again after the time that was asked for, in seconds or as a date."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.plan = [lambda _: (429, {"Retry-After": "1"}, b""), lambda _: (503, {"Retry-After": soon}, b""), good]
    began = time.monotonic()
    assert ask(make(), "one") == ["ONE"]
    assert time.monotonic() - began >= 1.0
    assert len(server.bodies) == 3


def test_more_patience_than_there_is_blocks_the_job(make: Callable[..., Service], server: Server) -> None:
    """A service that wants an hour, or fails for ever, is out of order: the job waits and is not failed."""
    server.plan = [lambda _: (429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(Blocked, match="it answered 429"):
        ask(make(), "one")
    assert len(server.bodies) == 1
    server.plan = [lambda _: (500, {"Retry-After": "0"}, b"")]
    with pytest.raises(Blocked, match="it answered 500"):
        ask(make(), "one")
    assert len(server.bodies) == 5


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Blocked, "service_key_file"),
        (403, Blocked, "service_key_file"),
        (404, Blocked, "service_model"),
        (302, Blocked, "not followed"),
        (400, JobError, "too many words"),
        (413, JobError, "413"),
    ],
)
def test_refusals_are_told_apart(
    make: Callable[..., Service], server: Server, status: int, kind: type[Exception], words: str
) -> None:
    """A wrong key or address blocks, a wrong request fails; redirects are not followed; each is asked once or twice."""
    elsewhere = {"Location": "http://127.0.0.1:9/steal"}
    server.plan = [lambda _: (status, elsewhere, b'{"error": "too many words"}')]
    with pytest.raises(kind, match=words) as caught:
        ask(make(), "one")
    assert KEY not in str(caught.value)
    assert len(server.bodies) <= 2


def test_answers_are_bounded_in_time_and_size(make: Callable[..., Service], server: Server) -> None:
    """A service that drips is given up after its time, one that floods is refused."""

    class Again(Exception):
        """It would be tried again."""

    def wait(_: float) -> None:
        raise Again

    server.plan = [lambda _: (200, {"X-Drip": "1", "Content-Length": "100000"}, b"{")]
    with pytest.raises(Again):
        Post(place_of(server.address), "", 0.5, wait).send(b"{}", lambda: None)
    server.drip.set()
    server.plan = [lambda _: (200, {}, b" " * (MOST_BYTES + 2))]
    with pytest.raises(JobError, match="more than 4 MiB"):
        ask(make(), "one")


def test_a_cancelled_job_does_not_wait(make: Callable[..., Service]) -> None:
    """Where nobody answers, a job that was called off makes no second try."""
    cancelled = threading.Event()
    cancelled.set()
    with reserved_port() as nobody, pytest.raises(JobError, match="cancelled"):
        ask(make(url=f"http://127.0.0.1:{nobody}/v1", cancelled=cancelled), "one")


def test_the_day_has_a_budget(make: Callable[..., Service], server: Server, tmp_path: Path) -> None:
    """What would go over the day's requests or characters is not sent, also after a restart; a day later it is."""
    assert ask(make(requests_per_day=2), "one") == ["ONE"]
    assert ask(make(requests_per_day=2), "two") == ["TWO"]
    with pytest.raises(Blocked, match="limit of 2 requests in one day is reached") as caught:
        ask(make(requests_per_day=2), "three")
    assert "service_requests_per_day of the plugin raises it" in caught.value.hint
    with pytest.raises(JobError, match="the project allows 10 in one day"):
        ask(make(requests_per_day=0, characters_per_day=10), "four")
    assert len(server.bodies) == 2
    assert Ledger(tmp_path / "kept").spent("requests", DAY) == 2
    assert Ledger(tmp_path / "kept").spent("requests", DAY, datetime.now(UTC) + DAY) == 0


def test_what_fails_counts_too(make: Callable[..., Service], server: Server, tmp_path: Path) -> None:
    """Every try has sent its text, so every try is counted."""
    server.plan = [lambda _: (500, {"Retry-After": "0"}, b""), good]
    ask(make(), "one")
    assert Ledger(tmp_path / "kept").spent("requests", DAY) == 2


def test_nothing_is_sent_that_cannot_be_counted(make: Callable[..., Service], server: Server, tmp_path: Path) -> None:
    """A damaged count is not taken for none."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "spent.db").write_bytes(b"no database" * 100)
    with pytest.raises(Blocked, match="cannot be written down"):
        ask(make(), "one")
    assert server.bodies == []


def test_every_request_leaves_a_line_without_its_text(
    make: Callable[..., Service], server: Server, tmp_path: Path
) -> None:
    """The audit names time, place, model, sizes, digest and outcome; neither texts nor key are in it."""
    ask(make(), "the secret ending")
    server.plan = [lambda _: (401, {}, b"")]
    with pytest.raises(Blocked):
        ask(make(), "another ending")
    path = tmp_path / "kept" / AUDIT
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["outcome"].split(":")[0] for entry in entries] == ["answered", "blocked"]
    assert entries[0]["endpoint"] == f"{server.address}/chat/completions"
    assert entries[0]["lines"] == 1
    assert len(entries[0]["sha256"]) == 64
    assert "ending" not in path.read_text()
    assert KEY not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_requests_keep_their_pace(make: Callable[..., Service], server: Server) -> None:
    """With 120 requests a minute the third begins a second after the first."""
    service = make(requests_per_minute=120)
    began = time.monotonic()
    for text in ("one", "two", "three"):
        ask(service, text)
    assert time.monotonic() - began >= 1.0


def test_keys_that_others_can_read_are_not_used(make: Callable[..., Service], server: Server, tmp_path: Path) -> None:
    """A key file that is open to others, empty or missing blocks before anything is sent."""
    for content, mode, words in ((KEY, 0o644, "chmod 600"), ("\n", 0o600, "no key"), ("sk\x07\n", 0o600, "no key")):
        path = tmp_path / "other"
        path.write_text(content)
        path.chmod(mode)
        with pytest.raises(Blocked, match=words):
            ask(make(key_file=str(path)), "one")
    with pytest.raises(Blocked, match="cannot be read"):
        ask(make(key_file=str(tmp_path / "nowhere")), "one")
    assert server.bodies == []


def test_it_is_off_until_configured_and_says_so_when_on(
    make: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    """Without an address there is no service; with one the log says where captions go; half settings are refused."""
    bare = SimpleNamespace(parameters={}, log=logging.getLogger("test"), folder=None)
    assert find("en", "es", cast("Context", bare)) is None
    make(url="https://translate.example/v1")
    assert "captions are sent to https://translate.example:443/v1/chat/completions" in caplog.text
    assert "text leaves this one" in caplog.text
    with pytest.raises(JobError, match="service_model is not"):
        make(model="")
    with pytest.raises(Blocked, match="no folder"):
        make(folder=None)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1",
        "ftp://host/v1",
        "https://user:pw@host/v1",
        "https://host/v1?key=x",
        "nonsense",
        "http://[::1",
    ],
)
def test_addresses_that_would_leak_are_refused(url: str) -> None:
    """Unencrypted networks, passwords and keys in addresses are not accepted."""
    with pytest.raises(UsageError, match="service_url"):
        place_of(url)


def test_addresses_of_this_machine_and_network_may_be_plain() -> None:
    """A model on this machine or in the house needs no certificate."""
    assert place_of("http://localhost:8080/v1/").shown == "http://localhost:8080/v1/chat/completions"
    assert place_of("http://192.168.1.5:1234/v1").local is False
    assert place_of("http://127.0.0.1:1/v1/chat/completions").local is True
    assert place_of("https://[2001:db8::1]/v1").shown.endswith(":443/v1/chat/completions")
