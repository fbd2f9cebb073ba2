"""Pickling a dispatcher: by its name in a module, or by its host and its group of entry points."""

from __future__ import annotations

import contextlib
import gc
import importlib
import operator
import pickle
import sys
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["reduce_dispatcher", "register_dispatcher"]

# All dispatchers of this process, by their group of entry points and their host.
_made: dict[tuple[str, str], weakref.WeakSet[Any]] = {}


def reduce_dispatcher(
    dispatcher: Any, settings: Any, module: str, functions: Iterable[Any]
) -> tuple[Any, ...]:
    """Find a dispatcher where another process can find it, too.

    :param dispatcher: the dispatcher.
    :param settings: its settings, which may have a name where it has none itself.
    :param module: the name of the module that made it.
    :param functions: the host's functions that it dispatches.
    :return: the value of its ``__reduce__()``.
    :raises pickle.PicklingError: if it has no name in any module, and another one has the same
      host and group.
    """
    likely = dict.fromkeys([module, *(getattr(one, "__module__", "") for one in functions)])
    for name, attribute, value in _globals([*likely, *sys.modules]):
        if value is dispatcher:
            return _find, (name, attribute)
        if value is settings:
            return _find_by_settings, (name, attribute)
    # It has no name: those modules make it in another process, too.
    key = dispatcher.entrypoint_group, dispatcher.host_name
    if len(_made[key]) > 1:
        gc.collect()
    if len(_made[key]) > 1:
        raise pickle.PicklingError(
            f"{dispatcher!r} is found in another process by its host and its group"
            f" {key[0]!r}, and there are {len(_made[key])} of these: keep it in a global variable"
        )
    return _find_by_host, (*key, tuple(likely))


def register_dispatcher(dispatcher: Any) -> None:
    """Note a dispatcher, so that it can be found by its host and its group of entry points."""
    key = dispatcher.entrypoint_group, dispatcher.host_name
    _made.setdefault(key, weakref.WeakSet()).add(dispatcher)


def _globals(modules: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    for name in modules:
        module = sys.modules.get(name)
        namespace = getattr(module, "__dict__", None)
        if isinstance(namespace, dict):
            for attribute, value in list(namespace.items()):
                yield name, attribute, value


def _find(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


def _find_by_host(group: str, host: str, modules: tuple[str, ...]) -> Any:
    for module in modules:
        # A helper that made it, or a module of functions, may not be there.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    made = list(_made.get((group, host), ()))
    if len(made) == 1:
        return made[0]
    raise pickle.UnpicklingError(
        f"there are {len(made)} backend dispatchers of {host} for the group {group!r} in this"
        f" process, where {', '.join(modules)} are imported, and one is expected"
    )


def _find_by_settings(module: str, name: str) -> Any:
    settings = _find(module, name)
    return settings.__reduce__()[1][0]
