"""aiortc's transports without its codecs.

aiortc's package imports PyAV at once, and PyAV's wheels carry FFmpeg with x264 and x265: GPL, and
100 MB of codecs that nothing here plays. So the package is put in place by its name and its folder,
without its own first lines, and the transports are imported into it. Who asks it for anything else
(the tests' browsers do) gets the whole package, PyAV included, with the same transports.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

TRANSPORTS = "aiortc.rtcdtlstransport"
"""Brings ICE's and all that is needed; one of its modules names a type of PyAV's."""
WHOLE = ("__path__", "__version__")
"""Names with underscores that mean the whole package; the first: a module that is not here yet."""


class _Transports(ModuleType):
    """The package with its transports, until somebody wants more."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in WHOLE:
            raise AttributeError(name)
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        self.__dict__["__path__"] = spec.submodule_search_locations
        ModuleType.__setattr__(self, "__class__", ModuleType)
        spec.loader.exec_module(self)
        return getattr(self, name)


def import_transports() -> None:
    """Makes them importable by their usual names; nothing where the whole package is there."""
    if "aiortc" in sys.modules:
        return
    spec = find_spec("aiortc")
    assert spec is not None
    package = sys.modules["aiortc"] = module_from_spec(spec)
    types_only = ModuleType("av")
    types_only.__dict__["AudioFrame"] = object
    codecs = sys.modules.setdefault("av", types_only)
    try:
        importlib.import_module(TRANSPORTS)
    finally:
        if codecs is types_only:
            del sys.modules["av"]
    del package.__path__
    package.__class__ = _Transports
