"""LazyModule: a module that is imported when a name in it is first used."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stand in for a module that takes long to import, so that plans and lists do without it.

    A file imports the module where ``TYPE_CHECKING`` holds, for type checkers and for the hashes of sources, which
    follow import statements, and assigns LazyModule("its.name") to the same name otherwise.
    """

    def __getattr__(self, name: str) -> Any:
        """Import the module and take a name from it, which later uses find without this function."""
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value
