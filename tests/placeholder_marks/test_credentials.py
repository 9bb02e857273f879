"""Content credentials: signed with the studio's certificate, read back by the library of the standard."""

from __future__ import annotations

import contextlib
import http.server
import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import c2pa
import pytest
from callboard import marks as known
from callboard.context import Context
from callboard.errors import Blocked, JobError
from callboard.plugin.context import JobContext, Surroundings
from callboard.signed import credentials, is_signed
from callboard.sources.single import digest_of
from callboard.testing.certificates import Authority, Key, write_key
from callboard_placeholder.encoding import Written
from callboard_placeholder.marks import ready, sign
from callboard_schemas import Brief, Placeholder
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec.structs import replace
from PIL import Image

TOLD = Placeholder(
    shot="SH010",
    generator="slate",
    file="",
    digest="sha256:" + "0" * 64,
    confidence=1.0,
    rate="24",
    frames=6,
    width=64,
    height=36,
    brief=Brief(purpose="The twist that nobody may know"),
)


class Studio:
    """A folder with a certificate and its key, and the settings that name them."""

    def __init__(self, folder: Path, authority: Authority, key: Key | None = None, **certified: Any) -> None:
        self.folder, self.authority = folder, authority
        self.key: Key = key or ec.generate_private_key(ec.SECP256R1())
        self.certificate, self.private = folder / "chain.pem", folder / "key.pem"
        self.certificate.write_bytes(authority.certify(self.key, **certified))
        self.write_key(self.key)

    def write_key(self, key: Key, encryption: Any = None) -> None:
        """Put another key into the file."""
        write_key(self.private, key, encryption)

    def context(self, **parameters: object) -> Context:
        """Give what a job is handed, as far as signing looks."""
        named = {"certificate": str(self.certificate), "private_key": str(self.private), **parameters}
        return job(self.folder, **named)


def job(project: Path, **parameters: Any) -> Context:
    """Give what a job of a project is handed."""
    log = logging.getLogger("test")
    surroundings = Surroundings()
    return JobContext(parameters=parameters, path=None, asset=None, log=log, surroundings=surroundings, project=project)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Make one authority for all."""
    return Authority()


@pytest.fixture
def studio(tmp_path: Path, authority: Authority) -> Studio:
    """Give a studio that can sign."""
    return Studio(tmp_path, authority)


def film(path: Path, codec: str, pixels: str) -> Path:
    """Write six pictures that differ."""
    source = ["-f", "lavfi", "-i", "testsrc=d=0.25:s=64x36:r=24"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-c:v", codec, "-pix_fmt", pixels, path], check=True, timeout=120)
    return path


def made(folder: Path, kind: str) -> Written:
    """Make the files of a placeholder, as encoders write them."""
    folder.mkdir(exist_ok=True)
    if kind == "png":
        files = tuple(folder / f"made.{1001 + index}.png" for index in range(3))
        for index, path in enumerate(files):
            Image.new("RGB", (64, 36), (80 * index, 9, 9)).save(path)
        return Written(path=files[0], files=files)
    codec, pixels = ("libx264", "yuv420p") if kind == "mp4" else ("prores_ks", "yuv422p10le")
    path = film(folder / f"made.{kind}", codec, pixels)
    return Written(path=path, files=(path,))


def pictures(path: Path) -> str:
    """Digest every decoded picture by ffmpeg, with its time."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "framemd5", "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout


def read(path: Path, authority: Authority | None = None) -> tuple[str, Mapping[str, Any]]:
    """Give what the library finds: its verdict, and the active manifest."""
    settings: dict[str, Any] = {"verify": {"verify_trust": authority is not None}}
    if authority is not None:
        pem = authority.certificate.public_bytes(serialization.Encoding.PEM).decode()
        settings["trust"] = {"trust_anchors": pem}
    with c2pa.Context.from_dict(settings) as context, c2pa.Reader(path, context=context) as reader:
        return str(reader.get_validation_state()), cast("Mapping[str, Any]", reader.get_active_manifest())


def assertion(manifest: Mapping[str, Any], label: str) -> Any:
    """Give the data of an assertion."""
    return next(one["data"] for one in manifest["assertions"] if one["label"] == label)


@pytest.mark.parametrize("kind", ["mov", "mp4", "png"])
def test_what_we_made_is_signed_and_still_the_same_pictures(studio: Studio, tmp_path: Path, kind: str) -> None:
    """Each file is valid and trusted, says how it was made and by what, and decodes to the same pictures."""
    written = made(tmp_path / "bench", kind)
    before = [pictures(path) for path in written.files]
    signed = sign(written, TOLD, studio.context())
    assert signed.by == "Studio Seven / Zoe"
    assert signed.notes == ()
    assert [pictures(path) for path in written.files] == before
    assert sorted((tmp_path / "bench").iterdir()) == sorted(written.files)
    for path in written.files:
        state, manifest = read(path, studio.authority)
        assert state == "Trusted"
        (action,) = assertion(manifest, "c2pa.actions.v2")["actions"]
        assert action["action"] == "c2pa.created"
        assert action["digitalSourceType"] == "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
        assert action["softwareAgent"]["name"] == "Callboard"
        assert manifest["signature_info"]["issuer"] == "Studio Seven"
        assert not [one for one in manifest["assertions"] if "training" in one["label"]]
        assert b"nobody may know" not in credentials(path)


def test_a_changed_byte_is_noticed(studio: Studio, tmp_path: Path) -> None:
    """A picture that was touched after signing makes the file invalid."""
    written = made(tmp_path / "bench", "mov")
    sign(written, TOLD, studio.context())
    data = bytearray(written.path.read_bytes())
    data[data.index(b"icpf") + 200] ^= 1
    written.path.write_bytes(data)
    assert read(written.path)[0] == "Invalid"


def test_a_draft_names_its_model_and_its_references(studio: Studio, tmp_path: Path) -> None:
    """A trained model is said to be one, references that are here are ingredients, and one that changed is not."""
    for name in ("mood.png", "gone.png"):
        Image.new("RGB", (8, 8), "teal").save(tmp_path / name)
    references = {name: digest_of(tmp_path / name) for name in ("mood.png", "gone.png")}
    Image.new("RGB", (8, 8), "red").save(tmp_path / "gone.png")
    told = replace(
        TOLD,
        generator="diffusion",
        source_type="trainedAlgorithmicMedia",
        models={"sd-turbo": "sha256:12"},
        seed=5,
        references=references,
    )
    written = made(tmp_path / "bench", "mp4")
    signed = sign(written, told, studio.context(training_and_mining="notAllowed"))
    assert signed.notes == ("gone.png could not be named in the credentials",)
    state, manifest = read(written.path)
    assert state == "Valid"
    (action,) = assertion(manifest, "c2pa.actions.v2")["actions"]
    assert action["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert len(action["parameters"]["ingredients"]) == 1
    (ingredient,) = manifest["ingredients"]
    assert (ingredient["title"], ingredient["relationship"]) == ("mood.png", "inputTo")
    said = assertion(manifest, "dev.callboard.placeholder")
    assert said["models"] == {"sd-turbo": "sha256:12"}
    assert said["references"] == list(references.values())
    entries = assertion(manifest, "cawg.training-mining")["entries"]
    assert {entry["use"] for entry in entries.values()} == {"notAllowed"}


@pytest.mark.parametrize("kind", ["mov", "png"])
def test_a_signed_placeholder_is_known_without_its_sidecar(studio: Studio, tmp_path: Path, kind: str) -> None:
    """Renamed and alone, the file still says which shot it stands for; before it was signed it did not."""
    written = made(tmp_path / "bench", kind)
    assert known.read(written.path) is None
    sign(written, TOLD, studio.context())
    other = written.path.rename(tmp_path / f"SH010_v007.{kind}")
    mark = known.read(other)
    assert mark is not None
    assert (mark.shot, mark.engine, mark.by) == ("SH010", "slate", "credentials")


@pytest.mark.parametrize("kind", ["mov", "mp4", "png"])
def test_what_others_signed_is_never_written(studio: Studio, tmp_path: Path, kind: str) -> None:
    """A file with credentials is refused and keeps every byte, whoever signed it and whether it is valid or not."""
    written = made(tmp_path / "bench", kind)
    sign(written, TOLD, studio.context())
    before = written.path.read_bytes()
    with pytest.raises(JobError, match="credentials of others"):
        sign(written, TOLD, studio.context())
    assert written.path.read_bytes() == before
    written.path.write_bytes(before[:-40])
    with pytest.raises(JobError, match="credentials of others"):
        sign(written, TOLD, studio.context())


def test_credentials_are_seen_in_other_formats(studio: Studio, tmp_path: Path) -> None:
    """JPEG, TIFF, WebP and WAV that carry credentials are told from those that do not."""
    for suffix in ("jpg", "tif", "webp"):
        Image.new("RGB", (64, 36), "teal").save(tmp_path / f"a.{suffix}")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=0.1", tmp_path / "a.wav"], check=True, timeout=120
    )
    definition = {"claim_generator_info": [{"name": "x", "version": "1"}], "assertions": []}
    info = c2pa.C2paSignerInfo("es256", studio.certificate.read_bytes(), studio.private.read_bytes(), None)
    for suffix in ("jpg", "tif", "webp", "wav"):
        plain, signed = tmp_path / f"a.{suffix}", tmp_path / f"signed.{suffix}"
        assert not is_signed(plain)
        with c2pa.Signer.from_info(info) as signer:
            builder = c2pa.Builder(definition)
            builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CREATION)
            builder.sign_file(plain, signed, signer)
        assert is_signed(signed), suffix


def test_nothing_is_signed_without_a_certificate(tmp_path: Path) -> None:
    """A project that names none gets its files as they are, and no word of it."""
    written = made(tmp_path / "bench", "mov")
    before = written.path.read_bytes()
    context = job(tmp_path, certificate="", private_key="")
    ready(context)
    signed = sign(written, TOLD, context)
    assert (signed.by, signed.notes) == ("", ())
    assert written.path.read_bytes() == before


def test_openexr_carries_none_and_says_so(studio: Studio, tmp_path: Path) -> None:
    """Where a format has no place for credentials the placeholder is made, and says that it is not signed."""
    path = tmp_path / "made.1001.exr"
    path.write_bytes(b"\x76\x2f\x31\x01 whatever")
    signed = sign(Written(path=path, files=(path,)), TOLD, studio.context())
    assert signed.by == ""
    assert signed.notes == ("EXR files carry no content credentials; only the sidecar says what this is",)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "Es384"),
        (rsa.generate_private_key(65537, 2048), "Ps256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ],
)
def test_the_algorithm_is_that_of_the_key(tmp_path: Path, authority: Authority, key: Key, algorithm: str) -> None:
    """Every kind of key that the standard takes signs, and nobody has to name the algorithm."""
    studio = Studio(tmp_path, authority, key)
    written = made(tmp_path / "bench", "png")
    sign(written, TOLD, studio.context())
    state, manifest = read(written.path)
    assert state == "Valid"
    assert manifest["signature_info"]["alg"] == algorithm


def refused(studio: Studio, **parameters: object) -> str:
    """Give what is said where a project cannot sign; the key is never in it."""
    with pytest.raises(Blocked) as caught:
        ready(studio.context(**parameters))
    said = str(caught.value)
    if studio.private.is_file():
        body = studio.private.read_text("latin-1").splitlines()
        assert not [line for line in body if len(line) > 8 and not line.startswith("--") and line in said]
    assert "unsigned" in said or "chmod" in said
    return said


def test_a_studio_that_signs_gets_nothing_unsigned(studio: Studio, tmp_path: Path) -> None:
    """A missing half, a missing file, an open key, a password and what is no key all stop the job before it begins."""
    ready(studio.context())
    assert "private_key is not" in refused(studio, private_key="")
    assert "certificate is not" in refused(studio, certificate="")
    assert "cannot be read" in refused(studio, certificate=str(tmp_path / "none.pem"))
    assert "no certificate in PEM" in refused(studio, certificate=str(studio.private))
    assert "signs by es256" in refused(studio, signature_algorithm="ps256")
    studio.private.chmod(0o644)
    assert "others can read" in refused(studio)
    studio.write_key(studio.key, serialization.BestAvailableEncryption(b"pass"))
    assert "has a password" in refused(studio)
    studio.write_key(ec.generate_private_key(ec.SECP256R1()))
    assert "is not that of" in refused(studio)
    studio.private.write_bytes(
        b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHNlY3JldCBzZWNyZXQ=\n-----END PRIVATE KEY-----\n"
    )
    assert "no private key in PEM" in refused(studio)


@pytest.mark.parametrize(
    ("certified", "said"),
    [
        ({"start": -9, "end": -2}, "expired on"),
        ({"start": 2}, "is not valid before"),
        ({"use": ExtendedKeyUsageOID.SERVER_AUTH}, "is not for signing content"),
    ],
)
def test_a_certificate_that_does_not_do_is_named(
    tmp_path: Path, authority: Authority, certified: dict[str, Any], said: str
) -> None:
    """One that expired, is not valid yet, or is for something else says so, with its date."""
    assert said in refused(Studio(tmp_path, authority, **certified))


def test_a_time_stamp_that_cannot_be_had_stops_signing(studio: Studio, tmp_path: Path) -> None:
    """Where a project wants time stamps and nobody gives one, the job waits and the file stays as it was."""
    written = made(tmp_path / "bench", "png")
    before = written.path.read_bytes()
    with pytest.raises(Blocked, match="could not be signed"):
        sign(written, TOLD, studio.context(timestamp_authority="http://127.0.0.1:9/"))
    assert written.path.read_bytes() == before
    assert len(os.listdir(tmp_path / "bench")) == 3


STAMPS = """
[tsa]
default_tsa = stamps
[stamps]
serial = serial
signer_cert = stamper.pem
signer_key = stamper.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


@contextlib.contextmanager
def stamper(folder: Path, authority: Authority) -> Iterator[tuple[str, list[bytes]]]:
    """Serve time stamps by OpenSSL; give the address, and what is asked there."""
    key = rsa.generate_private_key(65537, 2048)
    (folder / "stamper.pem").write_bytes(authority.certify(key, use=ExtendedKeyUsageOID.TIME_STAMPING))
    write_key(folder / "stamper.key", key)
    (folder / "stamps.cnf").write_text(STAMPS)
    (folder / "serial").write_text("01")
    asked: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            (folder / "query").write_bytes(asked[-1])
            command = ["openssl", "ts", "-reply", "-config", "stamps.cnf", "-queryfile", "query", "-out", "answer"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((folder / "answer").read_bytes())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
            """Keep quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            serving.join()


def test_a_time_stamp_is_asked_for_once(studio: Studio, tmp_path: Path) -> None:
    """The authority is sent one small request for a sequence, and the first picture says when it was signed."""
    begun = datetime.now(UTC)
    written = made(tmp_path / "bench", "png")
    (tmp_path / "stamps").mkdir()
    with stamper(tmp_path / "stamps", studio.authority) as (address, asked):
        signed = sign(written, TOLD, studio.context(timestamp_authority=address))
    assert signed.notes == ("only the first picture has a time stamp",)
    assert [len(query) < 200 for query in asked] == [True]
    times = [read(path, studio.authority)[1]["signature_info"].get("time") for path in written.files]
    assert times[1:] == [None, None]
    assert abs(datetime.fromisoformat(times[0]) - begun) < timedelta(hours=1)


def test_an_identity_does_not_show_its_key(studio: Studio) -> None:
    """What may stand in a log or a traceback names who signs, and no more."""
    from callboard_placeholder.marks.identity import identity_of

    identity = identity_of(studio.context().parameters)
    assert repr(identity) == "<Identity 'Studio Seven / Zoe' es256>"
