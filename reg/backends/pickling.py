"""Pickling a dispatcher: by its name in a module, or by one of its functions."""

from __future__ import annotations

import importlib
import operator
import pickle
import sys
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["reduce_dispatcher"]


def reduce_dispatcher(
    dispatcher: Any, settings: Any, module: str, functions: Iterable[Any]
) -> tuple[Any, ...]:
    """Find a dispatcher where another process can find it, too.

    :param dispatcher: the dispatcher.
    :param settings: its settings, which may have a name where it has none itself.
    :param module: the name of the module that made it.
    :param functions: the host's functions that it dispatches.
    :return: the value of its ``__reduce__()``.
    :raises pickle.PicklingError: if it has no name in any module.
    """
    likely = dict.fromkeys([module, *(getattr(one, "__module__", "") for one in functions)])
    for name, attribute, value in _globals([*likely, *sys.modules]):
        if value is dispatcher:
            return _find, (name, attribute)
        if value is settings:
            return _find_by_settings, (name, attribute)
    raise pickle.PicklingError(
        f"{dispatcher!r} is found in another process by its name, and no module has it under a"
        f" name, {module!r} that made it included: keep it in a global variable"
    )


def _globals(modules: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    for name in modules:
        module = sys.modules.get(name)
        namespace = getattr(module, "__dict__", None)
        if isinstance(namespace, dict):
            for attribute, value in list(namespace.items()):
                yield name, attribute, value


def _find(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


def _find_by_settings(module: str, name: str) -> Any:
    settings = _find(module, name)
    return settings.__reduce__()[1][0]
