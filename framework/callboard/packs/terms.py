"""Which licences permit every use, commercial use too, so that nobody needs to be asked."""

from __future__ import annotations

import re
from typing import Final

_PERMISSIVE: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "CDLA-Permissive-2.0",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "OFL-1.1",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""SPDX identifiers of licences that ask for no more than a notice or a credit."""


def permissive(licence: str) -> bool:
    """Say whether an SPDX expression permits every use; what is not understood does not.

    >>> permissive("MIT AND Apache-2.0"), permissive("GPL-3.0-only OR MIT"), permissive("OpenRAIL-M")
    (True, True, False)
    """
    if "(" in licence or " WITH " in licence:
        return False
    return any(
        all(part in _PERMISSIVE for part in re.split(r"\s+AND\s+", choice.strip()))
        for choice in re.split(r"\s+OR\s+", licence.strip())
    )


__all__ = ["permissive"]
