"""The names that an annotation in quotes can use.

A name has the meaning that it would have without the quotes. It is looked up among the type
parameters, in the class body around the definition, in the function around it, in its module, and
among the built-in names. The function around is known while it runs; afterwards, only the variables
of it that the implementation itself uses. Variables of a caller are never looked at.

Two kinds of names can be used before they are defined: the class around the implementation, which
is being defined; and a global name that the module binds further down, in code that has yet to run.
The code of the running module shows whether there is one.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, ForwardRef

from ._classes import ForwardClass, ForwardName, class_at
from .arginfo import wrapped_by

__all__ = ["Names", "alias_namespaces", "evaluate"]

_LOCAL = ".<locals>."


class Names(dict[str, Any]):
    """The names that an annotation of an implementation can use, looked up as they are used.

    :param implementation: a function or another callable.
    :param parameter: the annotated parameter, for the error of a :class:`ForwardName`.
    """

    def __init__(self, implementation: Callable[..., Any], parameter: str) -> None:
        super().__init__()
        function, owner = _annotated_function(implementation)
        #: the global variables: of the function, and of the class that it constructs
        self.namespaces = _namespaces(function, owner)
        self._implementation = implementation
        self._parameter = parameter
        self._scopes = list(self._find_scopes(function, owner))

    @functools.cached_property
    def _running(self) -> set[str]:
        """The qualified names of the classes whose bodies are running."""
        frames = _frames(self.namespaces)
        return {frame.f_code.co_qualname for frame in frames if _is_class_body(frame)}

    @property
    def module(self) -> str:
        """The name of the module, as classes defined there have it."""
        return str(self.namespaces[-1].get("__name__", "builtins"))

    def is_redefined(self, cls: type) -> bool:
        """Return whether a class of that name is being defined around the implementation.

        The class given is that of a previous run then: of a module that is reloaded, or of a
        notebook cell.
        """
        return cls.__qualname__ in self._running and cls.__module__ == self.module

    def is_to_be_redefined(self, cls: type) -> bool:
        """Return whether a class is that of a previous run, and is defined later in this one."""
        namespace, name = self.namespaces[-1], cls.__qualname__
        outermost = name.partition(".")[0]
        return class_at(namespace, name) is cls and _is_bound_only_later(namespace, outermost)

    def forward_class(self, qualified_name: str) -> ForwardClass:
        """Make the placeholder for a class of this module that is not defined yet."""
        return self._forward_class(qualified_name, self.namespaces[-1])

    def _class_body(self, qualified_name: str) -> Mapping[str, Any] | None:
        """Return the variables of a class body, if it is running."""
        for frame in _frames(self.namespaces):
            if _is_class_body(frame) and frame.f_code.co_qualname == qualified_name:
                return frame.f_locals
        return None

    def __missing__(self, name: str) -> Any:
        value = self._value_of(name)
        if isinstance(value, ModuleType) and any(_frames([value.__dict__])):
            value = _RunningModule(value, self._forward_class)
        self[name] = value
        return value

    def _value_of(self, name: str) -> Any:
        for scope in self._scopes:
            if name in scope:
                return scope[name]
        for namespace in self.namespaces:
            if _is_bound_later(namespace, name):
                return self.forward_class(name)
        raise NameError(f"name {name!r} is not defined", name=name)

    def _forward_class(self, name: str, namespace: dict[str, Any]) -> ForwardClass:
        body = self._class_body(name) if _LOCAL in name else None
        name = f"{namespace.get('__name__', 'builtins')}:{name}"
        return ForwardClass(
            ForwardName(name, self._implementation, self._parameter, namespace, body)
        )

    def _find_scopes(self, function: Any, owner: type | None) -> Iterator[Mapping[str, Any]]:
        qualified_name = getattr(function, "__qualname__", "")
        if owner is not None:
            qualified_name = f"{owner.__qualname__}.{getattr(function, '__name__', '')}"
        outer, local, path = qualified_name.rpartition(_LOCAL)
        around = _running_locals(self.namespaces, outer, path, function) if local else {}
        classes = path.split(".")[:-1]
        outermost, innermost, body = self._classes_around(owner, outer + local, classes, around)
        yield _by_name(getattr(function, "__type_params__", ()))
        yield body
        yield _by_name(body.get("__type_params__", ()))
        yield around
        yield _closure(function)
        if local:
            # A global variable of that name is something else.
            yield outermost
        yield from self.namespaces
        yield outermost
        yield vars(builtins)
        yield innermost

    def _classes_around(
        self, owner: type | None, outer: str, classes: list[str], around: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any], Mapping[str, Any]]:
        """Find the classes that the implementation is nested in.

        :return: the outermost one by name, which is a variable where it is defined; the innermost
          one by name; and the variables of its body.
        """
        if not classes:
            return {}, {}, {}
        within = ".".join(classes)
        cls: Any = owner
        for namespace in [around] if outer else self.namespaces:
            cls = class_at(namespace, within) if cls is None else cls
        body: Mapping[str, Any] = {} if cls is None else vars(cls)
        if owner is None and (running := self._class_body(outer + within)) is not None:
            body, cls = running, self.forward_class(outer + within)
        if cls is None and outer:
            # A class of a function that has returned.
            cls = self.forward_class(outer + within)
        innermost = {} if cls is None else {classes[-1]: cls}
        if len(classes) == 1:
            return innermost, innermost, body
        is_known = not outer and classes[0] not in self._running
        root = {} if is_known else {classes[0]: self.forward_class(outer + classes[0])}
        return root, innermost, body


class _RunningModule:
    """Stands in an annotation for a module that is being imported, as in a circular import."""

    def __init__(
        self, module: ModuleType, forward_class: Callable[[str, dict[str, Any]], ForwardClass]
    ) -> None:
        self._module = module
        self._forward_class = forward_class

    def __getattr__(self, name: str) -> Any:
        namespace = self._module.__dict__
        if name not in namespace and _is_bound_later(namespace, name):
            return self._forward_class(name, namespace)
        return getattr(self._module, name)


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Evaluate the text of an annotation.

    :raises NameError: if it uses a name that is not in ``names``.
    """
    # In parentheses, since it may have several lines.
    code = compile(f"({expression}\n)", "<annotation>", "eval")
    return eval(code, {}, names)


def alias_namespaces(reference: ForwardRef) -> list[dict[str, Any]]:
    """Find the modules that a quoted name within an alias may come from.

    :return: the global variables of all modules that have an alias with this very reference.
    """
    return [
        module.__dict__
        for module in list(sys.modules.values())
        if isinstance(module, ModuleType)
        and any(_is_member(reference, value) for value in list(module.__dict__.values()))
    ]


def _is_member(reference: ForwardRef, value: Any) -> bool:
    if type(value).__module__ not in ("typing", "types"):
        return False
    members = getattr(value, "__args__", ())
    return isinstance(members, tuple) and any(member is reference for member in members)


def _annotated_function(implementation: Any) -> tuple[Any, type | None]:
    """Find the function whose signature an implementation has, as ``inspect`` does.

    :return: the function; and the class it was found in, if it is a method or a constructor.
    """
    owner: type | None = None
    function = implementation
    while True:
        wrapped = None if hasattr(function, "__signature__") else wrapped_by(function)
        if wrapped is not None:
            function = wrapped
        elif isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            holder = function.__self__
            cls = holder if isinstance(holder, type) else type(holder)
            function = function.__func__
            owner = _definer(cls, function)
        elif isinstance(function, type):
            function, owner = _constructor(function)
            return function, owner
        elif isinstance(function, FunctionType):
            return function, owner
        else:
            call = inspect.getattr_static(type(function), "__call__", None)
            call = getattr(call, "__func__", call)
            if not isinstance(call, FunctionType):
                return function, owner
            owner, function = _definer(type(function), call), call


def _constructor(cls: type) -> tuple[Any, type]:
    for base in (type(cls), *cls.__mro__):
        names = ("__call__",) if base is type(cls) else ("__new__", "__init__")
        for name in names:
            function = getattr(vars(base).get(name), "__func__", vars(base).get(name))
            # Built-in methods of PyPy are functions too, with a code object of another class.
            if isinstance(getattr(function, "__code__", None), CodeType):
                return function, base
    return None, cls


def _definer(cls: type, function: Any) -> type | None:
    """Find the base class that has a function as a method."""
    for base in cls.__mro__:
        method = vars(base).get(getattr(function, "__name__", ""))
        if getattr(method, "__func__", method) is function:
            return base
    return None


def _namespaces(function: Any, owner: type | None) -> list[dict[str, Any]]:
    namespaces = [getattr(function, "__globals__", None)]
    module = getattr(function, "__module__", None) if owner is None else owner.__module__
    if owner is not None or namespaces[0] is None:
        # The constructor of a named tuple is made in a namespace of its own.
        namespaces.append(getattr(sys.modules.get(str(module)), "__dict__", None))
    unique = {id(namespace): namespace for namespace in namespaces if namespace is not None}
    return list(unique.values()) or [{}]


def _frames(namespaces: list[dict[str, Any]]) -> Iterator[FrameType]:
    """Go through the calls that are under way in a module, the innermost first."""
    identities = {id(namespace) for namespace in namespaces}
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if id(frame.f_globals) in identities:
            yield frame
        frame = frame.f_back


def _is_class_body(frame: FrameType) -> bool:
    return not _is_function(frame) and frame.f_locals is not frame.f_globals


def _is_function(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)


def _running_locals(
    namespaces: list[dict[str, Any]], outer: str, path: str, function: Any
) -> Mapping[str, Any]:
    """Return the variables of the function around a definition, while it runs.

    A function can be running several times. The right one is in the middle of the definition, in
    a decorator or a class body; or it has the implementation in a variable.

    :param outer: the qualified name of the function around.
    :param path: the name of the definition there; of a method, with those of its classes.
    """
    first = path.partition(".")[0]
    for frame in _frames(namespaces):
        if frame.f_code.co_qualname == outer and (
            _is_defining(frame, frame.f_code, f"{outer}{_LOCAL}{first}")
            or _is_variable(frame.f_locals, path, function)
        ):
            return frame.f_locals
    return {}


def _is_defining(frame: FrameType, code: CodeType, qualified_name: str) -> bool:
    for constant in code.co_consts:
        if not isinstance(constant, CodeType):
            continue
        if constant.co_name.startswith("<generic parameters"):
            if _is_defining(frame, constant, qualified_name):
                return True
        elif constant.co_qualname == qualified_name:
            last = max((line for *_, line in constant.co_lines() if line), default=0)
            if constant.co_firstlineno <= (frame.f_lineno or 0) <= last:
                return True
    return False


def _is_variable(variables: Mapping[str, Any], path: str, function: Any) -> bool:
    first, *attributes = path.split(".")
    value = variables.get(first)
    for attribute in attributes:
        value = vars(value).get(attribute) if isinstance(value, type) else None
    return value is not None and _annotated_function(value)[0] is function


def _closure(function: Any) -> dict[str, Any]:
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    values = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            # Not assigned yet.
            continue
    return values


def _by_name(type_parameters: Any) -> dict[str, Any]:
    return {parameter.__name__: parameter for parameter in type_parameters}


def _is_bound_later(namespace: dict[str, Any], name: str) -> bool:
    """Return whether a module that is running binds a global name in code that has yet to run."""
    return any(
        last > frame.f_lasti
        for frame in _running_modules(namespace)
        for _, last in _places(frame.f_code, name)
    )


def _is_bound_only_later(namespace: dict[str, Any], name: str) -> bool:
    """Return whether a module that is running binds a global name later, and has not done so."""
    for frame in _running_modules(namespace):
        places = _places(frame.f_code, name)
        if places and all(first > frame.f_lasti for first, _ in places):
            return True
    return False


def _running_modules(namespace: dict[str, Any]) -> Iterator[FrameType]:
    for frame in _frames([namespace]):
        if not _is_function(frame) and frame.f_locals is frame.f_globals:
            yield frame


def _places(code: CodeType, name: str) -> list[tuple[int, int]]:
    """List where a module binds a name: by itself, and by an ``import *``."""
    bindings = _bindings(code)
    return [bindings[one] for one in (name, "*") if one in bindings]


@functools.lru_cache(maxsize=1)
def _bindings(code: CodeType) -> dict[str, tuple[int, int]]:
    """Map the names that a module binds to the first and the last place in its code where it does.

    :return: the offsets of two instructions by name; by ``"*"``, those of an ``import *``.
    """
    bindings: dict[str, tuple[int, int]] = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            name = instruction.argval
        elif "IMPORT_STAR" in (instruction.opname, instruction.argrepr.removeprefix("INTRINSIC_")):
            name = "*"
        else:
            continue
        first, _ = bindings.get(name, (instruction.offset, 0))
        bindings[name] = first, instruction.offset
    return bindings
