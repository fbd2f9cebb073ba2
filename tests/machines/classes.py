"""Classes of every kind, to dispatch on."""

from __future__ import annotations

import abc
import contextlib
import types
import typing

METHODS = ("walk", "swim")


class Plain(type):
    """A metaclass that changes nothing."""


class PlainAbstract(abc.ABCMeta):
    """A metaclass derived from that of abstract classes."""


class Structural(type):
    """A metaclass that decides itself about its subclasses."""

    def __subclasscheck__(cls, other):
        return type.__subclasscheck__(cls, other) or _has(other, cls.method)


class Adopted:
    """In the MRO of classes that do not inherit from it."""


class Ordering(type):
    """A metaclass that decides the MRO itself, and may change it."""

    #: whether the bases come the other way round, and whether ``Adopted`` does
    reverses, adopts = True, True

    def mro(cls):
        own, *bases, last = (each for each in super().mro() if each is not Adopted)
        if Ordering.reverses:
            bases.reverse()
        return [own, *bases, *([Adopted] if Ordering.adopts else []), last]


class AbstractOrdering(Ordering, abc.ABCMeta):
    """The same, of abstract classes."""


def _has(cls, method):
    return any(method in vars(base) for base in cls.__mro__)


def _with_hook(namespace, method):
    @classmethod
    def __subclasshook__(cls, other):  # noqa: N807
        # Subclasses inherit the hook, but it decides for this class only.
        if "__subclasshook__" in vars(cls) and _has(other, method):
            return True
        return NotImplemented

    namespace["__subclasshook__"] = __subclasshook__


# By name, the metaclass.
KINDS = {
    "plain": type,
    "metaclass": Plain,
    "abstract": abc.ABCMeta,
    "abstract with hook": abc.ABCMeta,
    "abstract metaclass": PlainAbstract,
    "structural": Structural,
    "ordered": Ordering,
    "ordered abstract": AbstractOrdering,
    "protocol": type(typing.Protocol),
}


def make_class(name, bases, kind="plain", methods=()):
    """Make a class, or ``None`` if the bases have no common order or metaclass.

    :param methods: the names of the methods that it has, or, if it is one that
      is fitted by structure, that what fits it has.
    """

    def fill(namespace):
        if kind == "structural":
            namespace["method"] = methods[0] if methods else "walk"
        elif kind == "abstract with hook":
            _with_hook(namespace, methods[0] if methods else "walk")
        else:
            namespace.update(dict.fromkeys(methods, lambda self: None))

    if kind == "protocol":
        bases, methods = (typing.Protocol,), methods or ("walk",)
    try:
        cls = types.new_class(name, bases, {"metaclass": KINDS[kind]}, fill)
    except TypeError:
        return None
    return typing.runtime_checkable(cls) if kind == "protocol" else cls


def register_virtual(base, cls):
    """Make a class a virtual subclass, if that is possible."""
    with contextlib.suppress(RuntimeError):  # It would be its own base.
        base.register(cls)


class Proxy:
    """An object that claims to be of another class."""

    def __init__(self, cls):
        self._cls = cls

    @property
    def __class__(self):
        return self._cls


def instance_of(cls, proxy=False):
    """Make an argument that is, or claims to be, of this class."""
    if proxy or getattr(cls, "_is_protocol", False):
        return Proxy(cls)
    return cls()
