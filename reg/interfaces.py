"""The two interfaces that everything else is written against.

They are plain classes, without a metaclass, so that a framework can mix them into its own. Nothing
has to inherit from them: any object with these methods, in this meaning, can be composed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from types import FunctionType

from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, overload

    from ._specifications import ClassSpecification

    _C = TypeVar("_C", bound=Callable[..., Any])
    _T = TypeVar("_T")

__all__ = [
    "IClassLookup",
    "IRegistry",
    "components_of",
    "is_asked_without_instance",
    "refuse_unless_class_lookup",
]


class IRegistry:
    """Where components are registered, under a key and for classes."""

    if TYPE_CHECKING:

        @overload
        def register(
            self, key: Hashable, classes: Iterable[ClassSpecification]
        ) -> Callable[[_T], _T]: ...

        @overload
        def register(
            self, key: Hashable, classes: Iterable[ClassSpecification], component: object
        ) -> None: ...

    def register(
        self,
        key: Hashable,
        classes: Any = MISSING,
        component: Any = MISSING,
        *surplus: Any,
    ) -> Any:
        """Register a component under a key, for a combination of classes.

        :param key: anything hashable, often a generic function.
        :param classes: for each argument a class; ``None`` for its type; a union, for each of its
          members; an abstract base class or a runtime protocol, for virtual subclasses too; an
          alias of one of these; or the name of a class, ``"package.module:Class"``, which is found
          without being imported; or, for some of its objects, ``Literal``, ``type[X]``,
          ``Annotated[cls, condition]`` or a :class:`reg.Where`. The last one may be a
          :class:`reg.Rest`, for any number of further arguments. Behind the classes, a
          :class:`reg.By` has the values of predicates that the generic function declares.
        :param component: any object but ``None``, often a function; an instance of
          :class:`reg.Matcher` decides at each look-up.
        :return: ``None``; without a component, a decorator that registers the function and returns
          it as it was.
        :raises TypeError: if the key cannot be hashed, if the component is ``None``, or if
          an item of ``classes`` is not a class in one of these ways.
        :raises PredicateRegistryError: if the generic function declares no predicate of such a
          name.
        :raises RegistrationError: with ``replace=False``, if there is a component for this key and
          one of these combinations.

        A component that was registered for the same key and classes is replaced. If an error is
        raised, nothing has changed.
        """
        if classes is MISSING:
            name = _name(key)
            raise TypeError(
                f"register() takes a key and a list of classes, as in register({name}, [int]);"
                f" to read the classes from annotations, use @registry.implements({name})"
            )
        if surplus:
            *more, last = component, *surplus
            names = ", ".join(map(_name, (classes, *more)))
            raise TypeError(
                f"register() takes the classes as one list: register({_name(key)}, [{names}],"
                f" {_name(last)})"
            )
        return self._reg_register(key, classes, component)

    # Apart from register(), whose types and docstring are thus written once.
    def _reg_register(
        self, key: Hashable, classes: Iterable[ClassSpecification], component: Any
    ) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define register()")

    def _reg_replaced(self, key: Hashable, classes: Iterable[ClassSpecification]) -> list[Any]:
        """List the components that a registration would replace, if that need not be meant."""
        return []

    if TYPE_CHECKING:
        # Without the parameter that is there for the sake of its error.
        def implements(  # pyright: ignore[reportRedeclaration]
            self, generic: Callable[..., Any], /, **predicates: Any
        ) -> Callable[[_C], _C]: ...

    def implements(  # type: ignore[no-redef]
        self, generic: Callable[..., Any], /, *misplaced: Any, **predicates: Any
    ) -> Callable[[_C], _C]:
        """Register a function for the classes that its annotations name.

        To be used as a decorator::

            @registry.implements(size)
            def document_size(document: Document) -> int: ...

        :param generic: a generic function. Each parameter it dispatches on has to be annotated in
          the implementation: the one of the same name, if the generic function names its dispatch
          parameters; otherwise the one at the same position. If it takes any number of
          arguments, all positional parameters of the implementation count, and ``*rest: Class``
          stands for any number of further ones.
        :param predicates: by name, the values of predicates that the generic function declares.
          One that is left out may have any value.
        :return: a decorator that registers the function and returns it as it was.
        :raises TypeError: if ``generic`` is not a generic function, if an annotation is missing,
          if it names something to which no call can be dispatched (``list[int]``, ``Any`` …), or
          if a name in it is not defined. The class that is being defined, and a class further
          down the same module, can be named before they are defined.
        :raises RegistrationError: as for :meth:`register`; and, unless the registry is made with
          ``replace=True``, if it would replace an implementation in the same file that annotates a
          parameter which does not dispatch in another way.
        """
        if misplaced:
            name, names = _name(generic), ", ".join(map(_name, misplaced))
            raise TypeError(
                f"implements() takes the generic function alone, and reads the classes from"
                f" annotations; to give them, use @registry.register({name}, [{names}])"
            )
        # Imported when it is used: a program that only calls generic functions does without.
        from ._annotations import registering

        return registering(self, generic, predicates)

    def exact(self, key: Hashable, classes: Iterable[ClassSpecification]) -> Any:
        """Return the component that is registered for exactly these classes.

        :param key: as it was registered.
        :param classes: as they were registered.
        :return: the component, or ``None``.
        :raises TypeError: as for :meth:`register`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define exact()")

    def clear(self) -> None:
        """Remove all registrations."""
        raise NotImplementedError(f"{type(self).__name__} must define clear()")


class IClassLookup:
    """Finds components by key and classes."""

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Return the first component of :meth:`all`.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: the component, or ``None``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define get()")

    def all(self, key: Hashable, classes: Iterable[type]) -> Iterable[Any]:
        """Find every component registered for these classes or bases of them.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: an iterable, the most specific first: in the lexicographic
          order of the Cartesian product of the classes' MROs, so that the
          first class weighs most.
        """
        raise NotImplementedError(f"{type(self).__name__} must define all()")


def refuse_unless_class_lookup(value: Any, taker: object) -> None:
    """Refuse an object that cannot be asked for components, before it is composed.

    :param value: the object that was given as a class lookup.
    :param taker: the object that it was given to, for the error.
    :raises TypeError: if it is not a class lookup.
    """
    try:
        ask = getattr(value, "all", None)
    except Exception:
        # Perhaps a proxy, whose object is not there yet.
        return
    advice = ""
    if callable(ask):
        if not issubclass(type(value), type) or is_asked_without_instance(value, "all"):
            return
        advice = ", which is a class: pass an instance of it"
    elif isinstance(value, (list, tuple)):
        advice = ": make one of it with reg.ListClassLookup"
    raise TypeError(
        f"{type(taker).__name__} takes class lookups, such as registries, which have the methods"
        f" get() and all(); got {value!r}{advice}"
    )


def components_of(class_lookup: Any, key: Hashable, classes: tuple[type, ...]) -> Iterable[Any]:
    """Ask a class lookup, perhaps a third-party one, for all components.

    :raises TypeError: if it does not return an iterable.
    """
    components: Iterable[Any] = class_lookup.all(key, classes)
    if not isinstance(components, Iterable):
        raise TypeError(
            f"{class_lookup!r}.all() must return a list of components, which may be empty; it"
            f" returned {components!r}"
        )
    return components


def is_asked_without_instance(cls: type, *methods: str) -> bool:
    """Return whether a class can be asked itself, by methods that are not those of its instances.

    :param cls: a class.
    :param methods: the names of the methods.
    """
    defined = [
        next((vars(base)[method] for base in cls.__mro__ if method in vars(base)), None)
        for method in methods
    ]
    return not any(isinstance(method, FunctionType) for method in defined)


def _name(value: object) -> str:
    return str(getattr(value, "__name__", repr(value)))
