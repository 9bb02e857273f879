"""Certificates of a test: an authority, and what it certifies, as content credentials (C2PA) want them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def subject(name: str) -> x509.Name:
    """Name a person of a studio."""
    pairs = ((NameOID.ORGANIZATION_NAME, "Studio Seven"), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])


class Authority:
    """A certificate authority of a test."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = (
            _begin("Test CA", "Test CA", self.key.public_key(), NOW - 9 * DAY, NOW + 99 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def certify(
        self,
        key: Key,
        *,
        start: int = -1,
        end: int = 30,
        use: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ) -> bytes:
        """Give a certificate and its chain in PEM, as C2PA wants them; *start* and *end* are days from now."""
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        uses = x509.ExtendedKeyUsage([use])
        leaf = (
            _begin("Zoe", "Test CA", key.public_key(), NOW + start * DAY, NOW + end * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(uses, critical=use == ExtendedKeyUsageOID.TIME_STAMPING)  # as RFC 3161 wants it
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return leaf.public_bytes(pem) + self.certificate.public_bytes(pem)


def _begin(name: str, issuer: str, key: Any, start: dt.datetime, end: dt.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(subject(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def write_key(path: Path, key: Key, encryption: serialization.KeySerializationEncryption | None = None) -> Path:
    """Write a private key for its owner alone."""
    form = serialization.PrivateFormat.PKCS8
    encryption = encryption or serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    path.chmod(0o600)
    return path


__all__ = ["Authority", "Key", "write_key"]
