"""Generic functions that say which parameters dispatch."""

from __future__ import annotations

import pytest

import reg


@pytest.fixture
def registry():
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    return registry


def test_exactly_the_named_parameters_dispatch(registry):
    @reg.generic("model")
    def render(model, target, size=0):
        return ("fallback", model, target, size)

    registry.register(render, [int], lambda model, target, size=0: ("int", model, target, size))
    for _ in range(2):
        assert render(1, "any") == ("int", 1, "any", 0)
        assert render(1, 2, 3) == ("int", 1, 2, 3)
        assert render("a", 1) == ("fallback", "a", 1, 0)


def test_they_dispatch_however_they_are_passed(registry):
    @reg.generic("request", "model")
    def view(model, request, more=0):
        return ("fallback", model, request, more)

    registry.register(
        view, [int, str], lambda model, request, more=0: ("found", model, request, more)
    )
    for _ in range(2):
        assert view("m", 1) == ("found", "m", 1, 0)
        assert view("m", request=1) == ("found", "m", 1, 0)
        assert view(model="m", request=1, more=2) == ("found", "m", 1, 2)
        assert view(request=1, model="m") == ("found", "m", 1, 0)
        assert view(1, "m") == ("fallback", 1, "m", 0)


def test_one_left_to_its_default_dispatches_on_that(registry):
    @reg.generic("target")
    def render(model, target=None, *, size=0):
        return ("fallback", target)

    registry.register(render, [None], lambda model, target, *, size=0: ("none", target, size))
    registry.register(render, [str], lambda model, target, *, size=0: ("text", target, size))
    for _ in range(2):
        assert render(1) == ("none", None, 0)
        assert render(1, size=5) == ("none", None, 5)
        assert render(1, "a") == ("text", "a", 0)
        assert render(1, target="a") == ("text", "a", 0)
        assert render(1, 2) == ("fallback", 2)


def test_keyword_only_parameters_dispatch_too(registry):
    @reg.generic("kind")
    def export(model, *, kind, size=0):
        return ("fallback", kind)

    registry.register(export, [int], lambda model, *, kind, size=0: ("int", kind, size))
    for _ in range(2):
        assert export("m", kind=1) == ("int", 1, 0)
        assert export("m", kind=1, size=2) == ("int", 1, 2)
        assert export("m", kind="a") == ("fallback", "a")


def test_keyword_only_parameters_left_to_their_default_dispatch_on_that(registry):
    @reg.generic("kind", "model")
    def export(model, *, kind=1.5):
        return "fallback"

    registry.register(export, [float, int], lambda model, *, kind: ("float", kind))
    assert export(1) == ("float", 1.5)
    assert export(1, kind=2.5) == ("float", 2.5)
    assert export(1, kind="a") == "fallback"


def test_positional_only_parameters_dispatch_too(registry):
    @reg.generic("model")
    def render(model, /, target=None):
        return "fallback"

    registry.register(render, [int], lambda model, /, target=None: ("int", target))
    assert render(1, 2) == ("int", 2)
    assert render(1, target=2) == ("int", 2)
    assert render("a") == "fallback"


def test_a_keyword_named_like_a_positional_only_parameter_is_the_callers_own(registry):
    @reg.generic("model")
    def render(model, /, **keywords):
        return ("fallback", keywords)

    registry.register(render, [int], lambda model, /, **keywords: ("int", keywords))
    assert render(1, model="own") == ("int", {"model": "own"})
    with pytest.raises(TypeError, match="model"):
        render(model=1)


def test_all_other_arguments_go_through(registry):
    @reg.generic("second")
    def meet(first, second, *more, **keywords):
        return "fallback"

    registry.register(
        meet, [int], lambda first, second, *more, **keywords: (first, second, more, keywords)
    )
    for _ in range(2):
        assert meet("a", 1) == ("a", 1, (), {})
        assert meet("a", 1, 2, 3, other=4) == ("a", 1, (2, 3), {"other": 4})
        assert meet("a", second=1, other=4) == ("a", 1, (), {"other": 4})


def test_a_missing_argument_is_a_type_error_that_names_it(registry):
    @reg.generic("model")
    def render(target, model): ...

    for call in (render, render.component):
        with pytest.raises(TypeError, match="'model'"):
            call(1)


@pytest.mark.parametrize("names", [["nothing"], ["model", "nothing"], ["rest"], ["keywords"]])
def test_an_unknown_name_is_an_error_at_decoration(names):
    with pytest.raises(TypeError, match="it has model, target"):

        @reg.generic(*names)
        def render(model, target=None, *rest, **keywords): ...


def test_a_name_given_twice_is_an_error_at_decoration():
    with pytest.raises(TypeError, match="twice"):

        @reg.generic("model", "model")
        def render(model): ...


def test_names_and_a_function_cannot_be_mixed():
    with pytest.raises(TypeError, match="names of the parameters"):
        reg.generic(len, "obj")
    with pytest.raises(TypeError, match="names of the parameters"):
        reg.generic("obj", 1)


def test_component_and_all_take_the_dispatch_arguments_as_a_call_does(registry):
    @reg.generic("model", "target")
    def render(target, model=None): ...

    registry.register(render, [int, str], "found")
    registry.register(render, [None, str], "none")
    assert render.component("t", 1) == "found"
    assert render.component("t", model=1) == "found"
    assert render.component(target="t", model=1) == "found"
    assert render.component("t") == "none"
    assert list(render.all(target="t", model=1)) == ["found"]
    assert render.component(1, default="default") == "default"
    with pytest.raises(TypeError, match=r"component\(\) got an unexpected keyword argument 'x'$"):
        render.component("t", x=1)


def test_default_and_lookup_are_taken_out(registry):
    @reg.generic("model")
    def render(model, **keywords):
        return ("fallback", keywords)

    other = reg.Registry()
    other.register(render, [int], lambda model, **keywords: keywords or None)
    assert render(1, lookup=other, a=1) == {"a": 1}
    assert render(1, lookup=other, default="default") == "default"
    assert render("a", lookup=other, default="default") == "default"
    assert render("a", lookup=other) == ("fallback", {})
    with pytest.raises(reg.NoImplicitLookupError):
        render(1, lookup=None)


def test_implementations_may_name_their_parameters_otherwise(registry):
    @reg.generic("model", "target")
    def render(model, target, size=0):
        return "fallback"

    registry.register(render, [int, str], lambda m, t, s=0: ("found", m, t, s))
    assert render(1, "a") == ("found", 1, "a", 0)
    assert render(1, target="a", size=5) == ("found", 1, "a", 5)
    assert render(target="a", model=1) == ("found", 1, "a", 0)


def test_it_is_a_method_in_a_class_body(registry):
    class Shop:
        @reg.generic("thing")
        def price(self, thing, more=0):
            return "fallback"

    registry.register(Shop.price, [int], lambda self, thing, more=0: (type(self), thing, more))
    for _ in range(2):
        assert Shop().price(1) == (Shop, 1, 0)
        assert Shop().price(thing=1, more=2) == (Shop, 1, 2)
        assert Shop().price("a") == "fallback"


def test_a_class_generic_can_name_its_parameters(registry):
    class Animal: ...

    class Cat(Animal): ...

    @reg.classgeneric("cls", "target")
    def make(target, cls, more=0):
        return "fallback"

    registry.register(make, [Animal, int], lambda target, cls, more=0: (target, cls, more))
    for _ in range(2):
        assert make(1, Cat) == (1, Cat, 0)
        assert make(1, cls=Cat, more=5) == (1, Cat, 5)
        assert make("a", Cat) == "fallback"
    assert make.component(1, cls=Cat)(1, 2) == (1, 2, 0)


def test_lookups_that_are_asked_dispatch_on_the_named_parameters():
    class Overriding(reg.Lookup):
        def component(self, *args, **kw):
            return super().component(*args, **kw)

    @reg.generic("model")
    def render(target, model=None):
        return "fallback"

    registry = reg.ClassRegistry()
    registry.register(render, [int], lambda target, model: ("int", target, model))
    registry.register(
        render, [bool], lambda target, model, call_next: ("bool", call_next(), call_next())
    )
    lookup = Overriding(registry)
    assert render("t", 1, lookup=lookup) == ("int", "t", 1)
    assert render("t", model=1, lookup=lookup) == ("int", "t", 1)
    assert render("t", lookup=lookup) == "fallback"
    assert render("t", lookup=lookup, default="default") == "default"
    assert render("t", True, lookup=lookup) == ("bool", ("int", "t", True), ("int", "t", True))


def test_the_lookup_and_call_next_are_given_where_they_are_asked_for(registry):
    @reg.generic("model")
    def render(target, model=None, lookup=None):
        return ("fallback", target, model)

    registry.register(render, [int], lambda target, model, lookup: (target, model, lookup))
    registry.register(render, [bool], lambda t, m, call_next: ("bool", call_next()))
    assert render("t", model=1) == ("t", 1, registry)
    assert render("t", model=True) == ("bool", ("t", True, registry))


class _Model:
    pass


class _Request:
    pass


@reg.generic("request", "model")
def view(model, request):
    return "fallback"


def _in_another_order(request: _Request, model: _Model):
    return type(request), type(model)


def _by_name_only(*, model: _Model, request: _Request):
    return type(request), type(model)


def _with_more(request: _Request, more: int = 1, *, model: _Model):
    return type(request), type(model)


@pytest.mark.parametrize("implementation", [_in_another_order, _by_name_only, _with_more])
def test_an_implementation_may_have_the_parameters_in_another_order(implementation):
    registry = reg.Registry()
    registry.implements(view)(implementation)
    assert registry.exact(view, [_Request, _Model]) is implementation
    model, request = _Model(), _Request()
    for _ in range(2):
        for result in (
            view(model, request, lookup=registry),
            view(model=model, request=request, lookup=registry),
            view(model, request=request, lookup=registry),
        ):
            assert result == (_Request, _Model)


def test_call_next_passes_arguments_in_the_order_of_the_generic_function():
    registry = reg.Registry()

    @registry.implements(view)
    def for_object(request: object, model: object):
        return request, model

    @registry.implements(view)
    def for_request(request: _Request, model: object, call_next):
        return call_next(), call_next(model, request)

    model, request = _Model(), _Request()
    both = (request, model)
    assert view(model, request, lookup=registry) == (both, both)


def test_other_names_in_another_order_are_an_error_since_arguments_would_be_mixed_up():
    registry = reg.Registry()

    @registry.register(view, [_Request, _Model])
    def mixed(req, model):
        return "mixed"

    for _ in range(2):
        with pytest.raises(TypeError, match=r"'model' at another place .* model, request"):
            view(_Model(), _Request(), lookup=registry)
