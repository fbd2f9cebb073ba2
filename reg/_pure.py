"""The warm call in Python: what a call of a generic function does when all is known.

This is the one place where every nanosecond counts. It has a twin in C,
``_speedups.c``, with the same names and the same behaviour; ``_calls`` chooses.

For each number of arguments there is a function written out, which does no
more than to find the implicit lookup, its answers for this generic function,
and there the implementation for the arguments' classes. Another one does the
same for calls with keyword arguments. Everything else is left to the ``general``
function that both were made with: the first call with a combination of classes,
lookups that have to be asked, defaults.
"""

from __future__ import annotations

import functools
import gc
import linecache
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from types import CodeType, FunctionType
from typing import Any

from .sentinel import MISSING

__all__ = ["CallTables", "Constructing", "Entries", "ImplicitState", "Remembering", "make_call"]

#: The metaclass that constructs as its attribute ``_reg_construction`` says, where
#: there is one. In Python, it is faster to write a call for each class.
Constructing = type


class Entries:
    """Answers by classes, none of which is kept alive by it.

    :param depth: the number of classes.
    :param guard: tells whether the answers still hold; ``None`` if they do
      until they are dropped.
    :param abstract: the abstract classes that all answers depend on; here, as
      for those of :meth:`watch`, others notice that their bases have changed.

    The answers are found by the identities of the classes, together with weak
    references to these, so that no class is taken for another that had its
    address. Warm calls find them faster: by the classes themselves, until these
    are let go before the garbage collector looks for what nobody needs.
    """

    __slots__ = ("__weakref__", "_depth", "_guard", "_identified", "_references", "opened")

    def __init__(
        self, depth: int, guard: Callable[[], bool] | None, abstract: tuple[type, ...]
    ) -> None:
        self._depth = depth
        self._guard = guard
        # For each identity the next, and for the last the answer.
        self._identified: dict[int, Any] = {}
        self._references: dict[int, weakref.ref[type]] = {}
        #: what warm calls read, a dictionary for each class, one in the other;
        #: ``None`` if none do. If there are no classes, the only key is 0.
        self.opened: dict[Any, Any] | None = None

    def open(self) -> dict[Any, Any]:
        """Let warm calls read what is stored from now on."""
        self.opened = {} if self._guard is None else _Guarded(self._guard)
        identity = id(self)
        _all_opened[identity] = weakref.ref(self, functools.partial(_all_opened.pop, identity))
        return self.opened

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the answer for these classes, or ``MISSING``."""
        found: Any = self.opened
        if found:
            # As warm calls do it; whatever goes wrong there is no matter here.
            try:
                for key in classes or (0,):
                    found = found[key]
            except Exception:
                found = MISSING
            if found is not MISSING:
                return found
        if self._guard is not None and not self._guard():
            return MISSING
        found = self._identified
        try:
            for cls in classes:
                if self._references[id(cls)]() is not cls:
                    return MISSING
                found = found[id(cls)]
            if not classes:
                found = found[0]
        except KeyError:
            return MISSING
        if self.opened is not None:
            self._show(self.opened, classes, found)
        return found

    def watch(self, classes: tuple[type, ...]) -> None:
        """Note that an answer for these classes is about to be found.

        Here nothing is noted: changed bases are noticed by others, and later.
        """

    def store(self, classes: tuple[type, ...], answer: Any) -> None:
        """Remember an answer."""
        for cls in classes:
            reference = self._references.get(id(cls))
            if reference is None or reference() is not cls:
                self.forget(id(cls))
                self._references[id(cls)] = weakref.ref(cls)
        _store(self._identified, [id(cls) for cls in classes] or [0], answer)
        if self.opened is not None:
            self._show(self.opened, classes, answer)

    def forget(self, identity: int) -> None:
        """Drop every answer for a class, given by its identity."""
        _remove(self._identified, identity, self._depth)
        reference = self._references.pop(identity, None)
        if reference is not None and (cls := reference()) is not None and self.opened:
            _remove(self.opened, cls, self._depth)

    def _show(self, opened: dict[Any, Any], classes: tuple[type, ...], answer: Any) -> None:
        if all(map(_is_equal_to_itself_only, classes)):
            _store(opened, classes or (0,), answer)


def _store(level: dict[Any, Any], keys: Sequence[Any], answer: Any) -> None:
    for key in keys[:-1]:
        # Unlike level[key], not stopped by a guard.
        below = dict.get(level, key)
        level = dict.setdefault(level, key, {}) if below is None else below
    level[keys[-1]] = answer


# A class that is not the first of its combinations has to be looked for under
# each first class. Where these are many, forgetting all is cheaper.
_SEARCHED_BRANCHES = 64


def _remove(level: dict[Any, Any], key: Any, depth: int) -> None:
    level.pop(key, None)
    if depth > 1:
        if len(level) > _SEARCHED_BRANCHES:
            level.clear()
        for below in list(level.values()):
            _remove(below, key, depth - 1)


def _is_equal_to_itself_only(cls: type) -> bool:
    """Tell whether a dictionary finds a class for no other one, and without calling anybody."""
    metaclass: Any = type(cls)
    return metaclass.__eq__ is object.__eq__ and metaclass.__hash__ is object.__hash__


class _Guarded(dict[Any, Any]):
    """Entries that are not found any more once their guard says no."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Callable[[], bool]) -> None:
        super().__init__()
        self._guard = guard

    def __getitem__(self, key: Any) -> Any:
        if not self._guard():
            raise KeyError(key)
        return super().__getitem__(key)


#: the entries that warm calls read, by their identities
_all_opened: dict[int, weakref.ref[Entries]] = {}

# Classes refer to themselves, so that only the garbage collector frees them, and
# those that have been there for a while when it looks at the oldest generation.
# From Python 3.14 on, it looks at a part of these in each of its steps.
_OLD_GENERATION = 1 if sys.version_info >= (3, 14) else 2


def _let_go(phase: str, info: dict[str, int]) -> None:
    """Before the garbage collector frees classes: let it have those that only warm calls know."""
    if info["generation"] >= _OLD_GENERATION and phase == "start":
        for reference in list(_all_opened.values()):
            if (entries := reference()) is not None and entries.opened:
                entries.opened.clear()


gc.callbacks.append(_let_go)


class _Opened:
    """The entries that warm calls may read, each the attribute of one generic function.

    An attribute whose name is in the code of a call is found in a third of the
    time that a key of a dictionary takes.
    """


def _attribute(identity: int) -> str:
    return f"of_{identity:x}"


class CallTables:
    """The answers of one lookup that warm calls read."""

    __slots__ = ("_opened", "calls", "seen", "watched")

    def __init__(self) -> None:
        self.calls = _Opened()
        self._opened: dict[int, dict[Any, Any]] = {}
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
        self._opened[identity] = opened = entries.open()
        setattr(self.calls, _attribute(identity), opened)

    def close(self, identity: int) -> None:
        """Let warm calls of a generic function read nothing any more."""
        self._opened.pop(identity, None)
        with suppress(AttributeError):
            delattr(self.calls, _attribute(identity))

    def close_all(self) -> None:
        """Let no warm call read anything any more."""
        self._opened = {}
        self.calls = _Opened()

    def find(self, identity: int) -> Any:
        """Get what answers for no classes at all, under a key given by its identity.

        :raises KeyError: if that has to be looked up.
        """
        if not self.is_composed_as_seen():
            raise KeyError(identity)
        return self._opened[identity][0]


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
        # Whether any context ever had a lookup of its own: to ask it takes long.
        self._has_scopes = False
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
        self._has_scopes = True
        return self._scoped.set(stored)

    def _unassign(self) -> None:
        self._assigned.__dict__.pop("lookup", None)

    def _get(self) -> Any:
        """What is stored in the running context, else for this thread, else as the base."""
        scoped = self._scoped.get()
        return self._assigned.lookup if scoped is None else scoped


_TEMPLATE = """\
def make(general, with_keywords, implicit, scoped, assigned, MISSING):
    def call({parameters}*more, **keywords):
        if keywords:
            return with_keywords({given}, keywords)
        if {unusual}:
            return general({given}, keywords)
        lookup = implicit._everywhere
        if lookup is None:
            if implicit._has_scopes:
                lookup = scoped()
            if lookup is None:
                lookup = assigned.lookup
        try:
            answers = lookup._reg_answers
            implementation = answers.calls.of_this{entries}
        except Exception:
            pass
        else:
            watched = answers.watched
            if watched is None or watched == answers.seen:
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
    sources = [
        (position if position >= 0 else sys.maxsize, name)
        for position, name in zip(positions, names or [""] * len(positions), strict=True)
    ]
    most = len(positions) if only_these else sys.maxsize
    with_keywords, own = _keyword_calls(sources, most, general, implicit, class_first)
    if -1 in positions:

        def call(*args: Any, **keywords: Any) -> Any:
            return with_keywords(args, keywords)

        made = _of_kind(call, code)
        own.append(_attribute(id(made)))
        return made
    make = _maker(positions, only_these, class_first)
    made = _of_kind(
        make(general, with_keywords, implicit, implicit._scoped.get, implicit._assigned, MISSING),
        code,
    )
    own.append(_attribute(id(made)))
    # With code of its own, each is also specialized by Python for what it calls.
    made.__code__ = made.__code__.replace(
        co_names=tuple({"of_this": own[0]}.get(name, name) for name in made.__code__.co_names)
    )
    return made


def _keyword_calls(
    sources: list[tuple[int, str]],
    most: int,
    general: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    implicit: ImplicitState,
    class_first: bool,
) -> tuple[Callable[[tuple[Any, ...], dict[str, Any]], Any], list[str]]:
    """Make what calls with keyword arguments go to.

    :param sources: for each argument that dispatches, its position and its name.
    :param most: how many positional arguments are not out of the ordinary.
    :return: it, and a list that wants the attribute of the generic function.
    """
    from .lookup import is_plain  # which imports this module

    own: list[str] = []
    rest = sources[1:] if class_first else sources

    def with_keywords(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        while args and args[-1] is MISSING:
            args = args[:-1]
        given = len(args)
        lookup = keywords.get("lookup", MISSING)
        if lookup is MISSING:
            lookup = implicit._get()
        elif not is_plain(lookup):
            return general(args, keywords)
        try:
            answers = lookup._reg_answers
            found = getattr(answers.calls, own[0])
            if class_first:
                position, name = sources[0]
                found = found[args[position] if position < given else keywords[name]]
            for position, name in rest:
                argument = args[position] if position < given else keywords[name]
                found = found[argument.__class__]
            if not sources:
                found = found[0]
        except Exception:
            pass
        else:
            watched = answers.watched
            composed = watched is None or watched == answers.seen
            if composed and given <= most and "default" not in keywords:
                keywords.pop("lookup", None)
                return found(*args, **keywords)
        return general(args, keywords)

    return with_keywords, own


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
    unusual = ["more"] if only_these else []
    if names:
        unusual.append(f"{names[-1]} is MISSING")
    source = _TEMPLATE.format(
        parameters="".join(f"{name}=MISSING, " for name in names) + ("/, " if names else ""),
        unusual=" or ".join(unusual) or "False",
        given=f"({''.join(name + ', ' for name in names)}*more,)",
        entries="".join(f"[{cls}]" for cls in classes) or "[0]",
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
