"""The warm call in Python: what a call of a generic function does when all is known.

This is the one place where every nanosecond counts. It has a twin in C,
``_c/module.c``, with the same names and the same behaviour; ``_fastcall`` chooses.

For each number of arguments there is code written out, which does no more than
to find the implicit lookup, its answers for this generic function, and there the
implementation for the arguments' classes. It looks for the lookup in one place
only: a generic function gets other code at the first call that finds nothing
there. A function of its own does the same for calls with keyword arguments.
Everything else is left to the ``general`` function that both were made with: the
first call with a combination of classes, lookups that have to be asked, defaults.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import CodeType, FunctionType

from ._entries import CallTables, Entries, attribute_of
from ._lock import registry_lock
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CallTables", "Constructing", "Entries", "ImplicitState", "Remembering", "make_call"]

#: The metaclass that constructs as its attribute ``_reg_construction`` says, where
#: there is one. In Python, it is faster to write a call for each class.
Constructing = type


# Whether who writes is about to change which answers count everywhere, or what is
# said of them. What is called in between, such as the handler of a signal, writes
# too, and must not have answers taken again.
_changing = False


def _change(change: Callable[[], object]) -> None:
    """Change which answers count everywhere, with none being taken meanwhile."""
    global _changing
    with registry_lock:
        before = _changing
        try:
            _changing = True
            change()
        finally:
            _changing = before


class Remembering:
    """A lookup that keeps call tables, which warm calls find in it."""

    _reg_answers: Any

    def _reg_remember(self, answers: CallTables) -> None:
        """Remember in these answers from now on, and in no others."""

        def change() -> None:
            before = self.__dict__.get("_reg_answers")
            if before is not None:
                # First, so that an interruption in between does no harm.
                for state in before.taken_by:
                    state._drop()
            self._reg_answers = answers

        _change(change)


class ImplicitState:
    """Where warm calls find the implicit lookup.

    :param lookup_class: :class:`reg.Lookup`, for whose methods warm calls stand in.

    A lookup is stored as it is only if warm calls may read its call tables.
    """

    def __init__(self, lookup_class: type) -> None:
        # The lookup, if it is the same for all threads and contexts, else None.
        self._only: Any = None
        # Its answers, if nothing need be compared to know that they hold; or if
        # lists have to be. At most one of them; both None at any time.
        self._unwatched: Any = None
        self._watched: Any = None
        self._scoped: ContextVar[Any] = ContextVar("reg.implicit.using", default=None)
        # Puts back what _scope() replaced. Nothing of Python, which could be interrupted.
        self._unscope: Callable[[Token[Any]], None] = self._scoped.reset
        # The attribute of the class is for threads without one of their own.
        self._assigned: Any = type("_Assigned", (threading.local,), {"lookup": None})()
        # For each thread the answers that count for it, as long as no context has
        # had a lookup of its own. Of no class of ours, which would take longer.
        self._taken: Any = threading.local()
        self._no_scope_yet = True

    #: where _values_of_thread() has what is stored for a thread
    _key = "lookup"

    def _values_of_thread(self) -> dict[Any, Any]:
        values: dict[Any, Any] = self._assigned.__dict__
        return values

    def _reassigned(self) -> None:
        """Notice that the values of some thread were changed."""
        _change(self._drop)

    @property
    def _everywhere(self) -> Any:
        """The lookup, if it is the same for all threads and contexts, else ``None``."""
        return self._only

    @_everywhere.setter
    def _everywhere(self, lookup: Any) -> None:
        before = self._only

        def change() -> None:
            self._drop()
            self._only = lookup

        _change(change)
        # It may die with this, and do what it likes, now that nothing is held.
        del before

    def _assign_base(self, stored: Any) -> None:
        type(self._assigned).lookup = stored

    def _assign(self, stored: Any) -> None:
        def change() -> None:
            self._taken.__dict__.clear()
            self._assigned.lookup = stored

        _change(change)
        # Calls find them at once, where a program assigns for each request.
        self._take()

    def _scope(self, stored: Any) -> Token[Any]:
        """Store for the running context; the token puts back what was there."""

        def change() -> None:
            # First, so that an interruption in between does no harm.
            self._drop()
            self._no_scope_yet = False

        if self._no_scope_yet:
            _change(change)
        return self._scoped.set(stored)

    def _unassign(self) -> None:
        def change() -> None:
            self._taken.__dict__.clear()
            self._assigned.__dict__.pop("lookup", None)

        _change(change)

    def _get(self) -> Any:
        """What is stored in the running context, else for this thread, else as the base."""
        scoped = self._scoped.get()
        return self._assigned.lookup if scoped is None else scoped

    def _place(self) -> str | None:
        """Find the place, of those in ``_PLACES``, where calls are to look for answers.

        :return: its name; ``None`` as long as nothing is known of what is composed.
        """
        for_all = self._only is not None
        if not for_all and not self._no_scope_yet:
            return "scope"
        answers = self._take()
        if answers is None:
            return None
        if not for_all:
            return "thread"
        return "everywhere" if answers.watched is None else "everywhere, compared"

    def _take(self) -> Any:
        """Have calls take the answers that count for this thread without asking for the lookup.

        :return: the answers; ``None`` if nothing is known of what is composed.
        """
        lookup, answers = self._only, self._unwatched or self._watched
        if lookup is None:
            lookup, answers = self._assigned.lookup, self._taken.__dict__.get("answers")
        if answers is not None:
            return answers
        answers = getattr(lookup, "_reg_answers", None)
        if answers is None or not answers.resolved:
            return None
        with registry_lock:
            if self not in answers.taken_by:
                answers.taken_by += (self,)
            watched = answers.watched is not None
            taken = self._taken.__dict__
            # Nothing is called from here on, so that no signal is handled.
            if not _changing and lookup._reg_answers is answers:
                if self._only is lookup:
                    if watched:
                        self._watched = answers
                    else:
                        self._unwatched = answers
                elif self._only is None and self._no_scope_yet and self._assigned.lookup is lookup:
                    taken["answers"] = answers
        return answers

    def _drop(self) -> None:
        """Have calls take no answers without asking which lookup counts."""
        self._unwatched = self._watched = None
        self._taken = threading.local()


# The places where a call may look for answers, in the order of what that costs: what
# is to be done first, where the answers are, and whether they need be compared. From
# the moment on when it is not right any more to look there, nothing is found.
_PLACES = {
    "everywhere": ([], "implicit._unwatched", "True"),
    "everywhere, compared": (
        ["answers = implicit._watched"],
        "answers",
        "answers.watched == answers.seen",
    ),
    "thread": (
        ["answers = implicit._taken.answers"],
        "answers",
        "answers.watched is None or answers.watched == answers.seen",
    ),
    "scope": (
        [
            "lookup = scoped()",
            "if lookup is None:",
            "    lookup = assigned.lookup",
            "answers = lookup._reg_answers",
        ],
        "answers",
        "answers.watched is None or answers.watched == answers.seen",
    ),
}

_TEMPLATE = """\
def call({parameters}*more, **keywords):
    if not keywords{ordinary}:
        try:
            {first}
            implementation = {answers}.of_this{entries}
        except Exception:
            pass
        else:
            if {condition}:
                return implementation({arguments})
    return otherwise({given}, keywords)
"""


class _NotGiven:
    """Stands for an argument that was left out; there are no answers for its class."""


_NOT_GIVEN = _NotGiven()


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
        # A caller can pass a keyword of any name, an empty one too.
        (position if position >= 0 else sys.maxsize, name or None)
        for position, name in zip(positions, names or [""] * len(positions), strict=True)
    ]
    most = len(positions) if only_these else sys.maxsize
    with_keywords, own = _keyword_calls(sources, most, general, implicit, class_first)
    if -1 in positions:

        def call(*args: Any, **keywords: Any) -> Any:
            return with_keywords(args, keywords)

        # A new one: functions must not change their kind.
        made = FunctionType(
            _of_kind(call.__code__, code), call.__globals__, None, None, call.__closure__
        )
        own.append(attribute_of(id(made)))
        return made
    codes: dict[tuple[str, bool], CodeType] = {}
    omitting = False

    def otherwise(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        nonlocal omitting
        while args and args[-1] is _NOT_GIVEN:
            args = args[:-1]
            omitting = True
        if keywords:
            return with_keywords(args, keywords)
        place = implicit._place()
        if place is not None:
            wanted = codes.get((place, omitting))
            if wanted is None:
                # With code of its own, each is also specialized by Python for what it calls.
                shared = _code(positions, only_these, class_first, place, omitting)
                used = [{"of_this": own[0]}.get(name, name) for name in shared.co_names]
                wanted = _of_kind(shared, code).replace(co_names=tuple(used))
                codes[place, omitting] = wanted
            if made.__code__ is not wanted:
                made.__code__ = wanted
        return general(args, keywords)

    namespace = {
        "__name__": __name__,
        "implicit": implicit,
        "scoped": implicit._scoped.get,
        "assigned": implicit._assigned,
        "otherwise": otherwise,
        "NOT_GIVEN": _NOT_GIVEN,
    }
    first = _of_kind(_code(positions, only_these, class_first, "everywhere", False), code)
    made = FunctionType(first, namespace, None, (_NOT_GIVEN,) * first.co_argcount)
    own.append(attribute_of(id(made)))
    return made


def _keyword_calls(
    sources: list[tuple[int, str | None]],
    most: int,
    general: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    implicit: ImplicitState,
    class_first: bool,
) -> tuple[Callable[[tuple[Any, ...], dict[str, Any]], Any], list[str]]:
    """Make what calls with keyword arguments go to.

    :param sources: for each argument that dispatches, its position and its name,
      if it can be passed by that.
    :param most: how many positional arguments are not out of the ordinary.
    :return: it, and a list that wants the attribute of the generic function.
    """
    from .lookup import is_plain  # which imports this module

    own: list[str] = []
    rest = sources[1:] if class_first else sources

    def with_keywords(args: tuple[Any, ...], keywords: dict[Any, Any]) -> Any:
        given = len(args)
        lookup = keywords.get("lookup", MISSING)
        if lookup is MISSING:
            lookup = implicit._get()
        elif not is_plain(lookup):
            return general(args, keywords)
        try:
            answers = lookup._reg_answers
            found = getattr(answers, own[0])
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


def _of_kind(call: CodeType, code: CodeType | None) -> CodeType:
    if code is None:
        return call
    # Those flags of all there are by which inspect tells what a call returns.
    kinds = 0x20 | 0x80 | 0x200
    return call.replace(co_flags=call.co_flags | code.co_flags & kinds)


@functools.cache
def _code(
    positions: tuple[int, ...], only_these: bool, class_first: bool, place: str, omitting: bool
) -> CodeType:
    """The code of a call, for the generic functions that dispatch alike.

    :param place: where to look for answers.
    :param omitting: whether to look at once if the last argument was left out.
      Otherwise nothing is found for it, which takes longer, but not for others.
    """
    import linecache  # which is long to import

    names = [f"argument_{index}" for index in range(max(positions, default=-1) + 1)]
    classes = [f"{names[position]}.__class__" for position in positions]
    if class_first and classes:
        classes[0] = names[positions[0]]
    ordinary = " and not more" if only_these else ""
    if omitting:
        ordinary += f" and {names[-1]} is not NOT_GIVEN"
    first, answers, condition = _PLACES[place]
    source = _TEMPLATE.format(
        parameters="".join(f"{name}, " for name in names) + ("/, " if names else ""),
        ordinary=ordinary,
        first="\n            ".join(first),
        answers=answers,
        condition=condition,
        entries="".join(f"[{cls}]" for cls in classes) or "[0]",
        arguments=", ".join(names if only_these else [*names, "*more"]),
        given=f"({''.join(name + ', ' for name in names)}*more,)",
    )
    # So that a traceback through the call shows its lines.
    kind = "" if only_these else " or more"
    kind += " or less" if omitting else ""
    filename = f"<reg call: {', '.join(classes) or 'no arguments'}{kind}, {place}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    code: CodeType = compile(source, filename, "exec").co_consts[0]
    return code
