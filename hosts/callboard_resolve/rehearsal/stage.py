"""The stage: hands out objects that can do what the contract says, and raise on all else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import Struct

from callboard_resolve.contract import Method, contract


class NotInContract(AssertionError):
    """A call that our table does not have, or with arguments that it does not take."""


class Terms(Struct, frozen=True, kw_only=True):
    """Which Resolve is played."""

    product: str = "DaVinci Resolve Studio"
    version: tuple[int, int, int] = (20, 3, 0)
    readme: date = date(2026, 5, 26)
    """Methods of newer READMEs are not there."""
    rate: str = "24"
    start: int = 86400
    language: str = "en"
    """Of the window; ``JobStatus`` is in it."""
    headless: bool = False
    database: bool = True
    breaks: frozenset[str] = frozenset()
    """Calls that do their work and fail after it, such as ``MediaPool.AppendToTimeline``."""
    deaf: frozenset[str] = frozenset()
    """Setters that answer True and keep nothing, such as ``MediaPoolItem.SetMetadata``."""

    @property
    def studio(self) -> bool:
        """Say whether Studio calls work."""
        return self.product.endswith("Studio")


class Act:
    """What an object does, by the names of the contract in lower case with underscores."""

    kind = ""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.unique = f"{next(stage.ids):08x}-0000-4000-8000-000000000000"

    def get_unique_id(self) -> str:
        """Give the id that stays."""
        return self.unique


class Handle:
    """What a script holds: each answer is a new one, any name looks callable, and ``dir`` tells the truth."""

    __slots__ = ("_act",)

    def __init__(self, act: Act) -> None:
        object.__setattr__(self, "_act", act)

    def __dir__(self) -> list[str]:
        act: Act = object.__getattribute__(self, "_act")
        return sorted(contract().offered(act.kind, act.stage.terms.readme))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        act: Act = object.__getattribute__(self, "_act")

        def call(*arguments: Any, **named: Any) -> Any:
            return act.stage.call(act, name, arguments, named)

        return call


class Stage:
    """Plays one Resolve with one open project; ``resolve`` is what a script is given."""

    def __init__(self, terms: Terms | None = None) -> None:
        from callboard_resolve.rehearsal.house import House  # the acts know their stage, not each other

        self.terms = terms or Terms()
        self.ids = itertools.count(1)
        self.calls: list[str] = []
        """Each call in order, as ``Timeline.AddMarker``."""
        self.lengths: dict[str, tuple[str, int]] = {}
        """By the name of a file: the rate and the frames that it shall have; else the project's, and 10,000."""
        self.dialog = False
        """A dialog is open, and every call fails until a person closes it."""
        self.house = House(self)

    @property
    def resolve(self) -> Any:
        """Give the object that a menu script finds as ``resolve``."""
        return Handle(self.house)

    def call(self, act: Act, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Do one call.

        Raises:
            NotInContract: the table does not have it.
        """
        full = f"{act.kind}.{name}"
        method = contract().offered(act.kind, self.terms.readme).get(name)
        if method is None:
            raise NotInContract(f"{full} is not in the contract for the README of {self.terms.readme}")
        _check(full, method, arguments, named)
        self.calls.append(full)
        if self.dialog:
            return False
        if method.studio and not self.terms.studio:
            self.dialog = True
            return False
        if full in self.terms.deaf:
            return True
        made = getattr(act, snake(name))(*(self.unwrap(one) for one in arguments))
        if full in self.terms.breaks:
            for one in made:
                one.doubtful = True
            raise RuntimeError(f"{full}: no answer")
        return self.wrap(made)

    def unwrap(self, value: Any) -> Any:
        """Give the acts behind what a script hands over."""
        if isinstance(value, Handle):
            return object.__getattribute__(value, "_act")
        if isinstance(value, list):
            return [self.unwrap(one) for one in value]
        if isinstance(value, dict):
            return {key: self.unwrap(one) for key, one in value.items()}
        return value

    def wrap(self, value: Any) -> Any:
        """Give what a script may hold: copies, and a new handle for each act."""
        if isinstance(value, Act):
            return Handle(value)
        if isinstance(value, list):
            return [self.wrap(one) for one in value]
        if isinstance(value, dict):
            return {key: self.wrap(one) for key, one in value.items()}
        return value


def snake(name: str) -> str:
    """Write ``GetItemListInTrack`` as ``get_item_list_in_track``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _check(full: str, method: Method, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    if named:
        raise NotInContract(f"{full} takes its arguments by position only, not {', '.join(named)}")
    if not method.least <= len(arguments) <= method.most:
        raise NotInContract(f"{full} takes {method.least} to {method.most} arguments, not {len(arguments)}")
