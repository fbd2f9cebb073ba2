"""The same generic function in other libraries, to compare with.

They get the implementations that reg gets, in the way that their own documentation
shows. Their versions are pinned in ``requirements.txt``.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

__all__ = [
    "PEERS",
    "Implementations",
    "annotated",
    "any_number",
    "by_keyword",
    "by_name",
    "calling_next",
    "versions",
    "with_keyword",
]

#: for a tuple of classes, the function that implements
Implementations: TypeAlias = "Sequence[tuple[tuple[type, ...], Callable[..., Any]]]"


def _ovld(implementations: Implementations) -> Callable[..., Any]:
    from ovld import Ovld

    make: Any = Ovld
    function = make(name="size")
    for _, implementation in implementations:
        function.register(implementation)
    called: Callable[..., Any] = function.dispatch
    return called


def _plum(implementations: Implementations) -> Callable[..., Any]:
    from plum import Dispatcher

    dispatcher = Dispatcher()
    function: Any = None
    for _, implementation in implementations:
        function = dispatcher(implementation)
    return function  # type: ignore[no-any-return]


def _multipledispatch(implementations: Implementations) -> Callable[..., Any]:
    from multipledispatch import Dispatcher

    function: Callable[..., Any] = Dispatcher("size")
    for classes, implementation in implementations:
        function.add(classes, implementation)  # type: ignore[attr-defined]
    return function


def _multimethod(implementations: Implementations) -> Callable[..., Any]:
    from multimethod import multimethod

    (_, first), *others = implementations
    function: Any = multimethod(first)
    for _, implementation in others:
        function.register(implementation)
    return function  # type: ignore[no-any-return]


def _singledispatch(implementations: Implementations) -> Callable[..., Any]:
    def size(item: object) -> object:
        raise NotImplementedError

    function = functools.singledispatch(size)
    for (cls,), implementation in implementations:
        function.register(cls, implementation)
    return function


#: by name: a function that makes a generic function, and how many arguments can dispatch
PEERS: dict[str, tuple[Callable[[Implementations], Callable[..., Any]], int]] = {
    "ovld": (_ovld, 9),
    "plum": (_plum, 9),
    "multipledispatch": (_multipledispatch, 9),
    "multimethod": (_multimethod, 9),
    "singledispatch": (_singledispatch, 1),
}


def annotated(classes: tuple[type, ...], result: object) -> Callable[..., Any]:
    """Write an implementation: annotated parameters, and a constant to return.

    Other libraries dispatch on the annotations. The code is the function's
    own, so that none profits from Python's specialization for another.

    :param classes: the classes of the parameters.
    :param result: the constant.
    :return: a function named ``size``.
    """
    names = [f"argument_{index}" for index in range(len(classes))]
    parameters = ", ".join(f"{name}: class_{name}" for name in names)
    classes_by_name = {f"class_{name}": cls for name, cls in zip(names, classes, strict=True)}
    return _written(f"def size({parameters}):\n    return {result!r}\n", **classes_by_name)


def with_keyword(cls: type) -> dict[str, Callable[..., Any]]:
    """Generic functions that pass the keyword ``unit`` on, by name of the library.

    :param cls: the class that they have an implementation for, which returns ``unit``.
    """
    source = "def size(item: cls, *, unit: str = ''):\n    return unit\n"
    return {peer: make([((cls,), _written(source, cls=cls))]) for peer, (make, _) in PEERS.items()}


def by_keyword(cls: type, positional: bool) -> dict[str, Callable[..., Any]]:
    """Generic functions of ``page`` and ``indent``, passed by keyword or left out.

    :param cls: the class of ``page`` that they have an implementation for.
    :param positional: whether ``page`` is passed by position, and ``indent`` left out.
    :return: by name of the library, the functions of the libraries that can do so.
    """
    from multimethod import multidispatch

    def head(page: object, indent: object = " ") -> Any:
        raise NotImplementedError

    source = "def head(page: cls, indent: str = ' '):\n    return indent\n"
    functions = {"ovld": _ovld([((cls,), _written(source, cls=cls))])}
    dispatched = multidispatch(head)
    dispatched.register(_written(source, cls=cls))
    functions["multimethod"] = dispatched
    if positional:
        functions["plum"] = _plum([((cls,), _written(source, cls=cls))])
    return functions


def by_name(cls: type, device: type) -> dict[str, Callable[..., Any]]:
    """Generic functions of ``item``, ``unit`` and ``device``, all passed by keyword.

    :param cls: the class of ``item`` that they have an implementation for.
    :param device: that of ``device``.
    :return: by name of the library, the functions of the libraries that can do so.
    """
    source = "def size(*, item: cls, unit: str, device: device):\n    return unit\n"
    function = _written(source, cls=cls, device=device)
    return {"ovld": _ovld([((cls, device), function)])}


def any_number(cls: type) -> dict[str, Callable[..., Any]]:
    """Generic functions of any number of arguments, by name of the library.

    :param cls: the class of each argument.
    """
    source = f"def size(first: cls, *rest: cls):\n    return {cls.__name__!r}\n"
    function = _written(source, cls=cls)
    variadic: Any = (cls, [cls])
    return {
        "plum": _plum([((cls,), function)]),
        "multipledispatch": _multipledispatch([((cls,), function), (variadic, function)]),
    }


def calling_next(first: type, last: type) -> Callable[..., Any]:
    """Make ovld's generic function whose first implementation calls the next one.

    :param first: the class of the first implementation, a subclass of ``last``.
    :param last: the class of the one that it calls, which returns its name.
    """
    from ovld import call_next

    def size(item: object) -> Any:
        return call_next(item)

    # It reads the annotations themselves, and rewrites the code of the function.
    size.__annotations__["item"] = first
    return _ovld([((first,), size), ((last,), annotated((last,), last.__name__))])


def _written(source: str, **names: object) -> Callable[..., Any]:
    """Define a function by its source.

    :param names: the global variables of the function.
    """
    namespace: dict[str, Any] = dict(names)
    exec(source, namespace)
    functions = [namespace[name] for name in ("size", "head") if name in namespace]
    function: Callable[..., Any] = functions[0]
    function.__module__ = __name__
    return function


@functools.cache
def versions() -> dict[str, str]:
    """The versions of the peers that are installed."""
    distributions = ("ovld", "plum-dispatch", "multipledispatch", "multimethod", "pyperf")
    return {name: importlib.metadata.version(name) for name in distributions}
