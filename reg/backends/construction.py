"""A host's class, an instance of which is made by the backend that is chosen."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from reg._fastcall import Constructing
from reg.sentinel import MISSING

from .._signatures import signature_with_deferred
from .decision import Decision, Dispatched
from .routing import Layout, compiled
from .selection import BackendName, Selection, State
from .signatures import with_keyword

__all__ = ["Class", "dispatched_class"]

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Attributes of a class that say where it is defined.
_WHERE = ("__module__", "__qualname__", "__doc__", "__firstlineno__", "__static_attributes__")


class Class(Dispatched):
    """A class of a host that dispatches to backends when it is constructed.

    What the host's users get is a subclass of the host's own class, with a
    metaclass that decides when it is called. Copies and unpickled instances are
    not constructed, and stay what they are.

    :param cls: the host's own class.
    :raises TypeError: if it cannot be subclassed, or has a parameter that is
      called like the keyword.
    """

    def __init__(self, selection: Selection, name: str, keyword: str, cls: type) -> None:
        self.signature = _constructor(cls)
        named = [p for p in self.signature.parameters.values() if p.kind not in _VARIADIC]
        if any(p.name == keyword for p in self.signature.parameters.values()):
            raise TypeError(
                f"the constructor of {cls.__qualname__} has a parameter {keyword!r}, which is what"
                " chooses a backend"
            )
        layout = Layout.of(inspect.Signature([p.replace(default=None) for p in named]))
        variadic = any(p.kind is p.VAR_KEYWORD for p in self.signature.parameters.values())
        super().__init__(selection, name, keyword, cls, layout._replace(variadic=variadic))
        #: makes an instance of the host's class
        self.make: Callable[..., Any] = type(cls).__call__
        if self.make is Constructing.__call__:
            # Derived from a class that dispatches, which is another matter.
            self.make = type.__call__
        self.key = self._subclass()

    def _subclass(self) -> type:
        cls: Any = self.function
        parameters = getattr(cls, "__parameters__", ())
        base = cls[parameters] if parameters else cls
        namespace = {name: vars(cls)[name] for name in _WHERE if name in vars(cls)}
        namespace["__qualname__"] = cls.__qualname__
        try:
            metaclass: Any = _metaclass(self)
            subclass = types.new_class(
                cls.__name__,
                (base,),
                {"metaclass": metaclass},
                lambda body: body.update(namespace, __slots__=()),
            )
        except Exception as error:
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__} cannot dispatch to backends, since it cannot"
                f" be subclassed: {error}"
            ) from error
        # For Constructing, which constructs any other class as ever.
        state = self.selection.state
        metaclass._reg_construction = (state, subclass, self.keyword, self.called)
        return subclass

    def called(self, cls: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Construct the host's class, or one that is derived from it.

        :param keywords: may be changed.
        """
        if cls is not self.key:
            return self.make(cls, *args, **keywords)
        given = keywords.pop(self.keyword, None)
        if given is None and self.selection.state.get().host:
            return self.make(cls, *args, **keywords)
        return self.construct(given, args, keywords)

    def values(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments by the host's parameters, as far as they fit, else ``MISSING``."""
        names = self.layout.names
        bound: dict[str, Any] = {n: value for n, value in keywords.items() if n in names}
        # If they do not fit, whatever is constructed will say so; a backend may take more.
        with suppress(TypeError):
            bound = self.signature.bind_partial(*args, **bound).arguments
        return tuple(bound.get(name, MISSING) for name in names)

    def decided(
        self,
        state: State,
        given: BackendName | None,
        values: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> tuple[Decision, dict[str, Any]]:
        """Decide whose class to construct.

        :param values: as :meth:`values` gives them; of no meaning where the
          arguments do not decide.
        :return: the decision, and the keyword arguments to construct it with.
        :raises TypeError: if the backend exports something that will not do.
        """
        names = self.layout.names
        extra = {name: value for name, value in keywords.items() if name not in names}
        decision = self.decide(state, given, values, extra)
        if "strict" in extra and "strict" not in decision.extra:
            keywords = {name: value for name, value in keywords.items() if name != "strict"}
        backend, found = decision.backend, decision.implementation
        if backend is not None:
            what = f"{self.name!r} of the backend {backend.name!r}, {backend.origin},"
            if not isinstance(found, type):
                raise TypeError(f"{what} must be a class, as it is in the host; it is {found!r}")
            if found is self.key:
                raise TypeError(
                    f"{what} is the host's class that dispatches to it; export a class of its own"
                )
            if found is self.function:
                decision = decision._replace(backend=None, reason="the backend has the host's own")
        return decision, keywords

    def construct(
        self, given: BackendName | None, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        """Make an instance of the chosen backend's class, with the arguments as they are."""
        variable = self.selection.state
        state = variable.get()
        selection = self.selection
        choice = selection.choice(state) if given is None else selection.resolve(given)
        values = self.values(args, keywords) if choice.asks_for_arguments else ()
        decision, keywords = self.decided(state, given, values, keywords)
        self.note(state, decision)
        inside, token = self.inside(state, given, decision), None
        try:
            token = variable.set(inside)
            if decision.backend is None:
                return self.make(self.key, *args, **keywords)
            return decision.implementation(*args, **keywords)
        finally:
            if token is None:
                # Interrupted when it may have been set already.
                variable.set(state)
            else:
                variable.reset(token)


def dispatched_class(cls: object) -> Class | None:
    """What is known of a class that dispatches to backends; ``None`` for any other."""
    found = getattr(type(cls), "_reg_dispatched", None)
    return found if isinstance(found, Class) and found.key is cls else None


def _metaclass(dispatched: Class) -> type:
    """A metaclass like that of the host's class, which decides when it is called."""
    base: Any = type(dispatched.function)

    def signature(cls: Any) -> inspect.Signature:
        if cls is not dispatched.key:
            # Its own, which inspect would not look for behind a metaclass.
            return _constructor(cls)
        return with_keyword(dispatched.signature, dispatched.keyword)

    namespace = {
        "__signature__": property(signature),
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "_reg_dispatched": dispatched,
    }
    bases: tuple[type, ...] = (base,)
    if Constructing is type or dispatched.make is not type.__call__:
        namespace["__call__"] = _make_call(dispatched)
    elif not issubclass(base, Constructing):
        bases = (Constructing,) if base is type else (Constructing, base)
    return types.new_class(base.__name__, bases, {}, lambda body: body.update(namespace))


def _make_call(dispatched: Class) -> Callable[..., Any]:
    """The ``__call__`` of the metaclass.

    What ``type.__call__`` does for a class with a plain ``__init__``, it does
    itself, if the arguments are positional: it is slow to be called from here.
    """
    cls: Any = dispatched.function
    init = inspect.getattr_static(cls, "__init__")
    plain = (
        dispatched.make is type.__call__
        and inspect.getattr_static(cls, "__new__") is object.__dict__["__new__"]
        and isinstance(init, types.FunctionType)
        and cls.__getattribute__ is object.__getattribute__
    )
    count = dispatched.layout.positional if plain else 0
    variables = [f"_reg_{index}" for index in range(count)]
    body = []
    if plain:
        body += [
            "if not _reg_keywords and not _reg_args and _reg_cls is _reg_dispatched.key"
            " and _reg_now().host:",
            "    _reg_self = _reg_new(_reg_cls)",
        ]
        for index in range(count, -1, -1):
            test = f"if {variables[index - 1]} is not _reg_missing" if index else "else"
            test = test if index in (0, count) else f"el{test}"
            given = ", ".join(variables[:index])
            body.append(f"    {test if count else 'if True'}:")
            body.append(f"        _reg_result = _reg_self.__init__({given})")
        body += [
            "    if _reg_result is None: return _reg_self",
            "    raise TypeError('__init__() should return None, not'"
            " f' {type(_reg_result).__name__!r}')",
        ]
    given = f"({', '.join([*variables, '*_reg_args'])},)"
    body.append(f"return _reg_construct(_reg_cls, {given}, _reg_keywords)")
    parameters = ["_reg_cls", *(f"{variable}=_reg_missing" for variable in variables), "/"]

    def construct(cls: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        # Not by ``in``, which would compare what the caller gave: arrays, perhaps.
        while args and args[-1] is MISSING:
            args = args[:-1]
        return dispatched.called(cls, args, keywords)

    names = {
        "_reg_construct": construct,
        "_reg_dispatched": dispatched,
        "_reg_missing": MISSING,
        "_reg_new": object.__new__,
        "_reg_now": dispatched.selection.state.get,
    }
    return compiled("__call__", (*parameters, "*_reg_args", "**_reg_keywords"), body, names)


def _constructor(cls: Any) -> inspect.Signature:
    """The parameters of a constructor; any, if it does not tell."""
    for name, plain in (("__init__", object.__init__), ("__new__", object.__new__)):
        method = inspect.getattr_static(cls, name)
        if method is plain or method is object.__dict__[name]:
            continue
        method = getattr(method, "__func__", method)
        try:
            signature = signature_with_deferred(method)
        except (TypeError, ValueError):
            break
        return signature.replace(parameters=list(signature.parameters.values())[1:])
    else:
        return inspect.Signature()
    return signature_with_deferred(lambda *args, **keywords: None)
