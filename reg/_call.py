"""The warm call: what a call of a generic function does when all is known.

This is the one place where every nanosecond counts. For each number of
arguments there is a function written out, which does no more than to find the
implicit lookup, its answers for this generic function, and there the
implementation for the arguments' classes. Everything else is left to the
``general`` function it was made with: calls with keywords, the first call
with a combination of classes, lookups that have to be asked.
"""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from .implicit import implicit
from .sentinel import MISSING

__all__ = ["make_call"]

_TEMPLATE = """\
def make(general, identity_of, implicit, scoped, assigned, MISSING):
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
            implementation = answers.calls[identity]{entries}
        except (AttributeError, KeyError):
            pass
        else:
            if answers.watched is None or answers.watched == answers.seen:
                return implementation({arguments})
        return general({given}, keywords)

    identity = identity_of(call)
    return call
"""


def make_call(
    positions: tuple[int, ...] | None,
    general: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    *,
    only_these: bool,
    class_first: bool,
    kind: int = 0,
) -> Callable[..., Any]:
    """Make a generic function.

    :param positions: the positional arguments that dispatch; ``None`` if one
      that does can only be passed by keyword.
    :param general: is called with the positional and the keyword arguments
      of a call that is out of the ordinary.
    :param only_these: whether a call with more positional arguments is one.
    :param class_first: whether the first argument is itself the class.
    :param kind: flags of a code object, by which :mod:`inspect` tells coroutine
      functions and generators from others. It is enough to say so: a call
      returns what the implementation does, with nothing in between.
    """
    if positions is None:

        def call(*args: Any, **keywords: Any) -> Any:
            return general(args, keywords)

        return FunctionType(_of_kind(call.__code__, kind), globals(), None, None, call.__closure__)
    make = _maker(positions, only_these, class_first, kind)
    function: Callable[..., Any] = make(
        general, id, implicit, implicit._scoped.get, implicit._assigned, MISSING
    )
    return function


@functools.cache
def _maker(
    positions: tuple[int, ...], only_these: bool, class_first: bool, flags: int
) -> Callable[..., Callable[..., Any]]:
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
        given=f"({', '.join(names)}, *more)" if names else "more",
        entries="".join(f"[id({cls})]" for cls in classes) or "[0]",
        arguments=", ".join(names if only_these else [*names, "*more"]),
    )
    # So that a traceback through the call shows its lines.
    kind = "" if only_these else "or more "
    filename = f"<reg call: {', '.join(classes) or 'no arguments'} {kind}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, filename, "exec"), namespace)
    make: FunctionType = namespace["make"]
    if flags:
        constants = make.__code__.co_consts
        make.__code__ = make.__code__.replace(
            co_consts=tuple(_of_kind(c, flags) if isinstance(c, CodeType) else c for c in constants)
        )
    return make


def _of_kind(code: CodeType, kind: int) -> CodeType:
    return code.replace(co_flags=code.co_flags | kind) if kind else code
