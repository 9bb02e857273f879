"""Where plugins send what they work on, as a project has set it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callboard_schemas import Manifest

from callboard.config import PluginSettings, Settings
from callboard.discovery import Found


def sent(plugins: Iterable[Found], settings: Settings) -> Iterator[tuple[Manifest, tuple[str, ...]]]:
    """Give each enabled plugin that sends, with the places that its settings name."""
    for one in plugins:
        manifest = one.manifest
        if manifest is None:
            continue
        own = settings.plugins.get(one.id, PluginSettings())
        defaults = {name: parameter.default for name, parameter in manifest.parameters.items()}
        given = {**defaults, **own.parameters}
        places = tuple(str(given[name]) for name in manifest.sends_to if given.get(name))
        if own.enabled and places:
            yield manifest, places


__all__ = ["sent"]
