"""Who signs: a project's certificate and private key, checked before anything is signed with them."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard.errors import Blocked

if TYPE_CHECKING:
    from callboard_schemas import Parameters
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

_USES: Final = {
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.36": "documentSigning",
    "1.3.6.1.4.1.62558.2.1": "c2pa-kp-claimSigning",
}
"""Extended key usages that C2PA takes for signing claims (C2PA 2.2, 14.5.1)."""
_LONGEST: Final = 1024 * 1024
_MEND: Final = (
    "Nothing is placed unsigned while the project names a certificate: mend it, or empty certificate and private_key."
)


class Identity:
    """A certificate with its chain, its key, and what goes into each signature. Its text never shows the key."""

    def __init__(self, chain: bytes, key: bytes, algorithm: str, name: str, authority: str, training: str) -> None:
        self.chain, self.key, self.algorithm, self.name = chain, key, algorithm, name
        self.authority, self.training = authority, training

    def __repr__(self) -> str:
        return f"<Identity {self.name!r} {self.algorithm}>"


def identity_of(parameters: Parameters, now: datetime | None = None) -> Identity | None:
    """Read and check the identity that a project signs with; ``None`` where it names none.

    Args:
        parameters: The plugin's.
        now: In place of this moment.

    Raises:
        Blocked: one of the two files is missing, cannot be read, has expired, or does not fit the other.
    """
    certificate, key = str(parameters.get("certificate", "")), str(parameters.get("private_key", ""))
    if not certificate and not key:
        return None
    if not certificate or not key:
        named, missing = ("certificate", "private_key") if certificate else ("private_key", "certificate")
        raise Blocked(f"{named} of the plugin is set and {missing} is not", _MEND)
    try:
        import c2pa  # noqa: F401 - whether it is here is known before anything is made
        from cryptography import x509
    except ImportError as error:
        raise Blocked(
            f"content credentials need {error.name}, which is not installed", "pip install 'callboard[credentials]'"
        ) from None
    chain = _read(certificate, "the certificate")
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError:
        raise Blocked(f"{certificate} holds no certificate in PEM", _MEND) from None
    secret = _key(key)
    leaf = certificates[0]
    _check(leaf, certificates, certificate, now or datetime.now(UTC))
    if secret.public_key() != leaf.public_key():
        raise Blocked(f"the private key in {key} is not that of the first certificate in {certificate}", _MEND)
    return Identity(
        chain,
        _pkcs8(secret),
        _algorithm(secret, str(parameters.get("signature_algorithm", "auto")), key),
        _name(leaf),
        str(parameters.get("timestamp_authority", "")),
        str(parameters.get("training_and_mining", "")),
    )


def _read(path: str, what: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise Blocked(
            f"{what} that placeholders are signed with cannot be read: {path}: {error.strerror}", _MEND
        ) from None


def _key(path: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path, "the private key")
    if os.name == "posix" and Path(path).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Blocked(f"others can read the private key in {path}", f"chmod 600 {path}")
    try:
        return load_pem_private_key(data, password=None)
    except TypeError:
        raise Blocked(f"the private key in {path} has a password; signing needs one without", _MEND) from None
    except (ValueError, UnsupportedAlgorithm):  # what they say may quote the file
        raise Blocked(f"{path} holds no private key in PEM", _MEND) from None


def _pkcs8(key: PrivateKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _algorithm(key: PrivateKeyTypes, wanted: str, path: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    fits: tuple[str, ...] = ()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        fits = {256: ("es256",), 384: ("es384",), 521: ("es512",)}.get(key.key_size, ())
    elif isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:  # shorter ones C2PA refuses
        fits = ("ps256", "ps384", "ps512")
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        fits = ("ed25519",)
    if not fits:
        raise Blocked(f"the private key in {path} is of a kind or length that content credentials do not take", _MEND)
    if wanted not in ("auto", *fits):
        raise Blocked(
            f"signature_algorithm is {wanted}, and the private key in {path} signs by {', '.join(fits)}", _MEND
        )
    return fits[0] if wanted == "auto" else wanted


def _check(leaf: Certificate, chain: list[Certificate], path: str, now: datetime) -> None:
    from cryptography import x509

    for one in chain:
        if now > one.not_valid_after_utc:
            raise Blocked(
                f"the certificate of {_name(one)} in {path} expired on {one.not_valid_after_utc:%Y-%m-%d}", _MEND
            )
        if now < one.not_valid_before_utc:
            raise Blocked(
                f"the certificate of {_name(one)} in {path} is not valid before {one.not_valid_before_utc:%Y-%m-%d}",
                _MEND,
            )
    if leaf.issuer == leaf.subject:
        raise Blocked(f"the certificate in {path} is signed by itself, which content credentials do not take", _MEND)
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        ours = any(use.dotted_string in _USES for use in uses)
    except x509.ExtensionNotFound:
        ours = False
    if not ours:
        raise Blocked(
            f"the certificate in {path} is not for signing content: it says none of {', '.join(_USES.values())}", _MEND
        )


def _name(certificate: Certificate) -> str:
    """Give whom a certificate names: the organisation, and the person or part of it."""
    from cryptography.x509.oid import NameOID

    found = [
        str(part.value)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for part in certificate.subject.get_attributes_for_oid(oid)[:1]
    ]
    return " / ".join(dict.fromkeys(found)) or certificate.subject.rfc4514_string()


__all__ = ["Identity", "identity_of"]
