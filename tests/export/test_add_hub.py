"""A repository of a model hub becomes a pinned pack; the hub is a real server on this machine that speaks its API."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from callboard.errors import PullError, PullForbidden, PullGone
from callboard.packs import read_pack
from callboard.packs.packfile import HubSource
from callboard.packs.recipe import RECOMMENDED, look, name_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"weights " * 1000
CONFIG = b'{"model_cfg": {}}'
TOKENS = b'{"version": "1.0"}'


class Hub(ThreadingHTTPServer):
    """A hub with one repository, as its files and what it says of them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.files = {
            "open_clip_model.safetensors": WEIGHTS,
            "model.safetensors": b"the same for transformers",
            "open_clip_pytorch_model.bin": b"a pickle",
            "open_clip_config.json": CONFIG,
            "tokenizer.json": TOKENS,
            "README.md": b"# words",
        }
        self.large = {"open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin"}
        self.card: dict[str, Any] = {"license": "apache-2.0"}
        self.code = 200
        self.fetched: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def page(self) -> dict[str, Any]:
        """What the API says of the repository."""
        siblings = []
        for name, content in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
            if name in self.large:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return {
            "id": "studio/eye",
            "modelId": "studio/eye",
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": siblings,
            "cardData": self.card,
        }


class Handler(BaseHTTPRequestHandler):
    """Answers for a hub."""

    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]  # the library's own way to reach it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def do_GET(self) -> None:
        """Give the API's page or a file."""
        hub, path = self.server, self.path.partition("?")[0]
        prefix = f"/studio/eye/resolve/{COMMIT}/"
        content: bytes | None = None
        if path in ("/api/models/studio/eye", "/api/models/studio/eye/revision/main") and hub.code == 200:
            content = json.dumps(hub.page()).encode()
        elif path.startswith(prefix) and path.removeprefix(prefix) in hub.files:
            hub.fetched.append(path.removeprefix(prefix))
            content = hub.files[path.removeprefix(prefix)]
        self.send_response(200 if content is not None else hub.code if hub.code != 200 else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A running hub."""
    with Hub() as server, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        yield server


def run(hub: Hub | None, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``callboard models add-hub`` in a process of its own: the hub's client reads its settings at import."""
    address = f"http://127.0.0.1:{hub.server_address[1]}" if hub is not None else "http://127.0.0.1:9"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
        "HF_ENDPOINT": address,
        "NO_PROXY": "127.0.0.1",
        "HF_HOME": str(folder / "hf"),
        "CALLBOARD_STORE": str(folder / "store"),
        "CALLBOARD_HOME": str(folder / "home"),
    }
    code = "import sys; from callboard.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, "models", "add-hub", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_repository_is_pinned(hub: Hub, tmp_path: Path) -> None:
    """Commit, files, digests and licence are the hub's; weights are not fetched, pickles not taken."""
    done = run(hub, tmp_path, "studio/eye", "--yes")
    assert done.returncode == 0, done.stderr
    pack = read_pack(tmp_path / "store" / "eye.toml")
    assert pack.problem == ""
    assert pack.source == HubSource("studio/eye", COMMIT)
    assert (pack.license, pack.engine, pack.options["architecture"]) == ("Apache-2.0", "torch", "open_clip")
    assert {file.path: file.sha256 for file in pack.files} == {
        name: hashlib.sha256(hub.files[name]).hexdigest()
        for name in ("open_clip_model.safetensors", "open_clip_config.json", "tokenizer.json")
    }
    assert pack.preprocess["space"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert sorted(hub.fetched) == ["open_clip_config.json", "tokenizer.json"]
    assert COMMIT in done.stderr
    assert "callboard models pull eye" in done.stdout


def test_nothing_is_written_without_a_yes(hub: Hub, tmp_path: Path) -> None:
    """Where nobody can be asked, the files and the licence are shown and the command with the commit is given."""
    hub.card = {"license": "other", "license_name": "Studio Terms"}
    done = run(hub, tmp_path, "studio/eye")
    assert done.returncode == 2
    assert "LicenseRef-Studio-Terms" in done.stderr
    assert f"--revision {COMMIT} --yes" in done.stderr
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"code": 404}, PullGone, "Check its name"),
        ({"code": 401}, PullForbidden, "hf auth login"),
        ({"files": {"pytorch_model.bin": b"x", "config.json": b"{}"}}, PullError, "pickles"),
        ({"files": {"model.safetensors": b"x"}}, PullError, "neither open_clip_config.json"),
        ({"files": {"model.safetensors": b"x", "config.json": b"<html>"}}, PullError, "is not JSON"),
    ],
)
def test_what_cannot_be_pinned_is_explained(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], kind: type[PullError], words: str
) -> None:
    """Each reason why there is no pack is said with what to do."""
    from huggingface_hub import constants

    address = f"http://127.0.0.1:{hub.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, value in change.items():
        setattr(hub, name, value)
    with pytest.raises(kind, match=words):
        look("studio/eye")


def test_without_a_network_the_list_is_still_there(tmp_path: Path) -> None:
    """Recommended checkpoints are listed offline; a repository then cannot be asked, and the error says so."""
    listed = run(None, tmp_path, "--recommended", "--json")
    assert [one["repository"] for one in json.loads(listed.stdout)["recommended"]] == [
        one.repository for one in RECOMMENDED
    ]
    done = run(None, tmp_path, "studio/eye", "--yes", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "pull-offline"


def test_names_are_made_of_repositories() -> None:
    """Any repository's name becomes a name that a pack may have."""
    assert name_of("laion/CLIP-ViT-B-32-laion2B-s34B-b79K") == "clip-vit-b-32-laion2b-s34b-b79k"
    assert name_of("a/__") == "checkpoint"


def test_a_translation_model_is_pinned_with_its_languages(hub: Hub, tmp_path: Path) -> None:
    """Its tokenizer goes along, the licence is said where it forbids commercial work, and nothing is to be exported."""
    special = b'{"additional_special_tokens": ["eng_Latn", "spa_Latn"]}'
    hub.files = {
        "model.bin": WEIGHTS,
        "config.json": b"{}",
        "shared_vocabulary.json": b'["<unk>"]',
        "sentencepiece.bpe.model": b"pieces",
        "tokenizer.json": TOKENS,
        "special_tokens_map.json": special,
    }
    hub.large = {"model.bin"}
    hub.card = {"license": "cc-by-nc-4.0"}
    done = run(hub, tmp_path, "studio/eye", "--name", "nllb", "--yes")
    assert done.returncode == 0, done.stderr
    pack = read_pack(tmp_path / "store" / "nllb.toml")
    assert pack.problem == ""
    assert (pack.task, pack.engine, pack.license) == ("translate", "ctranslate2", "CC-BY-NC-4.0")
    assert pack.options["languages"] == ("eng_Latn", "spa_Latn")
    assert {file.path for file in pack.files} == hub.files.keys()
    assert "forbids commercial work" in done.stderr
    assert "export" not in done.stdout
