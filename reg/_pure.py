"""The warm call in Python: what a call of a generic function does when all is known.

This is the one place where every nanosecond counts. It has a twin in C,
``_speedups.c``, with the same names and the same behaviour; ``_calls`` chooses.

For each number of arguments there is a function written out, which does no
more than to find the implicit lookup, its answers for this generic function,
and there the implementation for the arguments' classes. Everything else is
left to the ``general`` function it was made with: calls with keywords, the
first call with a combination of classes, lookups that have to be asked.
"""

from __future__ import annotations

import functools
import linecache
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import CodeType, FunctionType
from typing import Any

from .sentinel import MISSING

__all__ = ["CallTables", "Entries", "ImplicitState", "Remembering", "make_call"]


class Entries:
    """Answers by the identities of classes: a dictionary for each class, one in the other.

    :param depth: the number of classes. If it is none, the only key is 0.
    :param guard: tells whether the answers still hold; ``None`` if they do
      until they are dropped.
    :param abstract: the abstract classes that all answers depend on; here, as
      for those of :meth:`watch`, others notice that their bases have changed.
    """

    __slots__ = ("_depth", "root")

    def __init__(
        self, depth: int, guard: Callable[[], bool] | None, abstract: tuple[type, ...]
    ) -> None:
        self._depth = depth
        self.root: dict[int, Any] = {} if guard is None else _Guarded(guard)

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the answer for these classes, or ``MISSING``."""
        found: Any = self.root
        try:
            for identity in map(id, classes) if classes else (0,):
                found = found[identity]
        except KeyError:
            return MISSING
        return found

    def watch(self, classes: tuple[type, ...]) -> None:
        """Note that an answer for these classes is about to be found.

        Here nothing is noted: changed bases are noticed by others, and later.
        """

    def store(self, classes: tuple[type, ...], answer: Any) -> None:
        """Remember an answer."""
        level = self.root
        identities = [id(cls) for cls in classes] or [0]
        for identity in identities[:-1]:
            # Unlike level[identity], not stopped by a guard.
            below = dict.get(level, identity)
            level = dict.setdefault(level, identity, {}) if below is None else below
        level[identities[-1]] = answer

    def forget(self, identity: int) -> None:
        """Drop every answer for a class, given by its identity."""
        _remove(self.root, identity, self._depth)


class _Guarded(dict[int, Any]):
    """Entries that are not found any more once their guard says no."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Callable[[], bool]) -> None:
        super().__init__()
        self._guard = guard

    def __getitem__(self, identity: int) -> Any:
        if not self._guard():
            raise KeyError(identity)
        return super().__getitem__(identity)


# A class that is not the first of its combinations has to be looked for under
# each first class. Where these are many, forgetting all is cheaper.
_SEARCHED_BRANCHES = 64


def _remove(level: dict[int, Any], identity: int, depth: int) -> None:
    level.pop(identity, None)
    if depth > 1:
        if len(level) > _SEARCHED_BRANCHES:
            level.clear()
        for below in list(level.values()):
            _remove(below, identity, depth - 1)


class _Opened:
    """The entries that warm calls may read, each the attribute of one generic function.

    An attribute whose name is in the code of a call is found in a third of the
    time that a key of a dictionary takes.
    """


def _attribute(identity: int) -> str:
    return f"of_{identity:x}"


class CallTables:
    """The answers of one lookup that warm calls read."""

    __slots__ = ("_entries", "calls", "seen", "watched")

    def __init__(self) -> None:
        self.calls = _Opened()
        self._entries: dict[int, dict[int, Any]] = {}
        #: the lists that are composed, and copies of them from when the answers
        #: were found; None if there are none. Of one list, it and its copy.
        self.watched: list[Any] | None = None
        self.seen: list[Any] | None = None

    def watch(self, lists: list[tuple[list[Any], list[Any]]]) -> None:
        """Have every call compare these lists with their copies."""
        if len(lists) == 1:
            self.seen = lists[0][1]
            self.watched = lists[0][0]
        elif lists:
            self.seen = [copy for _, copy in lists]
            self.watched = [original for original, _ in lists]

    def is_composed_as_seen(self) -> bool:
        """Tell whether the watched lists are as they were."""
        return self.watched is None or self.watched == self.seen

    def open(self, identity: int, entries: Entries) -> None:
        """Let warm calls of a generic function read these entries."""
        self._entries[identity] = entries.root
        setattr(self.calls, _attribute(identity), entries.root)

    def close(self, identity: int) -> None:
        """Let warm calls of a generic function read nothing any more."""
        self._entries.pop(identity, None)
        with suppress(AttributeError):
            delattr(self.calls, _attribute(identity))

    def close_all(self) -> None:
        """Let no warm call read anything any more."""
        self._entries = {}
        self.calls = _Opened()

    def find(self, identity: int) -> Any:
        """Get what answers for no classes at all, under a key given by its identity.

        :raises KeyError: if that has to be looked up.
        """
        if not self.is_composed_as_seen():
            raise KeyError(identity)
        return self._entries[identity][0]


class Remembering:
    """A lookup that keeps call tables, which warm calls find in it."""

    _reg_answers: Any


class ImplicitState:
    """Where warm calls find the implicit lookup.

    :param lookup_class: :class:`reg.Lookup`, for whose methods warm calls stand in.

    A lookup is stored as it is only if warm calls may read its call tables.
    """

    def __init__(self, lookup_class: type) -> None:
        #: the lookup, if it is the same for all threads and contexts, else None
        self._everywhere: Any = None
        self._scoped: ContextVar[Any] = ContextVar("reg.implicit.using", default=None)
        # The attribute of the class is for threads without one of their own.
        self._assigned: Any = type("_Assigned", (threading.local,), {"lookup": None})()

    #: where _values_of_thread() has what is stored for a thread
    _key = "lookup"

    def _values_of_thread(self) -> dict[Any, Any]:
        values: dict[Any, Any] = self._assigned.__dict__
        return values

    def _reassigned(self) -> None:
        """Notice that the values of some thread were changed."""

    def _assign_base(self, stored: Any) -> None:
        type(self._assigned).lookup = stored

    def _assign(self, stored: Any) -> None:
        self._assigned.lookup = stored

    def _scope(self, stored: Any) -> Token[Any]:
        """Store for the running context; the token puts back what was there."""
        return self._scoped.set(stored)

    def _unassign(self) -> None:
        self._assigned.__dict__.pop("lookup", None)

    def _get(self) -> Any:
        """What is stored in the running context, else for this thread, else as the base."""
        scoped = self._scoped.get()
        return self._assigned.lookup if scoped is None else scoped


_TEMPLATE = """\
def make(general, implicit, scoped, assigned, MISSING):
    def call({parameters}*more, **keywords):
        if {unusual}:
            return general({given}, keywords)
        lookup = implicit._everywhere
        if lookup is None:
            lookup = scoped()
            if lookup is None:
                lookup = assigned.lookup
        try:
            answers = lookup._reg_answers
            implementation = answers.calls.of_this{entries}
        except (AttributeError, KeyError):
            pass
        else:
            if answers.watched is None or answers.watched == answers.seen:
                return implementation({arguments})
        return general({given}, keywords)

    return call
"""


def make_call(
    names: tuple[str, ...],
    positions: tuple[int, ...],
    general: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    implicit: ImplicitState,
    only_these: bool,
    class_first: bool,
    code: CodeType | None,
) -> Callable[..., Any]:
    """Make a generic function.

    :param names: the parameters that dispatch, where they can be passed by
      keyword; empty for one that cannot; none at all if all positional do.
    :param positions: where these are among the positional arguments; -1 for
      one that can be passed by keyword only.
    :param general: is called with the positional and the keyword arguments
      of a call that is out of the ordinary.
    :param implicit: where to find the lookup.
    :param only_these: whether a call with more positional arguments is out of
      the ordinary.
    :param class_first: whether the first argument is itself the class.
    :param code: if ``inspect`` is to take it for a coroutine function or a
      generator, the code of one. It is enough to say so: a call returns what
      the implementation does, with nothing in between.
    """
    if -1 in positions:

        def call(*args: Any, **keywords: Any) -> Any:
            return general(args, keywords)

        return _of_kind(call, code)
    make = _maker(positions, only_these, class_first)
    made = _of_kind(
        make(general, implicit, implicit._scoped.get, implicit._assigned, MISSING), code
    )
    own = {"of_this": _attribute(id(made))}
    # With code of its own, each is also specialized by Python for what it calls.
    made.__code__ = made.__code__.replace(
        co_names=tuple(own.get(name, name) for name in made.__code__.co_names)
    )
    return made


def _of_kind(function: Any, code: CodeType | None) -> FunctionType:
    if code is None:
        return function  # type: ignore[no-any-return]
    # Those flags of all there are by which inspect tells what a call returns.
    kinds = 0x20 | 0x80 | 0x200
    flagged = function.__code__.replace(co_flags=function.__code__.co_flags | code.co_flags & kinds)
    # A new one: functions must not change their kind.
    return FunctionType(
        flagged, function.__globals__, None, function.__defaults__, function.__closure__
    )


@functools.cache
def _maker(
    positions: tuple[int, ...], only_these: bool, class_first: bool
) -> Callable[..., FunctionType]:
    names = [f"argument_{index}" for index in range(max(positions, default=-1) + 1)]
    classes = [f"{names[position]}.__class__" for position in positions]
    if class_first and classes:
        classes[0] = names[positions[0]]
    unusual = ["keywords"]
    if only_these:
        unusual.append("more")
    if names:
        unusual.append(f"{names[-1]} is MISSING")
    source = _TEMPLATE.format(
        parameters="".join(f"{name}=MISSING, " for name in names) + ("/, " if names else ""),
        unusual=" or ".join(unusual),
        given=f"({''.join(name + ', ' for name in names)}*more,)",
        entries="".join(f"[id({cls})]" for cls in classes) or "[0]",
        arguments=", ".join(names if only_these else [*names, "*more"]),
    )
    # So that a traceback through the call shows its lines.
    kind = "" if only_these else " or more"
    filename = f"<reg call: {', '.join(classes) or 'no arguments'}{kind}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, filename, "exec"), namespace)
    make: Callable[..., FunctionType] = namespace["make"]
    return make
