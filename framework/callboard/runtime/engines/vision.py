"""Lets open_clip and transformers import torchvision beside a torch that it was not built for.

Both import it, for transforms of pictures that nothing here uses, and torchvision stops at its import where its
compiled operators do not load: so it is with a CPU build of torch and the torchvision of the package index.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Final

_SIGNATURE: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_operators: Final[list[object]] = []
_lock: Final = threading.Lock()


def mend_torchvision() -> None:
    """Make ``import torchvision`` work: where its operators do not load, declare those that it describes at import.

    They stay without a body: calling one is an error, as it would be without this.

    Raises:
        ImportError: torch is not installed. Without torchvision nothing is done.
    """
    import torch

    with _lock:
        if "torchvision" in sys.modules or _operators:
            return
        try:
            import torchvision  # noqa: F401 - whether it imports is the question
        except RuntimeError:
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]  # half made
            library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]  # torch lacks the type
            for name in ("nms", "qnms"):
                library.define(name + _SIGNATURE)  # type: ignore[no-untyped-call]  # torch lacks the type
            _operators.append(library)  # the operators live as long as it does
        except ImportError:
            pass


def import_open_clip() -> ModuleType:
    """Import open_clip.

    Raises:
        ImportError: open_clip or torch is not installed.
    """
    mend_torchvision()
    import open_clip

    return open_clip  # type: ignore[no-any-return]  # an untyped library


def import_transformers() -> ModuleType:
    """Import transformers; it must be imported so the first time, for it looks for torchvision then.

    Raises:
        ImportError: transformers or torch is not installed.
    """
    mend_torchvision()
    import transformers

    return transformers


__all__ = ["import_open_clip", "import_transformers", "mend_torchvision"]
