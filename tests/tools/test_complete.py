"""Which combinations of classes a generic function has no implementation for."""

import abc

import pytest

import reg
from reg import ListClassLookup, Lookup, Registry


class Item(abc.ABC):
    @abc.abstractmethod
    def title(self): ...


class Text(Item):
    def title(self):
        return ""


class Video(Item):
    def title(self):
        return ""


class Screen:
    pass


class Paper:
    pass


@reg.generic
def show(item, target):
    return "fallback"


@pytest.fixture
def registry():
    registry = Registry(name="app")
    registry.register(show, [Text, Screen], lambda item, target: "text on screen")
    return registry


def _problems(lookup, **settings):
    return [finding.problem for finding in reg.check(lookup, **settings)]


def test_combinations_that_end_at_the_fallback_are_named(registry):
    (finding,) = reg.check(registry, complete={show: [Item, [Screen, Paper]]})
    assert (finding.kind, finding.severity) == ("incomplete", "error")
    assert finding.problem == (
        "3 of 4 combinations of classes end at the fallback of show: (Video, any), (Text, Paper)"
    )
    assert finding.places[0].startswith(__file__)
    registry.register(show, [Video, Screen], lambda item, target: "video")
    (problem,) = _problems(registry, complete={show: [Item, [Screen, Paper]]})
    assert problem.endswith("(any, Paper)")
    registry.register(show, [Item, Paper], lambda item, target: "printed")
    assert reg.check(registry, complete={show: [Item, [Screen, Paper]]}) == []


def test_object_is_the_implementation_of_nobody(registry):
    registry.register(show, [object, Screen], lambda item, target: "anything on screen")
    (finding,) = reg.check(registry, complete={show: [[Text, Video], [Screen]]})
    assert (
        finding.problem == "1 of 2 combinations of classes end at object of show: (Video, Screen)"
    )
    assert len(finding.places) == 1


def test_a_class_stands_for_its_loaded_subclasses_that_may_have_instances():
    class Node(abc.ABC):
        @abc.abstractmethod
        def walk(self): ...

    class Leaf(Node):
        def walk(self): ...

    class GreenLeaf(Leaf):
        pass

    @reg.generic
    def draw(node):
        pass

    registry = Registry()
    (problem,) = _problems(registry, complete={draw: [Node]})
    assert problem.endswith("2 of 2 combinations of classes end at the fallback of draw: (any)")
    registry.register(draw, [GreenLeaf], lambda node: 1)
    (problem,) = _problems(registry, complete={draw: [Node]})
    assert problem.endswith(": (Leaf)")
    registry.register(draw, [Node], lambda node: 1)
    assert reg.check(registry, complete={draw: [Node]}) == []


def test_loaded_classes_are_never_compared():
    class Odd(type):
        def __eq__(cls, other):
            raise RuntimeError("not to be compared")

        __hash__ = type.__hash__

    class Base:
        pass

    class Strange(Base, metaclass=Odd):
        pass

    @reg.generic
    def draw(item):
        pass

    registry = Registry()
    registry.register(draw, [Base], lambda item: 1)
    assert reg.check(registry, complete={draw: [Base]}) == []
    assert draw(Strange(), lookup=registry) == 1


def test_a_union_stands_for_the_subclasses_of_its_members(registry):
    (problem,) = _problems(registry, complete={show: [Item, Screen | Paper]})
    assert problem.startswith("3 of 4 combinations")


def test_a_composition_is_asked_as_a_call_asks_it(registry):
    host = Registry(name="host")
    host.register(show, [Item, object], lambda item, target: "an item")
    lookup = Lookup(ListClassLookup([registry, host]))
    assert _problems(lookup, complete={show: [[Text], [Screen]]}) == []
    (problem,) = _problems(lookup, complete={show: [Item, [Screen, Paper]]})
    assert problem.startswith("3 of 4")


def test_a_matcher_counts_as_an_implementation(registry):
    matcher = reg.PredicateMatcher([reg.Predicate("name", reg.KeyIndex)])
    registry.register(show, [Item, Paper], matcher)
    registry.register(show, [Item, Screen], matcher)
    assert reg.check(registry, complete={show: [Item, Screen | Paper]}) == []


def test_a_class_lookup_can_be_asked_too(registry):
    assert len(reg.check(registry.registry, complete={show: [Item, [Screen]]})) == 1


def test_named_dispatch_takes_classes_in_the_order_of_the_names():
    @reg.generic("target")
    def draw(item, *, target):
        pass

    registry = Registry()
    registry.register(draw, [Screen], lambda item, *, target: 1)
    (problem,) = _problems(registry, complete={draw: [[Screen, Paper]]})
    assert problem == "1 of 2 combinations of classes end at the fallback of draw: (Paper)"
    with pytest.raises(TypeError, match="classes for target; got 2"):
        reg.check(registry, complete={draw: [Item, Screen]})


def test_an_incomplete_generic_can_be_accepted(registry):
    accept = [f"incomplete:{__name__}.show"]
    assert reg.check(registry, accept=accept, complete={show: [Item, Paper]}) == []


@pytest.mark.parametrize(
    ("complete", "message"),
    [
        ({"show": [Item]}, "'show', which is not a generic function"),
        ({show: Item}, "a list with a class, or a list of classes"),
        ({show: [Item, "Screen"]}, "a class or a list of classes at position 1; got 'Screen'"),
        ({show: [Item, 3]}, "at position 1; got 3"),
    ],
)
def test_only_classes_make_combinations(registry, complete, message):
    with pytest.raises(TypeError, match=message):
        reg.check(registry, complete=complete)


def test_many_combinations_are_counted_and_the_first_named():
    classes = [type(f"Item{number:02}", (), {}) for number in range(30)]
    registry = Registry()
    registry.register(show, [classes[0], classes[0]], lambda item, target: 1)
    (problem,) = _problems(registry, complete={show: [classes, classes]})
    assert problem.startswith("899 of 900 combinations")
    assert problem.endswith("48 more")


@pytest.mark.parametrize("complete", [show, [show], "show"])
def test_the_classes_are_given_in_a_dictionary(complete):
    with pytest.raises(TypeError, match="takes a dictionary of generic functions"):
        reg.check(Registry(), complete=complete)
