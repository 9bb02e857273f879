"""The library engine: a well-kept library that owns its session, loaded, measured and let go of like the rest.

``options.factory`` of a pack names ``module:function`` of the package that ships the pack, and of no other:
``function(folder, settings, device)`` gets verified copies of the pack's files and returns a ``Model``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from callboard.config import RuntimeSettings
from callboard.errors import CallboardError, JobError, ModelMissing
from callboard.packs import Pack, package_folder
from callboard.runtime import Control, NoMemory
from callboard.runtime.engines.devices import CPU, nvidia, ordered
from callboard.runtime.engines.folder import PrivateFolder, make_private
from callboard.runtime.engines.inputs import check_inputs
from callboard.runtime.engines.memory import Growth, give_back, is_short

if TYPE_CHECKING:
    from callboard.runtime import Session


class Model(Protocol):
    """What a factory returns. It may have ``memory_mb`` (int, MiB) where its library can tell."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Do one call; any error but ``NoMemory`` or one of Callboard's means that the inputs are at fault."""
        ...

    def close(self) -> None:
        """Let go of the memory."""
        ...


Factory = Callable[[Path, RuntimeSettings, str], Model]


class LibraryEngine:
    """Makes sessions by the factories that packs name."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The CPU, and before it an NVIDIA GPU that is here where the pack's option ``devices`` has ``cuda``."""
        named = pack.options.get("devices")
        return ordered(["cuda:0"] if isinstance(named, tuple) and "cuda" in named and nvidia() else [], pack, settings)

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = CPU) -> Session:
        """Call the pack's factory with a private folder of verified copies, which is there until the session closes.

        Raises:
            ModelMissing: a file is not what the pack says, or the factory is not there or refuses.
            NoMemory: it does not fit on *device* now.
        """
        factory = _factory(pack)
        private = make_private(pack, folder)
        try:
            with Growth() as growth:
                model = factory(private.path, settings, device)
        except BaseException as error:
            private.close()
            if isinstance(error, CallboardError | NoMemory) or not isinstance(error, Exception):
                raise
            if is_short(error):
                raise NoMemory(f"model {pack.name!r}: no memory to load it on {device}") from None
            raise ModelMissing(
                pack.name, f"its library cannot load it: {error}", f"Mend {pack.origin} or its files."
            ) from None
        return LibrarySession(pack, model, private, device, growth.mb)


def _factory(pack: Pack) -> Factory:
    named = str(pack.options.get("factory", ""))
    module, colon, function = named.partition(":")
    top = package_folder(module.partition(".")[0]) if colon and module and function.isidentifier() else None
    if top is None:
        raise ModelMissing(pack.name, f"options.factory {named!r} names no installed package", f"Mend {pack.origin}.")
    if not Path(pack.origin).resolve().is_relative_to(top.resolve()):
        raise ModelMissing(
            pack.name,
            f"options.factory {named!r} is not of the package that ships {pack.origin}",
            "A pack may call code of its own package alone.",
        )
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        extra = getattr(pack.source, "extra", "")
        hint = f"pip install 'callboard[{extra}]'" if extra else f"Mend {pack.origin}."
        raise ModelMissing(pack.name, f"{named} cannot be imported ({error})", hint) from None
    factory: Factory = found
    return factory


class LibrarySession:
    """A model that a library owns."""

    def __init__(self, pack: Pack, model: Model, private: PrivateFolder, device: str, grown_mb: int) -> None:
        self._pack, self._model, self._private, self.device = pack, model, private, device
        self.parallel = pack.parallel or 1
        self._grown_mb = grown_mb

    @property
    def memory_mb(self) -> int:
        """MiB: what the library tells, else what loading took but at least the pack's figure."""
        told = getattr(self._model, "memory_mb", 0)
        return int(told) or max(self._pack.memory_mb, self._grown_mb)

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Have the library do one call.

        Args:
            inputs: Arrays by the names that the pack gives, compared with what it says of them.
            options: For the library.
            control: For the library: how a call is followed and stopped is its own affair.

        Raises:
            JobError: the inputs or options are wrong, or the library failed on them.
            NoMemory: the memory does not suffice for these inputs.
        """
        check_inputs(self._pack, self._pack.inputs, inputs)
        try:
            return self._model.run(inputs, options, control)
        except (CallboardError, NoMemory):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a library raises
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for this input on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None

    def close(self) -> None:
        """Have the library let go of its memory, and remove its files."""
        self._model.close()
        del self._model
        self._private.close()
        give_back()


__all__ = ["Factory", "LibraryEngine", "LibrarySession", "Model"]
