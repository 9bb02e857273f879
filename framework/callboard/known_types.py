"""Types that msgspec knows before threads read by them.

msgspec looks at a type when it first decodes by it. Where two threads do so at the same moment, one of them uses what
the other has half made, and the process ends by SIGSEGV (seen with 0.22). A module is imported by one thread, so what
it knows at its end is whole for all.
"""

from __future__ import annotations

from typing import Any

import msgspec


def know(*types: Any) -> None:
    """Have msgspec look at *types* now: call it at the end of a module whose functions decode by them in threads."""
    for one in types:
        msgspec.json.Decoder(one)


__all__ = ["know"]
