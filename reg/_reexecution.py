"""Implementations that are registered again, since their module or notebook cell is executed again.

The new function has another code object than its former self, and the same place: module,
qualified name, file and first line. A loop makes its functions of one code object. When the
decorator of a former self runs again, the variable of its name still has a function of that file;
mostly there is none, and nothing has to be searched.
"""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from ._store import Registration, Store

__all__ = ["former_selves", "present_function"]


def former_selves(store: Store, key: Hashable, component: Any) -> list[Registration]:
    """List the registrations under a key that a component replaces, since it is executed again.

    :param store: the registrations of the registry.
    :param key: the key that the component is about to be registered under.
    :param component: any component; only functions in files are recognised.
    :return: a new list, mostly empty; for any classes, since these may have been made anew.
    """
    if not isinstance(component, types.FunctionType):
        return []
    code = component.__code__
    present = present_function(component)
    if (
        not isinstance(present, types.FunctionType)
        or present.__code__ is code
        or present.__code__.co_filename != code.co_filename
        # Statements typed at a prompt, and code from text, all have such a name.
        or code.co_filename.startswith("<")
    ):
        return []
    return [
        registration
        for registration in store.under(key)
        if registration.lineno == code.co_firstlineno
        and isinstance(registration.component, types.FunctionType)
        and registration.component.__code__ is not code
        and _place(registration.component) == _place(component)
    ]


def present_function(function: types.FunctionType) -> Any:
    """Find the object that has the qualified name of a function in its module at present.

    :param function: the function; one in another function is not found.
    :return: the object, mostly a function; ``None`` if there is none.
    """
    first, *rest = function.__qualname__.split(".")
    present = function.__globals__.get(first)
    for name in rest:
        present = getattr(present, "__dict__", {}).get(name)
    return getattr(present, "__func__", present)


def _place(function: types.FunctionType) -> tuple[str | None, str, str, int]:
    code = function.__code__
    return function.__module__, function.__qualname__, code.co_filename, code.co_firstlineno
