"""A class of a host, whose instances are made by the backend that is chosen."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Collection, Mapping
from typing import Any

from .arguments import HostParameters, read_signature
from .backend import Backend
from .decision import Deciding, Decision
from .docs.signatures import with_keyword
from .fast_path import FastPath
from .selection import Selector
from .state import BackendName, State, leave

__all__ = ["DispatchedClass", "dispatched_class"]

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Attributes of a class that say where it is defined.
_WHERE = ("__module__", "__qualname__", "__doc__", "__firstlineno__", "__static_attributes__")


class DispatchedClass(FastPath):
    """A class of a host that dispatches to backends when it is constructed.

    The host's users get a subclass of the host's own class, with a metaclass that decides
    when it is called. Copies and unpickled instances are not constructed, and stay as they
    are.

    :param cls: the host's own class.
    :raises TypeError: if it cannot be subclassed, or has a parameter with the name of the
      keyword.
    """

    def __init__(
        self,
        selector: Selector,
        name: str,
        keyword: str,
        cls: type,
        deciding: Deciding,
    ) -> None:
        super().__init__(selector, name, keyword, cls, deciding)
        self.signature = _constructor_signature(cls)
        if keyword in self.signature.parameters:
            raise TypeError(
                f"the constructor of {cls.__qualname__} has a parameter {keyword!r}, which is"
                " the keyword that chooses a backend"
            )
        self.parameters = HostParameters(cls, self.signature)
        self.key = self._subclass()
        # Makes an instance of the host's own.
        self._make = functools.partial(type(cls).__call__, self.key)
        #: makes an instance of the chosen class, from the arguments of a construction
        self.construct = self.make_call(self._make, self._construct)

    def _subclass(self) -> type:
        cls: Any = self.function
        parameters = getattr(cls, "__parameters__", ())
        base = cls[parameters] if parameters else cls
        namespace = {name: vars(cls)[name] for name in _WHERE if name in vars(cls)}
        namespace["__qualname__"] = cls.__qualname__
        try:
            return types.new_class(
                cls.__name__,
                (base,),
                {"metaclass": _metaclass(self)},
                lambda body: body.update(namespace, __slots__=()),
            )
        except Exception as error:
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__} cannot dispatch to backends, since it cannot"
                f" be subclassed: {error}"
            ) from error

    def options(self, backend: Backend) -> Collection[str]:
        implementation = backend.read(self.name, None)
        if not isinstance(implementation, type):
            return ()
        return _constructor_signature(implementation).parameters.keys() - set(self.parameters.names)

    def decide_class(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend | None, str] | None = None,
    ) -> Decision:
        """Decide whose class is constructed; the parameters are those of :meth:`decide`.

        :return: the decision; its implementation is a class.
        :raises TypeError: if the backend exports anything else than a class of its own.
        """
        decision = self.decide(state, given, args, keywords, failed)
        backend, implementation = decision.backend, decision.implementation
        if backend is None:
            decision.implementation = self.key
            return decision
        subject = f"{self.name!r} of the backend {backend.name!r}, {backend.origin},"
        if not isinstance(implementation, type):
            raise TypeError(
                f"{subject} must be a class, as it is in the host; it is {implementation!r}"
            )
        if implementation is self.key:
            raise TypeError(
                f"{subject} is the host's class that dispatches to it; export a class of its own"
            )
        if implementation is self.function:
            decision.backend, decision.implementation = None, self.key
            decision.is_fixed = False
            decision.why = "the backend has the host's own"
        return decision

    def _construct(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend | None, str] | None = None,
    ) -> Any:
        """Decide, and make an instance, with the arguments as they are."""
        decision = self.decide_class(state, given, args, keywords, failed)
        self.note(state, decision)
        inside = self.inside(state, given, decision)
        if decision.is_fixed and decision.keywords is keywords:
            shape = (len(args), *keywords) if keywords else len(args)
            self.remember(state, inside, given, decision, shape)
        make = self._make if decision.backend is None else decision.implementation
        variable, token = self.selector.state, None
        try:
            token = variable.set(inside)
            return make(*args, **decision.keywords)
        except BaseException as error:
            if decision.fell_back and decision.passed_over:
                error.add_note(f"{self.name}() is of the host's own class: {decision.reason}")
            raise
        finally:
            leave(variable, token, state)


def dispatched_class(cls: object) -> DispatchedClass | None:
    """Get the record of a class that dispatches to backends; ``None`` for any other object."""
    dispatched = getattr(type(cls), "_reg_dispatched", None)
    return dispatched if isinstance(dispatched, DispatchedClass) and dispatched.key is cls else None


def _metaclass(dispatched: DispatchedClass) -> type:
    """Make a metaclass like the one of the host's class, which decides when it is called."""
    base: Any = type(dispatched.function)
    make, keyword, current = base.__call__, dispatched.keyword, dispatched.selector.state.get

    # The class is the first of the arguments: to put it in front of them takes a third of the time.
    def call(*args: Any, **keywords: Any) -> Any:
        # A class that is derived from it is constructed as ever.
        if not keywords:
            if args[0] is dispatched.key and not current().is_host:
                return dispatched.construct(*args[1:])
            return make(*args)
        if args[0] is dispatched.key and (not current().is_host or keyword in keywords):
            return dispatched.construct(*args[1:], **keywords)
        return make(*args, **keywords)

    def signature(cls: Any) -> inspect.Signature:
        if cls is not dispatched.key:
            # Its own, which inspect would not look for behind a metaclass.
            return _constructor_signature(cls)
        return with_keyword(dispatched.signature, dispatched.keyword)

    namespace = {
        "__call__": call,
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__signature__": property(signature),
        "_reg_dispatched": dispatched,
    }
    return types.new_class(base.__name__, (base,), {}, lambda body: body.update(namespace))


def _constructor_signature(cls: Any) -> inspect.Signature:
    """The signature of a constructor; of any parameters, if it cannot be read."""
    for name, default in (("__init__", object.__init__), ("__new__", object.__new__)):
        method = inspect.getattr_static(cls, name)
        if method is default or method is object.__dict__[name]:
            continue
        method = getattr(method, "__func__", method)
        try:
            signature = read_signature(method)
        except (TypeError, ValueError):
            break
        return signature.replace(parameters=list(signature.parameters.values())[1:])
    else:
        return inspect.Signature()
    return read_signature(lambda *args, **keywords: None)
