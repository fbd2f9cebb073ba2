"""Looking up components for objects, and calling them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from reprlib import recursive_repr

from ._cache import LookupCache, make_key_plan
from ._chains import ForeignChain, end_step
from ._classes import class_tuple
from ._declared import components_by, found_components
from ._dispatch_spec import canonical_key
from ._errors import ComponentLookupError
from ._fastcall import CachedLookup, CallNext
from ._matching import Matcher, Query
from ._observers import Observable
from ._plan import Plan, adapters, run_or_default
from ._values import plan_for
from .implicit import implicit
from .interfaces import components_of, refuse_unless_class_lookup
from .sentinel import MISSING, UNDECIDED, Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from .tools.resolution import Resolution

__all__ = [
    "NOTHING",
    "CallNext",
    "ComponentLookupError",
    "Lookup",
    "Matcher",
    "classes_of",
    "has_default_behaviour",
]

#: The default passed to a third-party lookup, which no component is identical to. Not
#: ``MISSING``, which would mean that there is no default.
NOTHING: Final = Sentinel("NOTHING")


def has_default_behaviour(lookup: object) -> bool:
    """Return whether a lookup finds components as :class:`Lookup` does, so that results are cached.

    A third-party lookup, and a subclass with methods of its own, is asked at every call.
    """
    cls = type(lookup)
    return (
        issubclass(cls, Lookup)
        and cls.call is Lookup.call
        and cls.component is Lookup.component
        and cls.all is Lookup.all
    )


class Lookup(CachedLookup, Observable):
    """Finds components for objects: by their classes, and by the answers of matchers.

    :param class_lookup: the class lookup that is asked. The class of an argument is its
      ``__class__``, so that a proxy has the class of its object.
    :param name: the name that tools show for this lookup.
    :raises TypeError: if it is neither a class lookup nor a lookup; so does
      assigning one.

    Results are cached for as long as they are valid, if the class lookup is made of this
    package's parts. A third-party class lookup, and a subclass that defines ``all`` itself,
    is asked at every call.
    """

    _reg_cache: LookupCache
    _reg_class_lookup: Any

    _reg_name: str | None = None

    def __init__(self, class_lookup: Any, *more: object, name: str | None = None) -> None:
        if more:
            names = ", ".join(map(repr, (class_lookup, *more)))
            raise TypeError(
                f"{type(self).__name__}() takes one class lookup; compose several, as in"
                f" {type(self).__name__}(reg.ListClassLookup([{names}]))"
            )
        self.class_lookup = class_lookup
        if name is not None:
            self._reg_name = name

    @property
    def class_lookup(self) -> Any:
        """The class lookup that is asked. Assigning another takes effect at the next call."""
        return self._reg_class_lookup

    @class_lookup.setter
    def class_lookup(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_set_parts("_reg_class_lookup", class_lookup)

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

        :param key: the key of the registration.
        :param args: the dispatch arguments.
        :param default: returned if no component is found; ``None`` is a default too.
        :param predicates: given to matchers instead of the values they would compute.
        :param class_method: whether the first argument is itself the class.
        :return: the first component in the order of :meth:`all`.
        :raises ComponentLookupError: if no component is found, and no default was given.
        """
        key, args = canonical_key(key), _arguments(args)
        classes = classes_of(args, class_method)
        component = first_component(self._reg_plan(key, classes), args, predicates)
        if component is not MISSING:
            return component
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

        :param key: the key of the registrations.
        :param args: the dispatch arguments.
        :param predicates: given to matchers instead of the values they would compute.
        :param class_method: whether the first argument is itself the class.
        :return: a new list, the most specific component first. A matcher is replaced by its
          answer, and left out if that is ``None``.
        """
        key, args = canonical_key(key), _arguments(args)
        candidates = self._reg_all_candidates(key, classes_of(args, class_method))
        return found_components(candidates, args, predicates)

    def component_for(
        self, key: Hashable, classes: Iterable[type], default: Any = MISSING, /, **predicates: Any
    ) -> Any:
        """Find the component for classes and predicates, without any arguments.

        :param key: the key of the registration.
        :param classes: the classes of the dispatch arguments.
        :param default: by position: returned if no component is found; ``None`` is a default too.
        :param predicates: the values of predicates by name; the others have their defaults.
        :return: the component that is found for arguments of these classes, for which the
          predicates have these values.
        :raises ComponentLookupError: if no component is found, and no default was given.
        :raises PredicateRegistryError: if the key declares predicates, and none of such a name.
        :raises TypeError: if the arguments themselves have to be known.
        """
        key, classes = canonical_key(key), class_tuple(key, classes)
        candidates = self._reg_all_candidates(key, classes)
        component = next(components_by(candidates, key, predicates), default)
        if component is MISSING:
            if "default" in predicates:
                raise TypeError("component_for() takes its default by position, after the classes")
            raise ComponentLookupError(key=key, classes=classes, lookup=self)
        return component

    def call(self, key: Hashable, args: Iterable[Any], default: Any = MISSING, /, **kw: Any) -> Any:
        """Find the component for these arguments, and call it with them.

        :param key: the key of the registration.
        :param args: the positional arguments of the call; all of them dispatch.
        :param default: also by keyword: returned if no component is found, or if the component
          returns ``None``.
        :param kw: the keyword arguments of the call, and ``class_method``: whether the first
          argument is itself the class. This lookup, as ``lookup``, and ``call_next`` are
          filled in if the component has a parameter of that name.
        :return: the result of the component.
        :raises ComponentLookupError: if no component is found, and no default was given.
        """
        default = kw.pop("default", default)
        class_method = kw.pop("class_method", False)
        key, args = canonical_key(key), _arguments(args)
        classes = classes_of(args, class_method)

        overrides_all = type(self).all is not Lookup.all
        if not overrides_all and type(self).component is Lookup.component:
            plan = self._reg_plan(key, classes)
            if plan.first is MISSING and default is MISSING:
                raise ComponentLookupError(key=key, classes=classes, lookup=self)
            return run_or_default(plan, default, args, args, kw)

        # A subclass finds the first component, or the next one, by a method of its own.
        def nothing_left(*args: object, **kw: object) -> Any:
            raise ComponentLookupError(key=key, classes=classes, lookup=self)

        flags: dict[str, Any] = {"class_method": True} if class_method else {}
        first = self.component(key, args, NOTHING, **flags)
        if first is NOTHING:
            return nothing_left() if default is MISSING else default
        chain = ForeignChain(
            self,
            first,
            lambda: self.all(key, args, **flags),
            end_step(nothing_left, self),
            adapters(key, self, classes)[0],
        )
        query = Query(args)
        result = chain.run(chain.resolved(query, 0), query, args, kw)
        return default if result is None and default is not MISSING else result

    def explain(
        self,
        key: Hashable,
        args: Iterable[Any],
        predicates: Mapping[str, Any] | None = None,
        *,
        class_method: bool = False,
    ) -> Resolution:
        """Explain which component is found for these arguments, and why; nothing is called.

        :param key: the key of the registrations.
        :param args: the dispatch arguments.
        :param predicates: given to matchers instead of the values they would compute.
        :param class_method: whether the first argument is itself the class.
        :return: the candidates in order, to be printed or read. All matchers that apply
          are asked, as :meth:`all` asks them.
        """
        from .tools.explain import explain

        args = _arguments(args)
        return explain(self, canonical_key(key), args, predicates, class_method=class_method)

    def explain_classes(self, key: Hashable, classes: Iterable[type]) -> Resolution:
        """Explain which component is found for arguments of these classes, and why.

        :param key: the key of the registrations.
        :param classes: the classes of the arguments. A call of a generic function with fewer
          arguments dispatches on defaults as well: their classes are added.
        :return: as :meth:`explain`; but the answers of matchers, which need the arguments,
          stay open.
        """
        from .tools.explain import explain_call

        return explain_call(self, canonical_key(key), class_tuple(key, classes))

    @recursive_repr()
    def __repr__(self) -> str:
        name = "" if self._reg_name is None else f" {self._reg_name!r}"
        return f"<{type(self).__name__}{name} of {self._reg_class_lookup!r}>"

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_reg_cache", None)  # in the C build, it is kept elsewhere
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reg_set_cache(LookupCache(self))

    # The parts of a look-up

    _reg_has_default_behaviour = has_default_behaviour

    def _reg_parts(self) -> tuple[Any, ...]:
        return (self._reg_class_lookup,)

    def _reg_named_parts(self) -> list[tuple[str, Any]]:
        # A lookup in a composition stands for its class lookup.
        return [("", self._reg_class_lookup)]

    def _reg_parts_changed(self) -> None:
        self._reg_set_cache(LookupCache(self))
        super()._reg_parts_changed()

    def _reg_current_cache(self) -> LookupCache | None:
        """The cache that is valid now; ``None`` if nothing can be cached."""
        try:
            cache = self._reg_cache
        except AttributeError:
            # In the C build, the attribute says so itself.
            raise AttributeError(
                f"{type(self).__name__} has no cache: its __init__() did not call that of"
                " reg.Lookup"
            ) from None
        while cache.sources() is not None:
            # Compared after the sources are known: another thread may have listed them before
            # a list was changed, and this call may have begun after that.
            if cache.lists_unchanged():
                return cache
            cache.invalidate_all()
            cache = self._reg_cache
        return None

    def _reg_plan(self, key: Hashable, classes: tuple[type, ...]) -> Plan:
        cache = self._reg_current_cache()
        if cache is not None:
            return cache.plan(key, classes)
        components = tuple(components_of(self._reg_class_lookup, key, classes))
        return make_key_plan(key, self, classes, lambda: components)

    def _reg_all_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterable[Any]:
        """List all components, with matchers as they are, in order."""
        cache = self._reg_current_cache()
        if cache is None:
            return components_of(self._reg_class_lookup, key, classes)
        plan = cache.plan(key, classes)
        if plan.chain is not None:
            return plan.chain.components  # type: ignore[no-any-return]
        if plan.all is None:
            plan.all = tuple(cache.candidates(key, classes)())
        return plan.all


implicit._add_own_lookup(Lookup)


def first_component(plan: Plan, args: tuple[Any, ...], predicates: Mapping[str, Any] | None) -> Any:
    """Get the first component of a plan.

    :param plan: the plan.
    :param args: the dispatch arguments, for matchers.
    :param predicates: the values that the caller gave; ``None`` to compute them.
    :return: the component, or ``MISSING``.
    """
    if plan.first is UNDECIDED:
        plan = plan_for(plan, args)
    if plan.first is not UNDECIDED:
        return plan.first
    component, _ = plan.chain.resolved(Query(args, predicates), 0)
    return component


# Iterables that are one argument, or have no order.
_NO_ARGUMENTS: Final = (str, bytes, bytearray, Mapping, set, frozenset)


def _arguments(args: Iterable[Any]) -> tuple[Any, ...]:
    """Make a tuple of the dispatch arguments, and refuse an argument in their place."""
    # To ask whether it can be iterated takes longer than all the rest.
    if type(args) in (tuple, list):
        return tuple(args)
    if isinstance(args, _NO_ARGUMENTS) or not isinstance(args, Iterable):
        advice = f", such as [{args!r}]"
        if "__reg_dispatch__" in getattr(args, "__dict__", ()):
            advice = ", and the generic function before them"
        raise TypeError(f"a lookup takes the arguments as a list or tuple{advice}; got {args!r}")
    return tuple(args)


def classes_of(args: tuple[Any, ...], class_method: bool) -> tuple[type, ...]:
    """Get the classes that arguments are looked up by.

    :param args: the dispatch arguments.
    :param class_method: whether the first argument is itself the class.
    """
    if class_method and args:
        return (args[0], *(arg.__class__ for arg in args[1:]))
    return tuple([arg.__class__ for arg in args])
