"""Marks what was made as what it is: a sidecar beside it, and content credentials inside it where a project signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard_placeholder.marks.credentials import Signed, sign_files
from callboard_placeholder.marks.sidecar import write_sidecar

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Placeholder

    from callboard_placeholder.encoding import Written


def ready(context: Context) -> None:
    """Check that a project which signs can sign, before anything is made.

    Raises:
        Blocked: the certificate, the key or the library is missing or does not do.
    """
    from callboard_placeholder.marks.identity import identity_of

    identity_of(context.parameters)


def sign(written: Written, told: Placeholder, context: Context) -> Signed:
    """Sign what was made with the project's certificate, where it names one; a sequence picture by picture.

    The pictures stay as they are, the bytes do not: two signatures of one file differ. Call it while the file lies in
    the bench's folder, before its digest is taken.

    Raises:
        Blocked: the project signs, and cannot; nothing is placed unsigned that should be signed.
        JobError: a file carries the credentials of others already; it is left alone.
    """
    from callboard_placeholder.marks.identity import identity_of

    identity = identity_of(context.parameters)
    return Signed() if identity is None else sign_files(written, told, identity, context)


__all__ = ["Signed", "ready", "sign", "write_sidecar"]
