"""Looking up components for objects, and calling them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

from ._cache import Answers, Observed
from ._classes import describe
from ._fastcall import Remembering
from .arginfo import takes_keyword
from .interfaces import refuse_unless_class_lookup
from .sentinel import MISSING, Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

    from .tools.resolution import Resolution

__all__ = [
    "NOTHING",
    "CallChain",
    "CallNext",
    "ComponentLookupError",
    "Lookup",
    "Matcher",
    "classes_of",
    "is_plain",
    "match",
    "with_lookup",
]

#: The default where a lookup that may be a stranger's is asked whether it finds
#: anything. Not ``MISSING``, which would mean that there is no default.
NOTHING: Final = Sentinel("NOTHING")


class ComponentLookupError(LookupError):
    """No component was found, and no default was given.

    :param key: what was looked up.
    :param classes: for which classes.
    :param lookup: where; the error then tells what came nearest, which is found
      out only when it is shown.

    All can be left out in favour of a message.
    """

    def __init__(
        self,
        *args: object,
        key: Hashable = MISSING,
        classes: tuple[type, ...] = (),
        lookup: Any = None,
    ) -> None:
        super().__init__(*args)
        #: what was looked up; ``MISSING`` if the error only has a message
        self.key = key
        #: the classes of the arguments it was looked up for
        self.classes = classes
        #: where it was looked up; ``None`` if that is not known
        self.lookup = lookup

    def __str__(self) -> str:
        if self.key is MISSING or self.args:
            return super().__str__()
        classes = ", ".join(f"{cls.__module__}.{cls.__qualname__}" for cls in self.classes)
        problem = f"no component is registered under {describe(self.key)} for ({classes})"
        if self.lookup is None:
            return problem
        from .tools.explain import closest_candidates

        return "\n".join([problem, *closest_candidates(self.lookup, self.key, self.classes)])

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process needs to know what happened, and not a copy of the registry.
        state = {**self.__dict__, "lookup": None}
        return type(self), (self.args or (str(self),)), state


class Matcher:
    """A component that decides from the arguments, at each look-up, which one it stands for.

    Register an *instance* of a subclass that defines :meth:`__call__`.
    """

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Find the component for these arguments.

        :param args: the dispatch arguments.
        :param predicates: what :meth:`predicates` of the first matcher of this
          look-up returned, or what the caller gave instead.
        :return: the component, which is taken as it is; ``None`` to have the
          next, less specific registration considered.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__()")

    def predicates(self, *args: Any) -> Mapping[str, Any]:
        """Compute what this matcher and those that are asked after it decide by.

        It is called once in a look-up, on the first matcher met, and not at all
        if the caller gave ``predicates``.

        :param args: the dispatch arguments.
        :return: keyword arguments for the matchers.
        """
        return {}

    def _reg_keywords(
        self,
        args: tuple[Any, ...],
        handed_on: Mapping[str, Any],
        computed: dict[Any, Any],
        given: bool,
    ) -> Mapping[str, Any]:
        """The keywords to call this matcher with.

        :param handed_on: the predicates of the first matcher, or of the caller.
        :param computed: for what later matchers need besides, to have it once.
        :param given: whether they are the caller's, so that nothing is computed.
        """
        return handed_on


class Lookup(Remembering, Observed):
    """Finds components for objects: by their classes, and by what matchers say.

    :param class_lookup: where to look. The classes of the arguments are those
      that they claim (``__class__``), so that a proxy is taken for what it
      stands for.
    :raises TypeError: if it is no class lookup and no lookup; so does
      assigning one.

    What was found is remembered for as long as it is true, as far as the
    class lookup is made of this package's parts. Any other, and one of a
    subclass that defines ``all`` itself, is asked every time.
    """

    _reg_answers: Answers
    _reg_class_lookup: Any

    def __init__(self, class_lookup: Any) -> None:
        self.class_lookup = class_lookup

    @property
    def class_lookup(self) -> Any:
        """The class lookup that is asked. Assigning another takes effect at the next call."""
        return self._reg_class_lookup

    @class_lookup.setter
    def class_lookup(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_compose("_reg_class_lookup", class_lookup)

    def component(
        self,
        key: Hashable,
        args: Iterable[Any],
        default: Any = MISSING,
        predicates: Mapping[str, Any] | None = None,
        *,
        class_method: bool = False,
    ) -> Any:
        """Find the component for these arguments.

        :param key: what it is registered under.
        :param args: the arguments whose classes it is looked up for.
        :param default: returned if there is none; ``None`` is a default too.
        :param predicates: given to matchers instead of what they would compute.
        :param class_method: whether the first argument is itself the class.
        :return: the first component in the order of :meth:`all`.
        :raises ComponentLookupError: if there is none, and no default.
        """
        args = tuple(args)
        classes = classes_of(args, class_method)
        found = self._reg_find(key, args, classes, predicates)
        if found is not MISSING:
            return found
        if default is MISSING:
            raise ComponentLookupError(key=key, classes=classes, lookup=self)
        return default

    def all(
        self,
        key: Hashable,
        args: Iterable[Any],
        predicates: Mapping[str, Any] | None = None,
        *,
        class_method: bool = False,
    ) -> list[Any]:
        """Find all components for these arguments.

        The parameters are those of :meth:`component`.

        :return: a new list, the most specific first. A matcher is not in it,
          but what it answered, unless that is ``None``.
        """
        args = tuple(args)
        candidates = self._reg_every(key, classes_of(args, class_method))
        return list(match(candidates, args, predicates))

    def call(self, key: Hashable, args: Iterable[Any], default: Any = MISSING, /, **kw: Any) -> Any:
        """Find the component for these arguments, and call it with them.

        :param key: what it is registered under.
        :param args: the positional arguments of the call; all of them dispatch.
        :param default: also by keyword: returned if there is no component, or
          if it returns ``None``.
        :param class_method: by keyword only: whether the first argument is
          itself the class.
        :param kw: the keyword arguments of the call. ``lookup``, which is this
          one, and ``call_next`` are added if the component has a parameter of
          that name, and no ``**``.
        :return: what the component returns.
        :raises ComponentLookupError: if there is none, and no default.
        """
        default = kw.pop("default", default)
        class_method = kw.pop("class_method", False)
        args = tuple(args)
        classes = classes_of(args, class_method)
        overrides_all = type(self).all is not Lookup.all
        flags: dict[str, Any] = {"class_method": True} if class_method else {}

        def components() -> Iterator[Any]:
            if overrides_all:
                yield from self.all(key, args, **flags)
            else:
                yield from match(self._reg_every(key, classes), args, None)

        def nothing_left(*args: object, **kw: object) -> NoReturn:
            raise ComponentLookupError(key=key, classes=classes, lookup=self)

        chain = CallChain(self, components(), nothing_left)
        if overrides_all or type(self).component is not Lookup.component:
            # A subclass has a way of its own to find what comes first, or next.
            chain = chain.starting_with(self.component(key, args, NOTHING, **flags))
        if chain.at(0) is MISSING and default is not MISSING:
            return default
        result = chain.call(0, args, kw)
        return default if result is None and default is not MISSING else result

    def explain(
        self,
        key: Hashable,
        args: Iterable[Any],
        predicates: Mapping[str, Any] | None = None,
        *,
        class_method: bool = False,
    ) -> Resolution:
        """Tell which component is found for these arguments, and why.

        The parameters are those of :meth:`component`. All matchers that apply
        are asked, as :meth:`all` asks them.

        :return: what was found out, to be printed or read.
        """
        from .tools.explain import explain

        return explain(self, key, tuple(args), predicates, class_method=class_method)

    def explain_classes(self, key: Hashable, classes: Iterable[type]) -> Resolution:
        """Tell which component is found for arguments of these classes, and why.

        :param key: what it is registered under.
        :param classes: the classes of the arguments.
        :return: as :meth:`explain`; but a matcher cannot be asked without the
          arguments, so that what it stands for stays open.
        """
        from .tools.explain import explain_classes

        return explain_classes(self, key, tuple(classes))

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_reg_answers", None)  # where the call is in C, it is kept elsewhere
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reg_remember(Answers(self))

    # What answers and calls are made of

    def _reg_composed(self) -> tuple[Any, ...]:
        return (self._reg_class_lookup,)

    def _reg_recomposed(self) -> None:
        self._reg_remember(Answers(self))
        super()._reg_recomposed()

    def _reg_current_answers(self) -> Answers | None:
        """The answers that hold now; ``None`` if nothing can be remembered."""
        answers = self._reg_answers
        while answers.leaves() is not None:
            # Asked after the parts are known: another thread may have found them before
            # a list was changed, and this call have begun since.
            if answers.is_composed_as_seen():
                return answers
            answers.expire()
            answers = self._reg_answers
        return None

    def _reg_find(
        self,
        key: Hashable,
        args: tuple[Any, ...],
        classes: tuple[type, ...],
        predicates: Mapping[str, Any] | None = None,
    ) -> Any:
        """The component, or ``MISSING``."""
        answers = self._reg_current_answers()
        if answers is not None:
            first = answers.first(key, classes)
            if not isinstance(first, Matcher):
                return first
        return next(match(self._reg_every(key, classes), args, predicates), MISSING)

    def _reg_every(self, key: Hashable, classes: tuple[type, ...]) -> Iterable[Any]:
        """All components, matchers as they are."""
        answers = self._reg_current_answers()
        if answers is not None:
            return answers.every(key, classes)
        found: Iterable[Any] = self._reg_class_lookup.all(key, classes)
        return found


class CallChain:
    """The components for one call, each of which can call the next.

    :param lookup: for implementations that have a parameter ``lookup``.
    :param components: in order; taken from only as far as needed.
    :param fallback: is called when there are no more.
    :param adapt: what to do with a component before it is called.
    """

    __slots__ = ("_adapt", "_components", "_fallback", "_found", "_lookup")

    def __init__(
        self,
        lookup: Any,
        components: Iterator[Any],
        fallback: Callable[..., Any],
        adapt: Callable[[Any], Callable[..., Any]] | None = None,
    ) -> None:
        self._lookup = lookup
        self._components = components
        self._fallback = fallback
        self._adapt = adapt
        self._found: list[Any] = []

    def at(self, index: int) -> Any:
        """The component at a place, or ``MISSING``."""
        while len(self._found) <= index:
            component = next(self._components, MISSING)
            if component is MISSING:
                return MISSING
            self._found.append(component)
        return self._found[index]

    def starting_with(self, first: Any) -> CallChain:
        """The chain that begins with another component and goes on behind that one's place.

        :param first: the component, or ``NOTHING`` for an empty chain.
        """
        if first is NOTHING:
            self._components = iter(())
            return self
        self._found = [first]
        # Not searched before it is needed: each matcher on the way is asked again.
        following = itertools.dropwhile(lambda each: each is not first, self._components)
        self._components = itertools.islice(following, 1, None)
        return self

    def call(self, index: int, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """Call the component at a place, or the fallback."""
        component = self.at(index)
        if component is MISSING:
            return with_lookup(self._fallback, self._lookup)(*args, **kw)
        if "call_next" not in kw and takes_keyword(component, "call_next"):
            kw = {**kw, "call_next": CallNext(self, index + 1, args, kw)}
        if self._adapt is not None:
            component = self._adapt(component)
        return with_lookup(component, self._lookup)(*args, **kw)


class CallNext:
    """What an implementation that has a parameter ``call_next`` is given.

    Called with arguments, it calls the next component for the classes of the
    *original* call with them; called without any, with those of the original
    call. The last one to be called is the function that was made generic.

    The idea is ``call-next-method`` of the Common Lisp Object System.
    """

    __slots__ = ("_args", "_chain", "_index", "_keywords")

    def __init__(
        self, chain: CallChain, index: int, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        self._chain = chain
        self._index = index
        self._args = args
        self._keywords = keywords

    def __call__(self, /, *args: Any, **kw: Any) -> Any:
        if not args and not kw:
            args, kw = self._args, self._keywords
        return self._chain.call(self._index, args, kw)


def with_lookup(component: Any, lookup: Any) -> Any:
    """The component itself, or bound to the lookup if it has a parameter for it."""
    if takes_keyword(component, "lookup"):
        return functools.partial(component, lookup=lookup)
    return component


def is_plain(lookup: object) -> bool:
    """Tell whether a lookup finds and calls the way the package does.

    A stranger, and a subclass with methods of its own, has to be asked.
    """
    cls = type(lookup)
    return (
        issubclass(cls, Lookup)
        and cls.call is Lookup.call
        and cls.component is Lookup.component
        and cls.all is Lookup.all
    )


def classes_of(args: tuple[Any, ...], class_method: bool) -> tuple[type, ...]:
    """The classes that arguments are looked up by."""
    if class_method and args:
        return (args[0], *(arg.__class__ for arg in args[1:]))
    return tuple([arg.__class__ for arg in args])


def match(
    candidates: Iterable[Any], args: tuple[Any, ...], predicates: Mapping[str, Any] | None
) -> Iterator[Any]:
    """Go through components in order, and ask the matchers among them.

    :param candidates: components and matchers; a matcher stands for its answer,
      or for nothing if that is ``None``.
    :param predicates: what the caller gave; ``None`` to have them computed.
    """
    given = predicates is not None
    computed: dict[Any, Any] = {}
    for candidate in candidates:
        if not isinstance(candidate, Matcher):
            yield candidate
            continue
        if predicates is None:
            predicates = candidate.predicates(*args)
        keywords = candidate._reg_keywords(args, predicates, computed, given)
        answer = candidate(*args, **keywords)
        if answer is not None:
            yield answer
