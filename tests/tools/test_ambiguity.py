"""Pairs of registrations between which only the order of registration decides."""

import abc
from collections.abc import Iterable, Reversible, Sized
from typing import Protocol, runtime_checkable

import pytest

import reg
from reg import Registry


class Readable(abc.ABC):
    pass


class Closable(abc.ABC):
    pass


class File:
    pass


Readable.register(File)
Closable.register(File)


@reg.generic
def describe(item):
    return "fallback"


@reg.generic
def show(item, device):
    return "fallback"


@pytest.mark.parametrize("order", [(Readable, Closable), (Closable, Readable)])
def test_two_unrelated_abstract_classes_of_one_class_are_found(order):
    registry = Registry(name="app")
    for cls in order:
        registry.register(describe, [cls], lambda item, cls=cls: cls)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("registration-order", "warning")
    assert "for (File) both" in finding.problem
    assert "only the order of registration decides" in finding.problem
    assert describe(File(), lookup=registry) is order[0]
    registry.register(describe, [File], lambda item: File)
    assert reg.check(registry) == []


def test_an_abstract_class_that_inherits_from_the_other_comes_first():
    class Sent(abc.ABC):
        pass

    class Received(abc.ABC):
        pass

    class Stream(Sent, Received):
        pass

    class Socket:
        pass

    for cls in (Sent, Received, Stream):
        cls.register(Socket)
    registry = Registry()
    for cls in (Sent, Received, Stream):
        registry.register(describe, [cls], lambda item: "found")
    assert reg.check(registry) == []


def test_abstract_classes_without_a_common_subclass_are_no_finding():
    class Other(abc.ABC):
        pass

    registry = Registry()
    for cls in (Readable, Other):
        registry.register(describe, [cls], lambda item: "found")
    assert reg.check(registry) == []


def test_abstract_classes_that_a_class_inherits_from_are_no_finding():
    class Left(abc.ABC):
        pass

    class Right(abc.ABC):
        pass

    class Both(Left, Right):
        pass

    registry = Registry()
    for cls in (Right, Left):
        registry.register(describe, [cls], lambda item: "found")
    assert reg.check(registry) == []
    assert describe(Both(), lookup=registry) == "found"


def test_abstract_classes_of_python_are_found_where_order_decides():
    registry = Registry()
    for cls in (Reversible, Sized):
        registry.register(describe, [cls], lambda item: "found")
    (finding,) = reg.check(registry)
    assert finding.kind == "registration-order"
    registry.clear()
    for cls in (Sized, Iterable):  # Collection inherits from both, and so has an order for them.
        registry.register(describe, [cls], lambda item: "found")
    assert reg.check(registry) == []


def test_protocols_are_abstract_classes_too():
    @runtime_checkable
    class Drawn(Protocol):
        def draw(self): ...

    @runtime_checkable
    class Moved(Protocol):
        def move(self): ...

    class Sprite:
        def draw(self): ...
        def move(self): ...

    registry = Registry()
    for cls in (Drawn, Moved):
        registry.register(describe, [cls], lambda item: "found")
    (finding,) = reg.check(registry)
    assert "for (Sprite) both" in finding.problem


def test_another_argument_may_make_the_pair_or_keep_it_apart():
    registry = Registry()
    registry.register(show, [Readable, int], lambda item, device: "readable")
    registry.register(show, [Closable, str], lambda item, device: "closable")
    assert reg.check(registry) == []
    registry.register(show, [Closable, object], lambda item, device: "anywhere")
    (finding,) = reg.check(registry)
    assert "for (File, int) both" in finding.problem


def test_an_earlier_argument_decides_before_the_abstract_classes():
    registry = Registry()
    registry.register(show, [int, Readable], lambda item, device: "readable")
    registry.register(show, [object, Closable], lambda item, device: "closable")
    kinds = [finding.kind for finding in reg.check(registry)]
    assert "registration-order" not in kinds


def test_the_same_pair_under_several_keys_is_one_finding():
    @reg.generic
    def other(item):
        return "fallback"

    registry = Registry()
    for generic in (describe, other):
        for cls in (Readable, Closable):
            registry.register(generic, [cls], lambda item: "found")
    (finding,) = reg.check(registry)
    assert len(finding.same_cause) == 1


def test_an_abstract_class_that_cannot_be_asked_about_some_class_is_left_alone():
    class Strict(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other):
            if other.__name__ == "File":
                raise RuntimeError("not to be asked")
            return NotImplemented

    registry = Registry()
    for cls in (Readable, Closable, Strict):
        registry.register(describe, [cls], lambda item: "found")
    assert reg.check(registry) == []


class Report:
    pass


class Invoice(Report):
    pass


class Screen:
    pass


class Phone(Screen):
    pass


@pytest.fixture
def parts():
    return reg.ClassRegistry(name="app"), reg.ClassRegistry(name="framework")


def test_registrations_of_merged_registries_are_ambiguous_as_those_of_one(parts):
    app, framework = parts
    merged = reg.MergedClassLookup(parts)
    app.register(show, [Invoice, Screen], lambda item, device: "app")
    framework.register(show, [Report, Phone], lambda item, device: "framework")
    (finding,) = reg.check(merged)
    assert finding.kind == "first-argument"
    assert "apply in app, framework merged" in finding.problem
    assert reg.check(reg.ListClassLookup(parts)) == []
    framework.register(show, [Invoice, Phone], lambda item, device: "both")
    assert reg.check(merged) == []


def test_abstract_classes_of_merged_registries_are_decided_by_the_order(parts):
    app, framework = parts
    merged = reg.MergedClassLookup(parts)
    app.register(describe, [Readable], lambda item: "app")
    framework.register(describe, [Closable], lambda item: "framework")
    (finding,) = reg.check(merged)
    assert finding.kind == "registration-order"
    app.register(describe, [File], lambda item: "file")
    assert reg.check(merged) == []


def test_the_same_classes_in_two_merged_registries_are_no_ambiguity(parts):
    for registry in parts:
        registry.register(show, [Invoice, Screen], lambda item, device: "one")
    assert reg.check(reg.MergedClassLookup(parts)) == []
