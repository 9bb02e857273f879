"""Makes a pinned pack of a repository at a model hub: asks it for the commit, the files, their digests and the licence.

Digests of large files are the hub's own record of them; small ones are read here. ``callboard models pull`` then
accepts these bytes and no others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec
from msgspec import Struct

from callboard.errors import PullError, PullForbidden, PullGone, PullOffline
from callboard.packs import listeners, painters
from callboard.packs.packfile import HubSource, Pack, PackFile
from callboard.packs.recommended import RECOMMENDED, Suggestion
from callboard.packs.translators import TASK, Translator, recognise

_SECONDS: Final = 30.0
_SMALL: Final = 64 << 20
"""Bytes up to which a file without a recorded digest is read: tokenizers reach 35 MB."""
_WEIGHTS: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
_BESIDE: Final = frozenset(
    {
        "open_clip_config.json",
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    }
)
"""What is taken beside the weights: configs and the tokenizer."""
_SPDX: Final = {
    "mit": "MIT",
    "apache-2.0": "Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
}


class Offer(Struct, frozen=True, kw_only=True):
    """What a hub has of a repository at one commit."""

    repository: str
    revision: str
    """Forty hexadecimal digits."""
    license: str
    files: tuple[PackFile, ...]
    kind: str
    """``open_clip``, ``transformers``, or the task of a pack that runs as it is: ``translate``, ``asr`` and so on."""
    space: str
    """Digest of the weights."""
    translator: Translator | None = None
    """How it translates, where it does."""
    speech: listeners.Speech | None = None
    """How it hears, where it does."""
    painter: painters.Pipeline | None = None
    """How it draws, where it does."""

    @property
    def runs(self) -> bool:
        """Whether it runs as it is; else it is to be exported."""
        return not (self.translator is None and self.speech is None and self.painter is None)


def look(repository: str, revision: str = "", languages: Sequence[str] = ()) -> Offer:
    """Ask the hub what *repository* holds. ``HF_ENDPOINT``, ``HF_TOKEN`` and a kept login count.

    Args:
        repository: ``owner/name``.
        revision: Commit, branch or tag; empty takes the newest commit. What comes back names the commit.
        languages: Of a translation model, where it does not say itself: ``en>es``, or its own codes.

    Raises:
        PullError: it cannot be asked, or holds nothing that is taken; subclasses say why.
    """
    hub, info = _ask(repository, revision)
    there = {one.rfilename: one for one in info.siblings or ()}

    def read(name: str) -> bytes:
        return _read(hub, repository, info.sha, name)

    names, kind, runs = _runs(repository, there, read, languages) or (*_exported(repository, there), {})
    files = tuple(_file(hub, repository, info.sha, there[name]) for name in names)
    return Offer(
        repository=repository,
        revision=info.sha,
        license=_licence(info),
        files=files,
        kind=kind,
        space=files[0].sha256,
        **runs,
    )


def _runs(
    repository: str, there: Mapping[str, Any], read: Callable[[str], bytes], languages: Sequence[str]
) -> tuple[Sequence[str], str, dict[str, Any]] | None:
    """Recognise what runs as it is, models that translate, hear or draw: its files, its kind, and how it runs."""
    translator = recognise(repository, there, read, languages)
    speech = listeners.recognise(there, read) if translator is None else None
    painter = painters.recognise(repository, there, read) if translator is None and speech is None else None
    found = translator or speech or painter
    if found is None:
        return None
    kind = painter.task if painter else listeners.TASK if speech else "translate"
    return found.files, kind, {"translator": translator, "speech": speech, "painter": painter}


def _exported(repository: str, there: Mapping[str, Any]) -> tuple[Sequence[str], str]:
    """Recognise a checkpoint that is to be exported: its files, and whose it is."""
    weights = [name for name in _WEIGHTS if name in there] or [
        name for name in there if PurePosixPath(name).suffix == ".safetensors" and "/" not in name
    ]
    if not weights or (len(weights) > 1 and weights[0] not in _WEIGHTS):
        raise PullError(
            repository,
            f"it holds {len(weights) or 'no'} files of safetensors that could be meant",
            "Only one file of safetensors is taken; pickles (.bin, .pt) are not. Look for another release of it.",
        )
    kind = "open_clip" if "open_clip_config.json" in there else "transformers" if "config.json" in there else ""
    if not kind:
        raise PullError(
            repository, "it holds neither open_clip_config.json nor config.json", "Look for another release."
        )
    return [weights[0], *sorted(_BESIDE & there.keys())], kind


def _ask(repository: str, revision: str) -> tuple[Any, Any]:
    try:
        msgspec.convert({"kind": "hub", "repository": repository, "revision": "0" * 40}, HubSource)
    except msgspec.ValidationError:
        raise PullError(repository, "it is no name of a repository", "A name is owner/name.") from None
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise PullError(
            repository, "the hub's client is not installed", "pip install 'callboard[hub]', then give the same command."
        ) from None
    try:
        info = hub.HfApi().model_info(repository, revision=revision or None, files_metadata=True, timeout=_SECONDS)
    except HfHubHTTPError as error:
        raise _refused(repository, error.response.status_code, error) from None
    except Exception as error:  # noqa: BLE001 - each release of the client has another HTTP library with errors of its own
        raise _offline(repository, error) from None
    if not re.fullmatch(r"[0-9a-f]{40}", str(info.sha)):
        raise PullError(repository, "the hub names no commit", "Check HF_ENDPOINT: it may not be such a hub.")
    return hub, info


def _refused(repository: str, code: int, error: Exception) -> PullError:
    said = str(error).strip().splitlines()
    what = f"the hub answered {code} ({said[-1] if said else 'no reason given'})"
    if code in (401, 403) or type(error).__name__ == "GatedRepoError":
        return PullForbidden(
            repository,
            what,
            "It is not there, or is private, or wants its terms accepted on its page: then 'hf auth login'.",
        )
    return (
        PullGone(repository, what, "Check its name on its page.") if code in (404, 410) else _offline(repository, error)
    )


def _offline(repository: str, error: Exception) -> PullOffline:
    return PullOffline(
        repository, f"the hub cannot be asked ({error})", "Check the network and HF_ENDPOINT, then try again."
    )


def _file(hub: Any, repository: str, revision: str, given: Any) -> PackFile:
    """Take a file's recorded digest; where there is none, read the file."""
    name, size = str(given.rfilename), int(given.size or 0)
    large = given.lfs
    if large is not None and large.sha256:
        return PackFile(name, str(large.sha256), int(large.size))
    if size > _SMALL:
        raise PullError(repository, f"the hub records no digest of {name}", "Look for another release of it.")
    content = _read(hub, repository, revision, name)
    if size and len(content) != size:
        raise PullError(repository, f"{name} has {len(content)} bytes, and the hub says {size}", "Try again.")
    if PurePosixPath(name).suffix == ".json":
        _check_json(repository, name, content)
    return PackFile(name, hashlib.sha256(content).hexdigest(), len(content))


def _read(hub: Any, repository: str, revision: str, name: str) -> bytes:
    page = hub.hf_hub_url(repository, name, revision=revision)
    try:
        answer = hub.get_session().get(page, headers=hub.utils.build_hf_headers(), timeout=_SECONDS)
        answer.raise_for_status()
        content: bytes = answer.content
    except Exception as error:  # noqa: BLE001 - as above
        raise _offline(repository, error) from None
    return content


def _check_json(repository: str, name: str, content: bytes) -> None:
    try:
        json.loads(content)
    except ValueError:
        raise PullError(repository, f"{name} is not JSON", "Look for another release of it.") from None


def _licence(info: Any) -> str:
    card: Mapping[str, Any] = info.card_data.to_dict() if info.card_data is not None else {}
    given = str(card.get("license") or "")
    if given in _SPDX:
        return _SPDX[given]
    named = str(card.get("license_name") or given)
    safe = re.sub(r"[^A-Za-z0-9.-]+", "-", named).strip("-")
    return f"LicenseRef-{safe}" if safe else "LicenseRef-unknown"


def checkpoint_pack(offer: Offer, name: str) -> Pack:
    """Make the pack of the whole checkpoint, to be pulled, and then exported unless it runs as it is.

    Raises:
        PullError: *name* is no name for a pack.
    """
    size = sum(file.size for file in offer.files)
    if offer.speech is not None:
        about = listeners.about(offer.speech, offer.repository, size)
    elif offer.painter is not None:
        about = painters.about(offer.painter, offer.repository, size)
    else:
        about = _translation(offer.translator, offer) if offer.translator else _export(offer, name)
    try:
        return msgspec.convert(
            {
                "name": name,
                "version": offer.revision[:12],
                "license": offer.license,
                "files": msgspec.to_builtins(offer.files),
                "source": {"kind": "hub", "repository": offer.repository, "revision": offer.revision},
                **about,
            },
            Pack,
        )
    except msgspec.ValidationError as error:
        raise PullError(
            offer.repository, f"{name!r} is no name for a pack ({error})", "Give another: --name."
        ) from None


def _export(offer: Offer, name: str) -> dict[str, Any]:
    return {
        "task": "checkpoint",
        "engine": "torch",
        "summary": f"{offer.repository}, to be exported: 'callboard models export {name} --name clip'.",
        "options": {"architecture": offer.kind},
        "preprocess": {"space": offer.space},
    }


def _translation(translator: Translator, offer: Offer) -> dict[str, Any]:
    form = {"architecture": "transformers", "class": "AutoModelForSeq2SeqLM"} if translator.engine == "torch" else {}
    return {
        "task": TASK,
        "engine": translator.engine,
        "summary": f"{offer.repository} translates: {translator.family}, {len(translator.languages)} ways.",
        "memory_mb": max(256, sum(file.size for file in offer.files) >> 20),
        "options": {**form, "family": translator.family, "languages": translator.languages},
    }


def name_of(repository: str) -> str:
    """Make a pack's name of a repository's."""
    return (
        re.sub(r"[^a-z0-9._-]+", "-", repository.rpartition("/")[2].lower().removeprefix("faster-"))[:58].strip("-._")
        or "checkpoint"
    )


__all__ = ["RECOMMENDED", "Offer", "Suggestion", "checkpoint_pack", "look", "name_of"]
