"""Classes, generic functions and implementations that were defined again under the same name.

A notebook cell that is run twice, or ``importlib.reload()``, makes another
object of the same module and qualified name. Registrations for the former
object stay, and no call for the new one finds them.
"""

from __future__ import annotations

import ast
import linecache
import sys
import types
from collections.abc import Hashable
from typing import Any

from .._classes import NamedClass, RegisteredClass
from .._dispatch_spec import dispatch_of
from .._refinements import base_of
from ..arginfo import wrapped_by
from .names import full_name

__all__ = [
    "current_class",
    "current_generic",
    "current_implementation",
    "former_class",
    "is_former_generic",
]


def current_class(cls: RegisteredClass) -> type | None:
    """Find the class that has taken the name of a registered one.

    :param cls: a registered class.
    :return: the class that its module has under its name now; ``None`` if that
      is the class itself or inherits from it, or if the module has none.
    """
    cls = base_of(cls)
    if isinstance(cls, NamedClass):
        return None
    current = _current(cls)
    if not isinstance(current, type) or full_name(current) != full_name(cls):
        return None
    # A subclass of the same name is served by registrations for its base.
    return None if cls in current.__mro__ else current


def current_generic(key: Hashable) -> Any:
    """Find the generic function that has taken the name of a registered one.

    :param key: any key.
    :return: the generic function that its module has under its name now;
      ``None`` if that is the key itself, or if one of both is not generic.
      Functions defined in other functions are never taken for one another.
    """
    former = dispatch_of(key)
    current = None if former is None else _current(key)
    dispatch = dispatch_of(current)
    # A wrapper made by functools.wraps() shares the specification.
    if dispatch is None or dispatch is former or full_name(current) != full_name(key):
        return None
    # A generic function made of the former one calls it.
    return None if dispatch.function is key else current


def is_former_generic(former: Hashable, generic: Any) -> bool:
    """Return whether a generic function has taken the name of a registered one."""
    dispatch = dispatch_of(generic)
    return dispatch is not None and dispatch_of(current_generic(former)) is dispatch


def former_class(registered: RegisteredClass, cls: type) -> type | None:
    """Find the base of a class that has the same name as a registered class.

    :param registered: a registered class that does not apply to ``cls``.
    :param cls: the class of an argument.
    :return: the class of that name in the MRO of ``cls``; ``None`` if there is
      none.
    """
    if isinstance(registered, NamedClass):
        return None
    name = full_name(registered)
    return next(
        (base for base in cls.__mro__ if base is not registered and full_name(base) == name), None
    )


def current_implementation(component: Any) -> Any:
    """Find the function that has taken the name of an implementation.

    :param component: any component.
    :return: the function that its module has under its name now; ``None`` if that is the
      component itself, wraps it or is wrapped by it. Functions defined in other functions are
      never taken for one another, and neither are those of one name in one file: an
      implementation for each class may be called ``_``.
    """
    current = getattr(present := _current(component), "__func__", present)
    former, latter = _innermost(component), _innermost(current)
    if (
        not isinstance(former, types.FunctionType)
        or not isinstance(latter, types.FunctionType)
        # A loop makes its functions of one code object.
        or former.__code__ is latter.__code__
        or full_name(current) != full_name(component)
        or not former.__name__.strip("_")
    ):
        return None
    is_same_file = former.__code__.co_filename == latter.__code__.co_filename
    count = _definitions(latter)
    return current if count == 1 or (count is None and not is_same_file) else None


def _innermost(component: Any) -> Any:
    while (inner := wrapped_by(component)) is not None:
        component = inner
    return getattr(component, "__func__", component)


def _definitions(function: types.FunctionType) -> int | None:
    """Count the functions of this name in its file; ``None`` if the file cannot be read."""
    filename = function.__code__.co_filename
    linecache.checkcache(filename)
    source = "".join(linecache.getlines(filename, function.__globals__))
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        # In a notebook, a cell may have commands that are not Python.
        return None
    names = [n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return names.count(function.__name__) or None


def _current(value: Any) -> Any:
    """Find the object that a module has now under the name of an older one."""
    current: Any = sys.modules.get(getattr(value, "__module__", None) or "")
    for attribute in str(getattr(value, "__qualname__", "")).split("."):
        # Not getattr(), which may import or bind.
        current = getattr(current, "__dict__", {}).get(attribute)
    return current
