"""The code of calls in Python: templates, filled in for the dispatch parameters.

One is for the call of a generic function, one for a step of its plan. Functions that dispatch alike
share a code object. Its names are the global variables that each function has for itself, see
``_fastcall_py.make_call()`` and ``_steps.Step.by_position()``.
"""

from __future__ import annotations

import functools
import linecache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, MethodType
    from typing import Final

    from ._dispatch_spec import DispatchSpec

__all__ = ["NOT_GIVEN", "code_of_call", "code_of_call_next", "code_of_step", "is_call_next"]


class _NotGiven:
    """The default of each parameter."""


NOT_GIVEN: Final = _NotGiven()


# In a line of its own, a name in capitals stands for the lines of that name.
_TEMPLATE: Final = """\
def call({parameters}*more, lookup, **keywords):
    if not keywords and {plain}:
        # Most calls. The rest of the code does the same for all others.
        try:
            if lookup is NOT_GIVEN:
                if plain is not None:
                    implementation = plain{classes}
                elif in_scopes:
                    implementation = scoped()._reg_calls[own][0]{classes}
                elif checked is not None:
                    # The check is read first: calls that are published later are valid.
                    originals, snapshots, guard = check_of_checked
                    implementation = checked{classes}
                    COMPARE
                elif known is not None:
                    implementation = known{identities}.call
                elif fast is None:
                    FIND_LOOKUP
                    FIND_IN_LOOKUP
                else:
                    tables = fast
                    FIND_CALL
            else:
                current = lookup if type(lookup) in own_lookups else None
                FIND_IN_LOOKUP
        except Exception:
            pass
        else:
            return implementation({arguments})
    elif {ordinary}:
        try:
            if lookup is NOT_GIVEN:
                tables = fast
                if tables is None:
                    FIND_LOOKUP
                    tables = current._reg_calls[own]
            else:
                tables = lookup._reg_calls[own] if type(lookup) in own_lookups else NOTHING
            BIND
            FIND_PLAN
            check = tables[3]
            CHECK
        except Exception:
            pass
        else:
            if keywords:
                if "default" in keywords:
                    return or_default(plan, {given}, lookup, keywords)
                return plan.call({with_keywords})
            return plan.call({arguments})
    return slow({given}, lookup, keywords)
"""

# Finds the lookup of the running context, else of this thread, else of all threads.
_FIND_LOOKUP: Final = """\
if (current := scoped()) is None and (current := base.alone) is None:
    current = assigned.slot.lookup
"""

# Finds the function for the classes in that lookup.
_FIND_IN_LOOKUP: Final = """\
if unchecked:
    implementation = current._reg_calls[own][0]{classes}
else:
    tables = current._reg_calls[own]
    FIND_CALL
"""

# Finds the function for the classes in the tables.
_FIND_CALL: Final = """\
calls, check = tables[0], tables[3]
implementation = calls{classes} if calls else tables[2]{identities}.call
CHECK
"""

_CHECK: Final = """\
if check is not None:
    originals, snapshots, guard = check
    COMPARE
"""
_COMPARE: Final = """\
if originals != snapshots or guard is not None and not guard():
    raise LookupError
"""

# Fills in the parameters that were left out, from the keywords and the defaults; unless
# something is registered for fewer arguments, which the slow path knows. That has to be known
# first: the slow path could not tell an argument that was filled in from one that was given.
_BIND: Final = """\
if {last} is NOT_GIVEN:
    if tables[4] & {fewer}:
        raise LookupError
    check = tables[3]
    CHECK
    BIND_EACH
"""
_BIND_ONE: Final = """\
if {name} is NOT_GIVEN:
    {name} = keywords.pop(keyword_{index}, default_{index})
"""
_REQUIRE_ONE: Final = """\
    if {name} is NOT_GIVEN:
        raise LookupError
"""

_FIND_PLAN: Final = """\
plans = tables[1]
plan = plans{classes} if plans else tables[2]{identities}
"""

# The tables are those for this number of arguments, where any number dispatches.
_FIND_PLAN_FOR_ANY: Final = """\
tables = tables[2][len(more)]
plan = tables[2]{first} if more else tables[2][0]
for argument in more{others}:
    plan = plan[id(argument.__class__)]
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
    conditions = ["not more"] if only_these else ["True"]
    # Without arguments to bind, a missing one is a miss like any other.
    plain = [*conditions, given] if binds else list(conditions)
    if names and not binds:
        conditions.append(given)
    if by_keyword_only:
        conditions = plain = ["False"]
    bind_each = ""
    for index, name in enumerate(names):
        bind_each += _BIND_ONE.format(name=name, index=index)
        bind_each += "" if index in positions else _REQUIRE_ONE.format(name=name)
    fewer = (1 << len(names)) - 1 if only_these else 0
    arguments = ", ".join(names if only_these else [*names, "*more"])
    source = _with_lines(
        _TEMPLATE,
        BIND=_BIND.format(last=names[-1], fewer=fewer) if names and binds else "",
        BIND_EACH=bind_each,
        CHECK=_CHECK,
        COMPARE=_COMPARE,
        FIND_CALL=_FIND_CALL,
        FIND_IN_LOOKUP=_FIND_IN_LOOKUP,
        FIND_LOOKUP=_FIND_LOOKUP,
        FIND_PLAN=_FIND_PLAN,
    ).format(
        parameters="".join(f"{name}, " for name in names) + ("/, " if names else ""),
        plain=" and ".join(plain),
        ordinary=" and ".join(conditions),
        classes="".join(f"[{cls}]" for cls in classes) or "[0]",
        identities="".join(f"[id({cls})]" for cls in classes) or "[0]",
        arguments=arguments,
        with_keywords=", ".join([*([arguments] if arguments else []), "**keywords"]),
        given=f"({''.join(name + ', ' for name in names)}*more,)",
    )
    return _compiled(source, f"<reg call: {', '.join(classes) or 'no arguments'}>")


@functools.cache
def _code_to_collect(class_first: bool) -> CodeType:
    """The code of a call with any number of arguments, all of which dispatch."""
    source = _with_lines(
        _TEMPLATE,
        BIND="",
        CHECK=_CHECK,
        COMPARE=_COMPARE,
        FIND_CALL=_FIND_CALL,
        FIND_IN_LOOKUP=_FIND_IN_LOOKUP,
        FIND_LOOKUP=_FIND_LOOKUP,
        FIND_PLAN=_FIND_PLAN_FOR_ANY,
    ).format(
        parameters="",
        plain="False",
        ordinary="True",
        classes="[0]",
        identities="[0]",
        first="[id(more[0])]" if class_first else "",
        others="[1:]" if class_first else "",
        arguments="*more",
        with_keywords="*more, **keywords",
        given="more",
    )
    return _compiled(source, f"<reg call: any arguments{', of a class' if class_first else ''}>")


_STEP: Final = """\
def run({arguments}):
    return function({arguments}{filled_in})
"""

# While an implementation is left, call_next is a function bound to the arguments of the call, since
# that is made and called in half the time of another object.
_CALL_NEXT: Final = """\
def call_next(call, {optional}, /, *more, **keywords):
    if {last} is not NOT_GIVEN:
        if not more and not keywords:
            return next({items})
    elif {first} is NOT_GIVEN and not keywords:
        return next({same})
    given = [item for item in ({items}, *more) if item is not NOT_GIVEN]
    return next(*given, **keywords)
"""

_CALL_NEXT_FILE: Final = "<reg call_next: "


@functools.cache
def code_of_step(count: int, with_lookup: bool, with_next: bool, is_left: bool) -> CodeType:
    """The code of a step for a call with positional arguments and nothing else.

    :param count: the number of arguments, at least one.
    :param with_lookup: whether ``lookup`` is filled in.
    :param with_next: whether ``call_next`` is filled in.
    :param is_left: whether an implementation is left, which ``call_next`` calls.
    """
    names = [f"argument_{index}" for index in range(count)]
    arguments = ", ".join(names)
    filled_in = ", lookup=lookup" if with_lookup else ""
    if with_next and is_left:
        filled_in += f", call_next=bind(call_next, {names[0] if count == 1 else f'({arguments})'})"
    elif with_next:
        filled_in += f", call_next=make(CallNext, (next, ({arguments},), NO_KEYWORDS))"
    source = _STEP.format(arguments=arguments, filled_in=filled_in)
    return _compiled(source, f"<reg step: {arguments}{filled_in}>")


@functools.cache
def code_of_call_next(count: int) -> CodeType:
    """The code of ``call_next`` in a call with so many positional arguments, at least one."""
    items = [f"item_{index}" for index in range(count)]
    source = _CALL_NEXT.format(
        first=items[0],
        items=", ".join(items),
        last=items[-1],
        optional=", ".join(f"{item}=NOT_GIVEN" for item in items),
        same="call" if count == 1 else "*call",
    )
    return _compiled(source, f"{_CALL_NEXT_FILE}{count} arguments>")


def is_call_next(value: MethodType) -> bool:
    """Return whether a bound method is the ``call_next`` of a step."""
    code = getattr(value.__func__, "__code__", None)
    return code is not None and code.co_filename.startswith(_CALL_NEXT_FILE)


def _with_lines(template: str, **parts: str) -> str:
    """Put lines in place of each line that is one of their names."""
    lines = []
    for line in template.splitlines():
        name = line.strip()
        if name in parts:
            indent = line[: -len(name)]
            lines += [indent + part for part in _with_lines(parts[name], **parts).splitlines()]
        else:
            lines.append(line)
    return "".join(line + "\n" for line in lines)


def _compiled(source: str, filename: str) -> CodeType:
    """Compile the source of one function, whose lines tracebacks show."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    code: CodeType = compile(source, filename, "exec").co_consts[0]
    return code
