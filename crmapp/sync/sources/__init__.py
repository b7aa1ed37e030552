"""Every source that there is: each module in here holds one."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from crmapp.requests import BadInput
from crmapp.sync.source import Source


@cache
def every() -> dict[str, Source]:
    """The sources, by type, in the order of their modules' names."""
    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for source in _sources_in(module.name):
            if source.type in found:
                raise TypeError(f"{module.name}: there is a source {source.type!r} already.")
            found[source.type] = source
    return found


def _sources_in(name: str) -> list[Source]:
    values = vars(import_module(name)).values()
    classes = [value for value in values if isinstance(value, type) and issubclass(value, Source)]
    return [each() for each in classes if each.__module__ == name]


def of(type: str) -> Source:
    """Raises BadInput (404) where there is none."""
    sources = every()
    if type not in sources:
        raise BadInput(
            f"There is nothing {type[:60]!r} to sync. There are: {', '.join(sources)}.", 404
        )
    return sources[type]
