"""reg.trace(): the implementations that run in a block."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import sys
import threading
import weakref
from typing import Literal

import pytest

import reg


class Document:
    pass


class Invoice(Document):
    pass


@pytest.fixture
def render():
    @reg.generic
    def render(document, *, indent=""):
        return "?"

    return render


@pytest.fixture
def lookup(render):
    framework, app = reg.Registry(name="framework"), reg.Registry(name="app")

    @framework.implements(render)
    def any_document(document: Document):
        return "document"

    @app.implements(render)
    def invoice(document: Invoice, call_next):
        return f"invoice, {call_next()}"

    return reg.Lookup(reg.ListClassLookup([app, framework]))


def names(calls):
    return [(call.implementation.__name__, names(call.calls)) for call in calls]


def test_an_implementation_that_runs_by_call_next_is_inside_the_one_that_called_it(render, lookup):
    with reg.trace() as calls:
        assert render(Invoice(), lookup=lookup) == "invoice, document"
    (outer,) = calls
    (inner,) = outer.calls
    assert (outer.key, outer.classes, outer.registry) == (render, (Invoice,), "app")
    assert (inner.key, inner.classes, inner.registry) == (render, (Invoice,), "framework")
    assert outer.place.startswith(f"{__file__}:")
    assert outer.seconds >= inner.seconds >= 0
    assert inner.started >= outer.started
    assert not outer.is_fallback
    assert outer.error is None


def test_a_fallback_is_recorded_as_one(render, lookup):
    with reg.trace() as calls:
        render("text", lookup=lookup)
        render("text", indent=" ", lookup=lookup)
        # The caller's default takes the place of the fallback.
        render("text", lookup=lookup, default=None)
    assert [(call.is_fallback, call.registry) for call in calls] == [(True, None)] * 2
    assert str(calls).startswith("render(str) -> the fallback, at ")


def test_calls_are_the_same_with_a_trace_and_without(render, lookup):
    def all_calls():
        return [
            render(Invoice(), lookup=lookup),
            render(document=Invoice(), lookup=lookup),
            render(Document(), lookup=lookup, default=1),
            render(1, lookup=lookup, default=1),
            lookup.call(render, [Invoice()]),
            render.component(Invoice(), lookup=lookup),
            render.all(Invoice(), lookup=lookup),
        ]

    before = all_calls()
    with reg.trace() as calls:
        assert all_calls() == all_calls() == before
    assert all_calls() == before
    assert len(calls) == 8


def test_a_call_by_a_key_is_recorded():
    registry = reg.Registry(name="app")
    registry.register("size", [int], lambda number: number)
    with reg.trace() as calls:
        assert registry.call("size", [3]) == 3
        with pytest.raises(reg.ComponentLookupError):
            registry.call("size", [""])
    (call,) = calls
    assert (call.key, call.registry, call.is_fallback) == ("size", "app", False)


def test_the_answer_of_a_matcher_is_recorded(render):
    registry = reg.Registry()
    matcher = reg.PredicateMatcher([reg.Predicate("size", reg.KeyIndex, lambda document: 1)])

    @matcher.register({"size": 1})
    def small(document):
        return "small"

    registry.register(render, [Document], matcher)
    with reg.trace() as calls:
        for _ in range(3):
            assert render(Document(), lookup=registry) == "small"
    assert names(calls) == [("small", [])] * 3
    assert calls.calls[0].registry is None


def test_a_lookup_of_a_frameworks_own_is_recorded(render):
    class Own:
        def component(self, key, args, default=None, **options):
            return lambda document: "own"

        def all(self, key, args, **options):
            return []

        call = reg.Lookup.call

    with reg.trace() as calls:
        assert render(Document(), lookup=Own()) == "own"
    assert names(calls) == [("<lambda>", [])]


def test_an_error_is_recorded_and_comes_out(render, lookup):
    registry = reg.Registry()

    @registry.implements(render)
    def fail(document: Document):
        raise ValueError("broken")

    with reg.trace() as calls, pytest.raises(ValueError, match="broken"):
        render(Document(), lookup=registry)
    assert calls.calls[0].error == "ValueError('broken')"
    assert "raised ValueError('broken')" in str(calls)


def test_a_trace_inside_another_belongs_to_both(render, lookup):
    with reg.trace() as outer:
        render(1, lookup=lookup)
        with reg.trace() as inner:
            render(Document(), lookup=lookup)
        render(2, lookup=lookup)
    assert names(inner) == [("any_document", [])]
    assert [name for name, _ in names(outer)] == ["render", "any_document", "render"]


def test_a_coroutine_ends_when_it_is_done_and_its_calls_are_inside(render, lookup):
    @reg.generic
    async def fetch(document):
        raise NotImplementedError

    registry = reg.Registry()

    @registry.implements(fetch)
    async def fetch_document(document: Document):
        await asyncio.sleep(0)
        return render(document, lookup=lookup)

    async def several():
        with reg.trace() as calls:
            tasks = [fetch(each, lookup=registry) for each in (Document(), Invoice())]
            results = await asyncio.gather(*tasks)
        return results, calls

    results, calls = asyncio.run(several())
    assert results == ["document", "invoice, document"]
    assert names(calls) == [
        ("fetch_document", [("any_document", [])]),
        ("fetch_document", [("invoice", [("any_document", [])])]),
    ]
    assert all(call.seconds is not None for call in calls)


def test_a_generator_that_is_consumed_later_is_recorded_when_it_is_created(render):
    @reg.generic
    def lines(document):
        yield "?"

    registry = reg.Registry()

    @registry.implements(lines)
    def lines_of_document(document: Document):
        yield "a"
        yield "b"

    with reg.trace() as calls:
        result = lines(Document(), lookup=registry)
    assert list(result) == ["a", "b"]
    assert names(calls) == [("lines_of_document", [])]


def test_another_thread_and_another_context_are_not_recorded(render, lookup):
    outside = contextvars.copy_context()
    # Python can be told to start threads with a copy of the context.
    starts_empty = not getattr(sys.flags, "thread_inherit_context", False)
    with reg.trace() as calls:
        outside.run(render, 1, lookup=lookup)
        if starts_empty:
            thread = threading.Thread(target=render, args=(1,), kwargs={"lookup": lookup})
            thread.start()
            thread.join()
    assert len(calls) == 0
    assert str(calls) == "no calls"


def test_no_more_calls_than_wanted_are_recorded(render, lookup):
    with reg.trace(most=2) as calls:
        for _ in range(5):
            render(1, lookup=lookup)
    assert (len(calls), calls.dropped) == (2, 3)
    assert str(calls).endswith("… and 3 more, which were not recorded")


def test_a_trace_is_entered_once(render, lookup):
    calls = reg.trace()
    with calls:
        render(1, lookup=lookup)
        with pytest.raises(RuntimeError, match="was entered before"), calls:
            pass
    with pytest.raises(RuntimeError, match="was entered before"), calls:
        pass
    assert len(calls) == 1


@pytest.mark.parametrize(("most", "error"), [("2", TypeError), (0, ValueError)])
def test_a_wrong_number_of_calls_is_refused(most, error):
    with pytest.raises(error, match="most is"):
        reg.trace(most=most)


def test_data_and_table_have_every_call(render, lookup):
    with reg.trace() as calls:
        render(Invoice(), lookup=lookup)
    (call,) = json.loads(json.dumps(calls.as_dicts()))
    assert call["implementation"].endswith("invoice")
    assert call["calls"][0]["registry"] == "framework"
    table = calls._repr_html_()
    assert "render(Invoice)" in table
    assert "any_document" in table
    assert repr(calls) == "<Trace of 2 calls>"


@pytest.mark.needs_mortal_classes
def test_nothing_is_kept_alive_after_the_trace(render):
    class Passing:
        pass

    registry = reg.Registry()
    registry.register(render, [object], lambda document: "object")
    reference = weakref.ref(Passing)
    with reg.trace() as calls:
        render(Passing(), lookup=registry)
    del calls, Passing
    gc.collect()
    assert reference() is None


def test_a_registration_inside_the_block_counts(render, lookup):
    with reg.trace() as calls:
        render("", lookup=lookup)
        lookup.class_lookup.lookups[0].register(render, [str], lambda document: "str")
        render("", lookup=lookup)
    assert [call.is_fallback for call in calls] == [True, False]


def test_spans_are_sent_with_their_parents(render, lookup):
    sdk = pytest.importorskip(
        "opentelemetry.sdk.trace", reason="needs opentelemetry-sdk, which supports this Python"
    )
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with reg.trace() as calls:
        render(Invoice(), lookup=lookup)
        with pytest.raises(TypeError):
            render(lookup=lookup)
    calls.to_opentelemetry(provider.get_tracer("test"))
    first, inner, failed = sorted(exporter.get_finished_spans(), key=lambda span: span.start_time)
    assert (first.name, first.parent) == ("render(Invoice)", None)
    assert inner.parent.span_id == first.context.span_id
    assert first.attributes["reg.registry"] == "app"
    assert first.start_time == calls.calls[0].started
    assert first.end_time > first.start_time
    assert failed.parent is None
    assert not failed.status.is_ok


def test_without_opentelemetry_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"reg-dispatch\[opentelemetry\]"):
        reg.trace().to_opentelemetry()


def test_an_implementation_for_a_value_is_recorded_with_its_registry(render):
    registry = reg.Registry(name="app")
    registry.register(render, [Literal["a"]], lambda document: "a")
    with reg.trace() as calls:
        assert render("a", lookup=registry) == "a"
    assert calls.calls[0].registry == "app"


def test_a_task_that_outlives_its_trace_is_not_recorded_in_it(render, lookup):
    async def later():
        await asyncio.sleep(0)
        render(1, lookup=lookup)

    async def outliving():
        with reg.trace() as closed:
            task = asyncio.create_task(later())
        with reg.trace() as other:
            await task
        return closed, other

    closed, other = asyncio.run(outliving())
    assert len(closed) == len(other) == 0


def test_traces_that_are_left_in_another_order_lose_no_call(render, lookup):
    first, second = reg.trace(), reg.trace()
    first.__enter__()
    second.__enter__()
    render(1, lookup=lookup)
    first.__exit__(None, None, None)
    render(2, lookup=lookup)
    second.__exit__(None, None, None)
    render(3, lookup=lookup)
    assert (len(first), len(second)) == (2, 2)


def test_a_trace_opens_and_closes_while_other_threads_make_lookups(render):
    registry = reg.Registry()
    stopped, errors = threading.Event(), []

    def serve():
        while not stopped.is_set():
            try:
                render(1, lookup=reg.Lookup(reg.ListClassLookup([registry])))
            except Exception as error:
                errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        for _ in range(1_000):
            with reg.trace():
                pass
    finally:
        stopped.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert errors == []
    with reg.trace() as calls:
        render(1, lookup=registry)
    assert len(calls) == 1


def test_a_trace_that_cannot_be_opened_leaves_nothing_behind(render, lookup, monkeypatch):
    def fail():
        raise KeyboardInterrupt

    calls = reg.trace()
    with monkeypatch.context() as patch:
        patch.setattr("reg.tools.trace.invalidate_all_caches", fail)
        with pytest.raises(KeyboardInterrupt), calls:
            pass
    with reg.trace() as others:
        render(1, lookup=lookup)
    assert (len(calls), len(others)) == (0, 1)
