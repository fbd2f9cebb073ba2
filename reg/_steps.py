"""The objects that a plan is made of: its steps, decisions, and ``call_next``.

The twin in C is ``_c/plan.h``.
"""

from __future__ import annotations

from types import FunctionType, MethodType

from ._call_code import NOT_GIVEN, code_of_call_next, code_of_step, is_call_next
from ._lock import registry_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable
    from typing import Any

__all__ = ["CallNext", "Deciding", "Decision", "Plan", "Step"]


class _CallNextType(type):
    """The class of :class:`CallNext`, which knows the bound methods that stand in for it."""

    def __instancecheck__(cls, value: object) -> bool:
        if type(value) is MethodType:
            return is_call_next(value)
        return type.__instancecheck__(cls, value)


class CallNext(tuple["Any", ...], metaclass=_CallNextType):
    """The next implementation of a call, given to one with a parameter ``call_next``.

    Called with arguments, it calls the next implementation for the classes of the *original*
    call with them; called without any, with those of the original call. The last one is the
    decorated function. Its truth value says whether an implementation is left before that.

    The idea is ``call-next-method`` of the Common Lisp Object System.
    """

    # A tuple of the next implementation and the arguments of the call, since a tuple is made in
    # half the time of another object.
    __slots__ = ()

    def __new__(
        cls, next: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> CallNext:
        return tuple.__new__(cls, (next, args, keywords))

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        if not args and not keywords:
            next, args, keywords = self
            return next(*args, **keywords) if keywords else next(*args)
        return self[0](*args, **keywords)

    def __bool__(self) -> bool:
        return bool(self[0])

    __eq__ = object.__eq__
    __hash__ = object.__hash__
    __repr__ = object.__repr__


class Step:
    """An implementation with the keywords that a call fills in.

    :param function: the implementation.
    :param lookup: filled in as ``lookup``; ``None`` if it takes none.
    :param next: the callable for ``call_next``; ``None`` if it takes none.
    :param is_end: whether it is the decorated function, at the end of the chain.
    """

    __slots__ = ("_function", "_lookup", "_next", "is_end", "run")

    def __init__(
        self,
        function: Callable[..., Any],
        lookup: Any = None,
        next: Any = None,
        is_end: bool = False,
    ) -> None:
        self._function, self._lookup, self._next = function, lookup, next
        self.is_end = is_end
        #: does the same as a call of the step, in less time: the call of a function is faster
        self.run = _filling_in(function, lookup, next)

    def __bool__(self) -> bool:
        return not self.is_end

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self.run(*args, **keywords)

    def by_position(self, count: int) -> Callable[..., Any]:
        """Make a function for the calls with so many positional arguments and nothing else.

        It takes two thirds of the time of ``run``.
        """
        if self.is_end or count == 0:
            return self.run
        next = self._next
        code = code_of_step(count, self._lookup is not None, next is not None, bool(next))
        if isinstance(next, Step) and not next.is_end:
            next = next.run
        variables = {
            "__name__": __name__,
            "NO_KEYWORDS": {},
            "CallNext": CallNext,
            "bind": MethodType,
            "call_next": None if next is None else _call_next(next, count),
            "function": self._function,
            "lookup": self._lookup,
            "make": tuple.__new__,
            "next": next,
        }
        return FunctionType(code, variables)


def _call_next(next: Any, count: int) -> FunctionType:
    """Make the function of ``call_next`` in a call with so many positional arguments."""
    variables = {"__name__": __name__, "NOT_GIVEN": NOT_GIVEN, "next": next}
    return FunctionType(code_of_call_next(count), variables, None, (NOT_GIVEN,) * count)


def _filling_in(function: Callable[..., Any], lookup: Any, next: Any) -> Callable[..., Any]:
    if lookup is None and next is None:
        return function
    if next is None:

        def run(*args: Any, **keywords: Any) -> Any:
            if "lookup" in keywords:
                return function(*args, **keywords)
            return function(*args, lookup=lookup, **keywords)

        return run
    make = tuple.__new__

    def run_with_next(*args: Any, **keywords: Any) -> Any:
        if keywords or lookup is not None:
            given = {"call_next": make(CallNext, (next, args, keywords)), **keywords}
            if lookup is not None:
                given.setdefault("lookup", lookup)
            return function(*args, **given)
        return function(*args, call_next=make(CallNext, (next, args, keywords)))

    return run_with_next


class Deciding:
    """An object by whose attributes decisions are made; the twin in C counts what is assigned."""


class Decision:
    """The implementation by the values of predicates, computed at every call.

    :param calculations: compute the values from the positional arguments, at least one.
    :param matcher: the ``_root`` of its ``registry`` is another object after each registration.
    :param slow: makes the call if the implementation is not known for the values. It is
      called with them, the positional and the keyword arguments.

    The values are a tuple; of a single calculation, its result.
    """

    __slots__ = ("learn", "run")

    def __init__(
        self,
        calculations: tuple[Callable[..., Any], ...],
        matcher: Any,
        slow: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any],
    ) -> None:
        only = calculations[0] if len(calculations) == 1 else None
        known: dict[Any, Callable[..., Any]] = {}
        root: Any = None

        def run(*args: Any, **keywords: Any) -> Any:
            values = (
                only(*args) if only else tuple([calculate(*args) for calculate in calculations])
            )
            if matcher.registry._root is root:
                try:
                    function = known.get(values)
                except TypeError:
                    # They cannot be hashed.
                    function = None
                if function is not None:
                    return function(*args, **keywords)
            return slow(values, args, keywords)

        def learn(since: Any, values: Any, function: Callable[..., Any], most: int) -> None:
            nonlocal known, root
            with registry_lock:
                if matcher.registry._root is not since:
                    return
                if root is not since or len(known) >= most:
                    # First the table: a call that reads the new root must not read the old table.
                    known = {}
                    root = since
                known[values] = function

        #: does the same as a call of the decision, in less time
        self.run = run
        #: remembers an implementation by the root that it was found by, the values, and how
        #: many values are to be known at most
        self.learn = learn

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self.run(*args, **keywords)


class Plan:
    """All that a call does for one combination of classes; see :mod:`reg._plan`.

    :param call: runs the call; takes its positional and keyword arguments.
    :param first: the first component; ``MISSING`` if there is none, ``UNDECIDED`` if a matcher
      comes first.
    :param all: all components, if they are known and no matcher is among them.
    :param chain: the candidates, where a matcher is among them.
    """

    __slots__ = ("all", "call", "chain", "first", "references")

    def __init__(
        self,
        call: Callable[..., Any],
        first: Any,
        all: tuple[Any, ...] | None = None,
        chain: Any = None,
    ) -> None:
        self.call = call
        self.first = first
        self.all = all
        self.chain: Any = chain
        #: weak references to the classes, which remove the plan from the tables
        self.references: list[weakref.ref[type]] = []
