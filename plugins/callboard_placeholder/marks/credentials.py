"""Content credentials (C2PA) in what was made: that it was made by rules or by a model, from what, signed by whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from callboard import __version__
from callboard.errors import Blocked, JobError
from callboard.marks import LABEL, Claim
from callboard.signed import is_signed
from callboard.sources.single import digest_of
from msgspec import Struct

from callboard_placeholder.marks.sidecar import describe, source_uri

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Placeholder

    from callboard_placeholder.encoding import Written
    from callboard_placeholder.marks.identity import Identity

FORMATS: Final = {".mov": "video/quicktime", ".mp4": "video/mp4", ".png": "image/png", ".wav": "audio/wav"}
"""What we write that carries credentials, by suffix."""
_INGREDIENTS: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
_SETTINGS: Final = {
    "builder": {"thumbnail": {"enabled": False}},
    # Nothing is fetched, and whether others trust the certificate is for them to say.
    "verify": {"verify_after_sign": True, "verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
}
_USES: Final = ("ai_generative_training", "ai_training", "ai_inference", "data_mining")


class Signed(Struct, frozen=True, kw_only=True):
    """What became of the content credentials."""

    by: str = ""
    """Whom the certificate names; empty where nothing was signed."""
    notes: tuple[str, ...] = ()
    """What a person should know: a format that carries none."""


def sign_files(written: Written, told: Placeholder, identity: Identity, context: Context) -> Signed:
    """Sign every file that carries credentials: the film, or each picture of a sequence, which may go alone.

    Raises:
        Blocked: signing failed; nothing may be placed.
        JobError: a file carries credentials already.
    """
    files = [path for path in written.files if path.suffix in FORMATS]
    for path in written.files:
        if is_signed(path):
            raise JobError(f"{path.name} carries content credentials of others; it is not written over")
    if written.path.suffix not in FORMATS:
        kind = written.path.suffix.lstrip(".").upper()
        return Signed(notes=(f"{kind} files carry no content credentials; only the sidecar says what this is",))
    references = dict(_references(told, context))
    pictures = [name for name in told.references if Path(name).suffix.lower() in _INGREDIENTS]
    notes = [f"{name} could not be named in the credentials" for name in pictures if name not in references]
    if identity.authority and len(files) > 1:
        notes.append("only the first picture has a time stamp")
    for index, path in enumerate(files):
        _sign(path, told, identity, references, stamped=index == 0)
    return Signed(by=identity.name, notes=tuple(notes))


def _references(told: Placeholder, context: Context) -> Iterator[tuple[str, Path]]:
    """Give the references that are here as they went in."""
    for name, digest in told.references.items():
        path = context.named(name)
        if path is not None and path.suffix.lower() in _INGREDIENTS and digest_of(path) == digest:
            yield name, path


def _sign(path: Path, told: Placeholder, identity: Identity, references: dict[str, Path], *, stamped: bool) -> None:
    import c2pa

    kind = FORMATS[path.suffix]
    signed = path.with_name(path.name + ".signed")
    authority = identity.authority if stamped and identity.authority else None
    try:
        info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain, identity.key, authority)
        with c2pa.Context.from_dict(_SETTINGS) as settings, c2pa.Signer.from_info(info) as signer:
            builder = c2pa.Builder(manifest(path, kind, told, identity, tuple(references)), context=settings)
            for index, (name, reference) in enumerate(references.items()):
                ingredient = {"title": Path(name).name, "relationship": "inputTo", "instance_id": f"input-{index}"}
                with reference.open("rb") as file:
                    builder.add_ingredient(ingredient, _INGREDIENTS[reference.suffix.lower()], file)
            with path.open("rb") as source, signed.open("w+b") as target:
                builder.sign(signer, kind, source, target)
            with c2pa.Reader(signed, context=settings) as reader:
                state = reader.get_validation_state()
        if state not in ("Valid", "Trusted"):
            raise Blocked(f"content credentials came out {state}", "See whether the certificate is right for them.")
        os.replace(signed, path)
    except c2pa.C2paError as error:
        raise Blocked(f"content credentials could not be signed: {error}", "See certificate and private_key.") from None
    finally:
        signed.unlink(missing_ok=True)


def manifest(
    path: Path, kind: str, told: Placeholder, identity: Identity, references: tuple[str, ...]
) -> dict[str, Any]:
    """Say what goes into the credentials: made, not taken; by which software, of which kind, from which pictures."""
    agent = {"name": "Callboard", "version": __version__}
    created: dict[str, Any] = {
        "action": "c2pa.created",
        "digitalSourceType": source_uri(told),
        "softwareAgent": agent,
        "description": describe(told, purpose=False),
    }
    if references:
        created["parameters"] = {"ingredientIds": [f"input-{index}" for index in range(len(references))]}
    claim = Claim(
        shot=told.shot,
        engine=told.generator,
        source_type=told.source_type,
        seed=told.seed,
        models=told.models,
        references=tuple(told.references.values()),
    )
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
        {"label": LABEL, "data": msgspec.to_builtins(claim), "kind": "Json"},
    ]
    if identity.training:
        entries = {f"cawg.{use}": {"use": identity.training} for use in _USES}
        assertions.append({"label": "cawg.training-mining", "data": {"entries": entries}})
    return {"claim_generator_info": [agent], "title": path.name, "format": kind, "assertions": assertions}


__all__ = ["FORMATS", "Signed", "manifest", "sign_files"]
