"""Generic functions of every kind: how they are made, implemented and called.

Every function returns what it received, so that a comparison of results is one
of arguments as well.
"""

from __future__ import annotations

import inspect

import reg

#: for a parameter that is left to its default; of the class ``int``
DEFAULT = 5

# An argument that does not dispatch.
_OTHER = "other"


def function_with(parameters, act):
    """Make a function with these parameters, that hands them to ``act`` by name."""
    namespace = {"act": act, "DEFAULT": DEFAULT}
    exec(f"def function({parameters}): return act(dict(locals()))", namespace)
    return namespace["function"]


def act_of(component):
    """The body of the function for a component of the model."""

    def act(received):
        lookup = received.pop("lookup", None)
        call_next = received.pop("call_next", None)
        # Where the implementation has other names for its parameters.
        received = {name.removesuffix("_"): value for name, value in received.items()}
        if component.kind == "none":
            return None
        if component.kind == "failing":
            raise reg.ComponentLookupError(component.name)
        result = [component.name, received, lookup]
        if component.kind == "next":
            result.append(call_next())
        return result

    return act


class Shape:
    """A kind of generic function.

    :param parameters: of the function and its implementations.
    :param names: those that dispatch; none for all that are positional.
    :param class_first: whether it is a class generic.
    :param takes_lookup: whether the function has a parameter ``lookup``.
    """

    def __init__(self, parameters, names=(), class_first=False, takes_lookup=False):
        self.parameters = parameters
        self.names = names
        self.class_first = class_first
        self.takes_lookup = takes_lookup
        self.signature = inspect.signature(function_with(parameters, None))
        every = self.signature.parameters.values()
        self._by_position = [each.name for each in every if each.kind != each.KEYWORD_ONLY]
        self._by_keyword = [each.name for each in every if each.kind == each.KEYWORD_ONLY]
        variadic = any(each.kind == each.VAR_POSITIONAL for each in every)
        #: how many arguments dispatch; ``None`` for any number
        self.arity = None if variadic else len(names or self._by_position)

    def make(self, end):
        """Make a generic function.

        :param end: the component of the model that the decorated function is.
        """
        decorate = reg.classgeneric if self.class_first else reg.generic
        function = function_with(self._extended(self.parameters, self.takes_lookup), act_of(end))
        return decorate(*self.names)(function) if self.names else decorate(function)

    def implementation(self, component, renamed):
        """Make the real thing that a function of the model stands for.

        :param renamed: whether it has names of its own for what is passed by
          position.
        """
        parameters = self.parameters
        if renamed and self.names:
            own = [*(f"{name}_" for name in self._by_position), *self._by_keyword]
            own.insert(len(self._by_position), "*")
            parameters = ", ".join(own if self._by_keyword else own[:-1])
        extended = self._extended(parameters, component.takes_lookup, component.kind == "next")
        return function_with(extended, act_of(component))

    def _extended(self, parameters, takes_lookup, takes_next=False):
        lookup = ", lookup=None" if takes_lookup else ""
        own = ", note='own'" if "*" in parameters else f"{lookup}, *, note='own'"
        lookup = lookup if "*" in parameters else ""
        return f"{parameters}{own}{lookup}{', call_next' if takes_next else ''}"

    def call(self, arguments, form):
        """The positional and the keyword arguments of a call.

        :param arguments: those that dispatch.
        :param form: a number that says how many are passed by position; with an
          odd one, what has a default is left to it.
        """
        if not self.names:
            return tuple(arguments), {}
        values = dict.fromkeys(self.signature.parameters, _OTHER)
        values.update(zip(self.names, arguments, strict=True))
        if form % 2:
            values = {
                name: value for name, value in values.items() if not self._may_go(name, value)
            }
        split = form // 2 % (len(self._by_position) + 1)
        args = []
        for name in self._by_position[:split]:
            if name not in values:
                break
            args.append(values.pop(name))
        return tuple(args), values

    def _may_go(self, name, value):
        return value is DEFAULT and self.signature.parameters[name].default is DEFAULT

    def dispatched(self, arguments, form):
        """As :meth:`call`, but without keywords that do not dispatch."""
        args, keywords = self.call(arguments, form)
        return args, {name: value for name, value in keywords.items() if name in self.names}

    def received(self, args, keywords):
        """The arguments that an implementation receives in a call."""
        keywords = dict(keywords)
        note = keywords.pop("note", "own")
        bound = self.signature.bind(*args, **keywords)
        bound.apply_defaults()
        return {**bound.arguments, "note": note}


SHAPES = {
    "one": Shape("a"),
    "two": Shape("a, b", takes_lookup=True),
    "many": Shape("*args", takes_lookup=True),
    "named": Shape("x, a, b=DEFAULT", names=("b", "a")),
    "with keyword": Shape("a, *, k", names=("a", "k"), takes_lookup=True),
    "of class": Shape("cls, b", class_first=True),
    "of named class": Shape("x, cls", names=("cls",), class_first=True),
    "method": Shape("self, other"),
    "named method": Shape("self, other", names=("other",)),
}
