"""Loading plugins and calling their hooks, one plugin at a time. Used inside plugin processes and by the harness."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pluggy
from callboard_schemas import AnyResult, Asset, Envelope, Failure, Manifest

from callboard import hookspecs
from callboard.context import Context
from callboard.plugin.answers import check_results, clean, failure_of, one_line

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a plain function in a thread and gives what it returns or raises."""


class PluginBroken(Exception):
    """A plugin could not be loaded; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


class _Stopped(Exception):
    """Carries what a hook raised past code that gives some exceptions a meaning of their own.

    SystemExit and KeyboardInterrupt would end the event loop, StopIteration cannot be set on a future.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__()


class Plugins:
    """The plugins of one process."""

    def __init__(self, in_thread: InThread | None = None) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._manifests: dict[str, Manifest] = {}
        self._distributions: dict[str, str] = {}
        self._in_thread: InThread = in_thread or asyncio.to_thread

    async def load(
        self, manifest: Manifest, package: str | ModuleType, context: Context, distribution: str = ""
    ) -> None:
        """Import *package*, register it and let it set itself up.

        Args:
            manifest: What the plugin says of itself.
            package: Its package, or the name to import.
            context: For its ``callboard_setup``.
            distribution: What it was installed with; named where an extra is missing.

        Raises:
            PluginBroken: with the failure that its jobs get.
        """
        try:
            plugin = package
            if isinstance(plugin, str):
                plugin = await self._call(lambda: importlib.import_module(str(package)))
            self.register(manifest, plugin)
            self._distributions[manifest.id] = distribution
            await self._hook(manifest.id, "callboard_setup", context=context)
        except BaseException as raised:
            if isinstance(raised, asyncio.CancelledError):
                raise
            self._forget(manifest.id)
            raise PluginBroken(_broken(raised, manifest, distribution)) from None

    def register(self, manifest: Manifest, plugin: object) -> None:
        """Register an imported plugin.

        Raises:
            pluggy.PluginValidationError: a hook's signature is not what the specification says.
            TypeError: it implements no ``callboard_handle``.
        """
        self._manager.register(plugin, manifest.id)
        try:
            self._manager.check_pending()
            if not self._answers(plugin, "callboard_handle"):
                raise TypeError(
                    f"{manifest.id!r} answers nothing: it has no function callboard_handle marked with @hookimpl"
                )
        except BaseException:
            self._manager.unregister(name=manifest.id)
            raise
        self._manifests[manifest.id] = manifest

    def _answers(self, plugin: object, hook: str) -> bool:
        return any(caller.name == hook for caller in self._manager.get_hookcallers(plugin) or [])

    def _forget(self, plugin: str) -> None:
        self._manifests.pop(plugin, None)
        if self._manager.has_plugin(plugin):
            self._manager.unregister(name=plugin)

    async def handle(
        self, plugin: str, event: Envelope, asset: Asset | None, context: Context
    ) -> tuple[AnyResult, ...] | Failure:
        """Ask one plugin to answer one event. Whatever it does short of ending the process is a value.

        Raises:
            asyncio.CancelledError: the job was cancelled.
        """
        manifest, distribution = self._manifests[plugin], self._distributions.get(plugin, "")
        try:
            answers = await self._hook(plugin, "callboard_handle", event=event, asset=asset, context=context)
            answer = answers[0] if answers else None
            return check_results(answer, manifest)
        except _Stopped as stopped:
            return failure_of(stopped.error, manifest, distribution)
        except Exception as error:  # noqa: BLE001 - any exception is an answer
            return failure_of(error, manifest, distribution)

    async def teardown(self, context: Callable[[Manifest], Context], seconds: float) -> None:
        """Let each plugin let go, for at most *seconds* each; what they raise is nobody's concern any more."""
        for plugin, manifest in list(self._manifests.items()):
            if not self._answers(self._manager.get_plugin(plugin), "callboard_teardown"):
                continue
            try:
                await asyncio.wait_for(self._hook(plugin, "callboard_teardown", context=context(manifest)), seconds)
            except Exception as error:  # noqa: BLE001 - the process ends next
                context(manifest).log.warning("teardown failed: %s", one_line(error))

    async def _hook(self, plugin: str, hook: str, **arguments: object) -> list[Any]:
        """Call *hook* of one plugin: plain functions in a thread, coroutines awaited here."""
        others = [other for name, other in self._manager.list_name_plugin() if name != plugin and other is not None]
        caller = self._manager.subset_hook_caller(hook, others)
        answers: list[Any] = await self._call(lambda: caller(**arguments))
        return [await _awaited(answer) if inspect.isawaitable(answer) else answer for answer in answers]

    async def _call(self, function: Callable[[], Any]) -> Any:
        def contained() -> tuple[Any, BaseException | None]:
            try:
                return function(), None
            except BaseException as error:  # noqa: BLE001 - carried out of the thread as a value
                return None, error

        value, error = await self._in_thread(contained)
        if error is not None:
            raise _Stopped(error)
        return value


async def _awaited(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - carried on as a value
        raise _Stopped(error) from None


def _broken(raised: BaseException, manifest: Manifest, distribution: str) -> Failure:
    error = raised.error if isinstance(raised, _Stopped) else raised
    failure = failure_of(error, manifest, distribution)
    if failure.cause != "deterministic":
        return failure
    message = clean(f"plugin {manifest.id!r} cannot be loaded: {one_line(error)}")[:500]
    hint = f"'callboard plugins check {manifest.id}' says more."
    return Failure(code="plugin-broken", cause="deterministic", message=message, hint=hint, detail=failure.detail)


__all__ = ["PluginBroken", "Plugins"]
