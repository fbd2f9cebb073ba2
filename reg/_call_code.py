"""The code of a generic function in Python: one template, filled in for its dispatch parameters.

Functions that dispatch alike share a code object. It has no names of its own, but those that
``_fastcall_py.make_call()`` puts into the global variables of each function.
"""

from __future__ import annotations

import functools
import linecache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Final

    from ._dispatch_spec import DispatchSpec

__all__ = ["NOT_GIVEN", "code_of_call"]


class _NotGiven:
    """The default of each parameter."""


NOT_GIVEN: Final = _NotGiven()


_TEMPLATE: Final = """\
def call({parameters}*more, **keywords):
    if not keywords and {plain}True:
        # Most calls. The rest of the code does the same for all others.
        try:
            if plain is not None:
                implementation = plain{keys}
            else:
                tables = fast
                if tables is None:
                    lookup = scoped()
                    if lookup is None:
                        lookup = assigned.slot.lookup
                    tables = lookup._reg_cache.calls[own]
                implementation = tables[0]{keys}
                if tables[1] is not None and not tables[1]():
                    raise LookupError
        except Exception:
            pass
        else:
            return implementation({arguments})
    elif {ordinary}:
        try:
            if "lookup" in keywords:
                lookup = keywords["lookup"]
                tables = lookup._reg_cache.calls[own] if type(lookup) in own_lookups else NOTHING
            else:
                tables = fast
            if tables is None:
                lookup = scoped()
                if lookup is None:
                    lookup = assigned.slot.lookup
                tables = lookup._reg_cache.calls[own]
{bind}            implementation = tables[0]{keys}
{descend}            if tables[1] is not None and not tables[1]():
                raise LookupError
        except Exception:
            pass
        else:
            if keywords:
                if "default" in keywords:
                    return or_default(implementation, {given}, keywords)
                keywords.pop("lookup", None)
                if keywords:
                    return implementation({with_keywords})
            return implementation({arguments})
    return slow({given}, keywords)
"""

# Fills in the parameters that were left out, from the keywords and the defaults; unless
# something is registered for fewer arguments, which the slow path knows. That has to be known
# first: the slow path could not tell an argument that was filled in from one that was given.
_BIND: Final = """\
            if {last} is NOT_GIVEN:
                if tables[3] & {fewer} or not (tables[1] is None or tables[1]()):
                    raise LookupError
"""
_BIND_ONE: Final = """\
                if {name} is NOT_GIVEN:
                    {name} = keywords.pop(keyword_{index}, default_{index})
"""
_REQUIRE_ONE: Final = """\
                    if {name} is NOT_GIVEN:
                        raise LookupError
"""

# Finds the tables for this number of arguments, where any number dispatches, and the call.
_CHOOSE: Final = """\
            tables = tables[0][len(more)]
"""
_DESCEND: Final = """\
            for argument in more:
                implementation = implementation[id(argument.__class__)]
"""


def code_of_call(spec: DispatchSpec) -> CodeType:
    """Return the code of the calls of a generic function, without the flags of its kind."""
    if spec.collects:
        return _code_to_collect(spec.class_first)
    binds = spec.binds or bool(spec.names)
    return _code(spec.positions, spec.class_first, not spec.names, binds)


@functools.cache
def _code(positions: tuple[int, ...], class_first: bool, only_these: bool, binds: bool) -> CodeType:
    """The code of a call, shared by all generic functions that dispatch alike.

    :param positions: the positions of the arguments that dispatch; -1 for one that can be passed
      by keyword only, with which there is no fast path.
    :param class_first: whether the first argument is itself the class.
    :param only_these: whether there is no fast path for more positional arguments.
    :param binds: whether parameters may be left out, or passed by keyword.
    """
    by_keyword_only = -1 in positions
    if by_keyword_only:
        positions = positions[:0]
    names = [f"argument_{index}" for index in range(max(positions, default=-1) + 1)]
    given = f"{names[-1]} is not NOT_GIVEN" if names else "True"
    classes = [f"{names[position]}.__class__" for position in positions]
    if class_first and classes:
        classes[0] = classes[0].removesuffix(".__class__")
    conditions = ["not more"] if only_these else []
    # Without arguments to bind, a missing one is a miss like any other.
    plain = [*conditions, given] if binds else list(conditions)
    if names and not binds:
        conditions.append(given)
    if by_keyword_only:
        conditions = plain = ["False"]
    bind = ""
    if names and binds:
        bind = _BIND.format(last=names[-1], fewer=(1 << len(names)) - 1 if only_these else 0)
        for index, name in enumerate(names):
            bind += _BIND_ONE.format(name=name, index=index)
            bind += "" if index in positions else _REQUIRE_ONE.format(name=name)
    arguments = ", ".join(names if only_these else [*names, "*more"])
    with_keywords = ", ".join([*([arguments] if arguments else []), "**keywords"])
    source = _TEMPLATE.format(
        parameters="".join(f"{name}, " for name in names) + ("/, " if names else ""),
        plain="".join(f"{condition} and " for condition in plain),
        ordinary=" and ".join(conditions) or "True",
        bind=bind,
        keys="".join(f"[id({cls})]" for cls in classes) or "[0]",
        arguments=arguments,
        with_keywords=with_keywords,
        given=f"({''.join(name + ', ' for name in names)}*more,)",
        descend="",
    )
    return _compiled(source, f"<reg call: {', '.join(classes) or 'no arguments'}>")


@functools.cache
def _code_to_collect(class_first: bool) -> CodeType:
    """The code of a call with any number of arguments, all of which dispatch."""
    first = "[id(more[0])]" if class_first else ""
    source = _TEMPLATE.format(
        parameters="",
        plain="False and ",
        ordinary="True",
        bind=_CHOOSE,
        keys=f"{first} if more else tables[0][0]",
        descend=_DESCEND.replace("more", "more[1:]" if class_first else "more"),
        arguments="*more",
        with_keywords="*more, **keywords",
        given="more",
    )
    return _compiled(source, f"<reg call: any arguments{', of a class' if class_first else ''}>")


def _compiled(source: str, filename: str) -> CodeType:
    # For tracebacks through the call, which show its lines.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    code: CodeType = compile(source, filename, "exec").co_consts[0]
    return code
