"""A discovery that is interrupted, at any step, was done wholly or not at all."""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import os
import sys
import threading
import warnings

import pytest

import reg.backends

from ..core.test_faults import Fault, faults_in_callbacks, free  # noqa: F401
from ..soak import SOAK

PACKAGE = os.path.dirname(reg.backends.__file__)
FILES = {
    os.path.join(PACKAGE, f"{name}.py")
    for name in (
        *("backend", "caller_warnings", "discovery", "dispatcher", "docs/docstrings"),
        *("docs/published", "docs/signatures", "entry_points", "names", "selection", "settings"),
        "trust",
    )
}
BACKENDS = {
    "accel": """
        name = "accel"
        aliases = ["quick"]
        array_types = [int]
        def f(x, y=1, *, device=0):
            ''':param device: Where.'''
            return "accel"
        """,
    "asking": """
        import asked_by_a_test
        name = "asking"
        asked_by_a_test.ask("other")
        def f(x, *, extra=None): return "asking"
        """,
    "broken": "raise ZeroDivisionError",
    "class:Made": """
        class Made:
            name = "made"
            aliases = ["b d", "m"]
            def f(self, x, *, chunk=3, _hidden=1): return "made"
        """,
    "impostor": "name = 'trusty'",
    "other": "name = 'other'\ndef f(x): return 'other'",
    "unnamed": "",
}


class LineFault:
    """Raises before the n-th line that is run of the modules that find backends.

    Not before a ``with`` statement: that line is shown once more when the block
    is left, at a moment when Python handles no signals.
    """

    def __init__(self, number, error):
        self.left = number
        self.error = error
        self.raised = False

    def __enter__(self):
        sys.settrace(self)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def __call__(self, frame, event, arg):
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line" and not source_of(frame).startswith("with "):
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self.raised = True
                raise self.error("injected")
        return self


@functools.cache
def lines_of(path):
    with open(path) as file:
        return [line.strip() for line in file]


def source_of(frame):
    return lines_of(frame.f_code.co_filename)[frame.f_lineno - 1]


class World:
    """A host whose backends are all there, and not yet asked for."""

    def __init__(self, site, host, nested=True):
        for module in site.modules:
            sys.modules.pop(module, None)
        import asked_by_a_test

        self.dispatcher = host(
            untrusted="warn",
            trusted_backends={
                "accel": {"aliases": ["acc"], "package": "accel-dist"},
                "trusty": {"package": "trusty-dist"},
            },
        )

        # What exits while a module is imported is taken for an exit of that module.
        asked_by_a_test.ask = self.dispatcher.get_backend if nested else str

        @self.dispatcher.backend_dispatch
        def f(x, y=1):
            """Do it.

            Parameters
            ----------
            x : int
                The x.
            """
            return "host"

        self.f = f

    def state(self):
        """The results of discovery, as far as they can be seen without one."""
        found = self.dispatcher._discovery.inventory
        return (
            [(name, each.aliases, repr(each)) for name, each in found.backends.items()],
            {label: each.name for label, each in found.labels.items()},
            [(each.names, each.reason, type(each.error)) for each in found.failures],
            found.complete,
            found.loading,
            str(inspect.signature(self.f)),
            self.f.__doc__,
        )

    def everything(self):
        """The answers of the host and its backends to all queries."""
        self.dispatcher.discover()
        answers = []
        for label in self.dispatcher.available_backend_names():
            answers.append((label, self.f(1, backend=label)))
        for label in ("broken", "trusty", "unnamed"):
            with pytest.raises((ImportError, ValueError)) as caught:
                self.dispatcher.settings.backend = label
            answers.append((str(caught.value), type(caught.value.__cause__)))
        answers.append(self.f(1, backend="auto"))
        return answers, sorted(map(str, self.state()[2])), self.state()[5:], self.state()[1]


def discover(world):
    world.dispatcher.discover()


def ask_for_one(world):
    world.dispatcher.get_backend("acc")


def ask_for_what_does_not_exist(world):
    with contextlib.suppress(ValueError):
        world.dispatcher.settings.backend = "nonsense"


def choose_by_argument(world):
    world.dispatcher.explain(world.f, 1, backend="auto")


def choose_by_alias(world):
    world.dispatcher.explain(world.f, 1, backend="quick")


OPERATIONS = [
    *(discover, ask_for_one, ask_for_what_does_not_exist, choose_by_argument, choose_by_alias),
]


ERRORS = [KeyboardInterrupt, SystemExit, MemoryError]


@pytest.fixture
def world(site, host, monkeypatch):
    """Makes hosts; their backends are imported anew."""
    # Thousands of discoveries need not read the distributions that run the tests. The one that a
    # discovery imports is imported before their path is left out.
    import docstring_parser  # noqa: F401

    paths = [path for path in sys.path if "site-packages" not in path]
    monkeypatch.setattr(sys, "path", paths)
    site.write("asked_by_a_test", "ask = None")
    for reference, source in BACKENDS.items():
        module, _, attribute = reference.partition(":")
        site.write(f"{module}_of_a_fault", source)
        reference = f"{module}_of_a_fault" + (f":{attribute}" if attribute else "")
        name = "trusty" if module == "impostor" else module
        site.install(f"{module}-dist", {name: reference})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield lambda nested=True: World(site, host, nested)
    sys.modules.pop("asked_by_a_test", None)


def interrupted(world, operation, fault_of, number, error):
    made = world(error is not SystemExit)
    with fault_of(number, error) as fault, contextlib.suppress(error, ImportError):
        operation(made)
    return made, fault


@pytest.mark.parametrize("fault_of", [LineFault, Fault], ids=["lines", "calls"])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.__name__)
def test_a_fault_at_any_step_of_a_discovery(world, operation, error, fault_of):
    # Counted in the second run, and without a garbage collection: the others have as many steps.
    interrupted(world, operation, fault_of, 10**9, error)
    gc.collect()
    gc.disable()
    try:
        fresh, fault = interrupted(world, operation, fault_of, 10**9, error)
    finally:
        gc.enable()
    steps = 10**9 - fault.left
    assert steps > 50
    before = world().state()
    after = fresh.state()
    expected = fresh.everything()
    assert before != after
    assert len(expected[0]) == 11
    # In a moment, each error is raised at other steps.
    step = 1 if SOAK else steps // 25
    numbers = range(1 + ERRORS.index(error) * step // len(ERRORS), steps, step)
    print(f"{len(numbers)} faults in {steps} steps")
    raised = 0
    for number in numbers:
        made, fault = interrupted(world, operation, fault_of, number, error)
        # The last may be missed: garbage that is collected meanwhile makes steps too.
        raised += fault.raised
        found = made.state()
        if error is not MemoryError:
            assert found in (before, after), number
        assert free(made.dispatcher._discovery.lock), number
        assert made.everything() == expected, number
    assert raised > 0.9 * len(numbers)


def test_threads_go_on_where_another_was_interrupted(world):
    expected = world().everything()
    for number in range(1, 2000, 1 if SOAK else 83):
        made = world()
        answers = []

        def ask(made=made, answers=answers):
            answers.append(made.everything())

        threads = [threading.Thread(target=ask) for _ in range(3)]
        with LineFault(number, KeyboardInterrupt) as fault:
            # Only this thread is traced.
            for thread in threads:
                thread.start()
            with contextlib.suppress(KeyboardInterrupt):
                made.dispatcher.discover()
        for thread in threads:
            thread.join()
        assert answers == [expected] * 3
        assert made.everything() == expected
        assert fault.raised or fault.left
