"""Logging in with an nkey: the seed's Ed25519 signature of the server's nonce, made in slices.

Ed25519 is RFC 8032; seeds are base32 of two prefix bytes, 32 secret bytes and a CRC-16, as the nkeys of NATS are.
Python's integers take a time that depends on the secret, so sign for a server of your own, not for the world.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False  # importing typing costs a tenth of the whole import
if TYPE_CHECKING:
    from collections.abc import Generator

    Point = tuple[int, int, int, int]

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_2D = 2 * 37095705934669439343138083508754565189542113879843219016388785533085940283555 % _P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960
_SEED, _USER = 18 << 3, 20 << 3
"""Prefix bytes of a seed and of a user's public key: they make the letters S and U."""


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class SeedError(ValueError):
    """A seed is not one of a user's."""


def _add(one: Point, other: Point) -> Point:
    """Add two points in extended coordinates (x = X/Z, y = Y/Z, xy = T/Z)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = one[3] * _2D % _P * other[3] % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: Point) -> Point:
    a, b = point[0] * point[0] % _P, point[1] * point[1] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2 % _P
    g = a - b
    f = 2 * point[2] * point[2] % _P + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


_multiples: list[Point] = []
"""Of the base point, 0 to 15 times; made by the first who needs them."""
_publics: dict[bytes, bytes] = {}
"""The public key of the secret that was signed with last: half of a login's work, which a reconnect need not do."""


def _fill() -> None:
    base, point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P), (0, 1, 1, 0)
    for _ in range(16):
        _multiples.append(point)
        point = _add(point, base)


def _times_base(scalar: int) -> Generator[None, None, bytes]:
    """Multiply the base point, four bits between two yields, and give the point's 32 bytes."""
    if not _multiples:
        _fill()
        yield
    point = _multiples[0]
    for shift in range(252, -1, -4):
        point = _double(_double(_double(_double(point))))
        point = _add(point, _multiples[scalar >> shift & 15])
        yield
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(*parts: bytes) -> int:
    import hashlib  # a tenth of the import, for those who log in otherwise

    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def decode_seed(text: bytes) -> bytes:
    """Give the 32 secret bytes of a user's seed.

    Raises:
        SeedError: it is no seed, or not a user's.
    """
    letters = bytes(text).strip().decode("ascii", "replace")
    if len(letters) != 58 or not all(letter in _LETTERS for letter in letters):
        raise SeedError("the nkey seed is not 58 letters of base32")
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    raw = (number >> 2).to_bytes(36, "big")
    if binascii.crc_hqx(raw[:-2], 0) != int.from_bytes(raw[-2:], "little"):
        raise SeedError("the nkey seed is damaged")
    if raw[0] & 0xF8 != _SEED or (raw[0] & 7) << 5 | raw[1] >> 3 != _USER:
        raise SeedError("the nkey seed is not a user's: those begin with SU")
    return raw[2:34]


def _base32(raw: bytes) -> str:
    """Write bytes in base32 without padding; ``base64`` takes longer to import than this to run."""
    number, letters = int.from_bytes(raw, "big") << -len(raw) * 8 % 5, -(-len(raw) * 8 // 5)
    return "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(letters)))


def sign(seed: bytes, nonce: bytes) -> Generator[None, None, tuple[str, str]]:
    """Sign *nonce*, yielding every few dozen microseconds; returns the public nkey and the signature for CONNECT.

    Raises:
        SeedError: see ``decode_seed``.
    """
    raw = decode_seed(seed)
    secret = _number(raw)
    scalar = secret % 2**256 & (2**254 - 8) | 2**254
    prefix = (secret >> 256).to_bytes(32, "little")
    if raw not in _publics:
        public = yield from _times_base(scalar % _ORDER)
        _publics.clear()
        _publics[raw] = public
    public = _publics[raw]
    random = _number(prefix, nonce) % _ORDER
    commitment = yield from _times_base(random)
    answer = (random + _number(commitment, public, nonce) * scalar) % _ORDER
    signature = commitment + answer.to_bytes(32, "little")
    named = bytes([_USER]) + public
    named += binascii.crc_hqx(named, 0).to_bytes(2, "little")
    plain = binascii.b2a_base64(signature, newline=False).rstrip(b"=")
    return _base32(named), plain.translate(bytes.maketrans(b"+/", b"-_")).decode("ascii")
