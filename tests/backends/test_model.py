"""Hosts and backends agree with the model, whatever is installed and whatever is asked."""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextlib
import importlib.metadata
import inspect
import itertools
import shutil
import sys
import tempfile
import threading
import types
import warnings
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reg.backends import BackendDispatcher

from . import model

#: what was compared, which is printed at the end
FIGURES = collections.Counter()
NUMBER = itertools.count()
HOOKS = types.ModuleType("hooks_of_a_model")
RESERVED = {"mine": "it is kept for later"}

NAMES = ["alpha", "beta", "gamma", "Alpha", "be-ta", "be_ta", "x.y", "al"]
ODD_NAMES = [None, "b d", "cpu", "auto", "CPU", "mine", "Mine", 7, "", "al", "bet"]
ASKED = [*NAMES, "bet", "nonsense", "mine", "cpu", "BETA", "", " ", 3]
ALIASES = ["al", "bet", "one", "two", "One", "gamma", "b d", "cpu", "alpha", "mine", "x-y"]
DISTRIBUTIONS = ["first", "second-one", "Second.Two", "third"]
SUPPLIERS = {"alpha": "first", "beta": "second-one"}
FUNCTIONS = ["f", "g"]


class Mine: ...


class Other: ...


class Derived(Mine): ...


class Ambiguous:
    """Like an array: its comparison has no truth value."""

    def __eq__(self, other):
        return self

    __hash__ = object.__hash__

    def __bool__(self):
        raise ValueError("ambiguous")


VALUES = [0, 1, 2, 1.0, "1", Mine(), Derived(), Other(), Ambiguous(), None]
vars(HOOKS).update(Mine=Mine, Derived=Derived, Other=Other)


def choice_of(*common, rare=()):
    """One of the common ones as a rule."""
    return st.integers(0, 9).flatmap(lambda n: st.sampled_from(rare if n == 9 and rare else common))


# What is installed


@st.composite
def signatures(draw, names, default):
    """Parameters as they are written; ``default`` makes a default of a name."""
    names = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    kinds = sorted(draw(st.lists(st.integers(0, 2), min_size=len(names), max_size=len(names))))
    written, optional, last = [], False, None
    for name, kind in zip(names, kinds, strict=True):
        if last == 0 and kind > 0:
            written.append("/")
        if kind == 2 and last != 2:
            written.append("*")
            optional = False
        # Behind one with a default, the others that are positional need one as well.
        optional = draw(st.booleans()) or (optional and kind < 2)
        written.append(f"{name}={default(name)}" if optional else name)
        last = kind
    if last == 0:
        written.append("/")
    return [*written, *(["**more"] if draw(choice_of(False, False, rare=[True])) else [])]


@st.composite
def backends(draw):
    """The object that an entry point leads to."""
    name = draw(choice_of("alpha", "beta", "gamma", rare=NAMES))
    functions = {}
    for function in FUNCTIONS:
        kind = draw(choice_of(*["function"] * 4, "missing", rare=["odd", "None"]))
        written = signatures(["a", "b", "c", "d", "e", "h", "_low"], lambda each: f"'own {each}'")
        if kind == "function":
            functions[function] = draw(written), draw(st.booleans()), draw(st.booleans())
        elif kind != "missing":
            functions[function] = kind
    return {
        "entry_point": draw(choice_of(name, name, rare=NAMES)),
        "name": draw(choice_of(name, name, name, rare=ODD_NAMES)),
        "distribution": draw(choice_of(SUPPLIERS.get(name, "third"), rare=DISTRIBUTIONS)),
        "aliases": draw(
            choice_of([], [], draw(st.lists(st.sampled_from(ALIASES), max_size=3)), rare=["al", 3])
        ),
        "load": draw(choice_of("", "", "", rare=["1 / 0", "raise SystemExit(3)", "aliases"])),
        "functions": functions,
        "owned": draw(st.lists(st.sampled_from(["Mine", "Derived", "Other"]), max_size=2)),
        "by_name": draw(st.booleans()),
        "declines": draw(choice_of(None, None, rare=[*FUNCTIONS, "with e"])),
        "object": draw(choice_of(False, rare=[True])),
    }


def source_of(spec):
    """The source of a backend's module."""
    name = spec["name"]
    lines = ["import hooks_of_a_model as hooks"]
    if spec["load"] not in ("", "aliases"):
        lines.append(spec["load"])
    body = [f"name = {name!r}", f"aliases = {spec['aliases']!r}"]
    if spec["load"] == "aliases":
        body[1] = "aliases = property(lambda self: 1 / 0)"
    classes = ", ".join(f"hooks.{each}" for each in spec["owned"])
    references = [f"{__name__}:{each}" for each in spec["owned"]]
    body.append(f"owned = [{classes}]")
    body.append(f"array_types = {references if spec['by_name'] else f'[{classes}]'}")
    if spec["declines"] is not None:
        body.append("def can_run(function, arguments):")
        body.append(f"    return hooks.can_run({spec['declines']!r}, function, arguments)")
        if as_object(spec):
            body[-2:] = [f"can_run = staticmethod(hooks.can_run_of({spec['declines']!r}))"]
    for function, written in spec["functions"].items():
        if isinstance(written, str):
            body.append(f"{function} = {'3' if written == 'odd' else 'None'}")
            continue
        parameters, documented, _ = written
        if as_object(spec):
            body.append("@staticmethod")
        body.append(f"def {function}({', '.join(parameters)}):")
        if documented:
            body.append('    """Do it.')
            body += [f"    :param {each}: The {each} of it." for each in "cdeh"]
            body.append('    """')
        body.append(f"    return hooks.ran({name!r}, {function!r}, locals())")
    if as_object(spec):
        body = ["class Made:", *(f"    {line}" for line in body)]
    return "\n".join([*lines, *body, ""])


def as_object(spec):
    # A module has no properties.
    return spec["object"] or spec["load"] == "aliases"


def can_run(declines, function, arguments):
    """Whether a backend runs a call: it declines a function, or an argument."""
    if declines == function or (declines == "with e" and "e" in arguments):
        return f"not {function} today"
    return True


def can_run_of(declines):
    return lambda function, arguments: can_run(declines, function, arguments)


vars(HOOKS).update(can_run=can_run, can_run_of=can_run_of)


@st.composite
def trusts(draw):
    """The configuration of trust of a host."""
    found = {}
    for name, aliases in draw(st.permutations([("alpha", ["al"]), ("beta", ["bet", "x-y"])])):
        if draw(st.booleans()):
            found[name] = {
                "aliases": draw(st.lists(st.sampled_from(aliases), unique=True)),
                **draw(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "package": choice_of(
                                SUPPLIERS[name].upper().replace("-", "."), rare=["third", "gone"]
                            ),
                            "entrypoints": st.just([name, "gamma"]),
                            "module_prefixes": st.just([f"backend_of_a_model_{len(found)}"]),
                        },
                    )
                ),
            }
    return found


HOST = '''
@dispatcher.backend_dispatch
def {name}({parameters}):
    """Do it.

    Parameters
    ----------
    a : object
        The a.
    """
    return hooks.ran("cpu", {name!r}, locals())
'''
DOCUMENTED = """Do it.

    Parameters
    ----------
    a : object
        The a.
    backend : str, list of str or None
        Backend that runs this call, or several in order of preference; by default, the
        one of the settings. ``"cpu"`` is the code of this library itself.
"""

CHOICES = st.one_of(
    choice_of(*["alpha", "beta", "gamma"] * 2, "auto", "cpu", rare=ASKED),
    st.lists(choice_of("alpha", "beta", "gamma", rare=["auto", *ASKED]), min_size=1, max_size=3),
)
PASSED = st.tuples(
    st.lists(st.sampled_from(VALUES), max_size=3),
    st.dictionaries(st.sampled_from("abcdeh"), st.sampled_from(VALUES), max_size=2),
)


class Machine(RuleBasedStateMachine):
    """A host with installed backends, and the model of it."""

    path = None

    # What is installed, and the host

    @initialize(
        installed=st.lists(backends(), min_size=2, max_size=6) | st.lists(backends(), max_size=1),
        trusted=trusts(),
        untrusted=choice_of("warn", "allow", rare=["refuse"]),
        hosts=st.tuples(*[signatures("abcd", lambda name: str("abcd".index(name)))] * 2),
        strict=choice_of(False, rare=[True]),
        nested=st.fixed_dictionaries(
            dict.fromkeys(FUNCTIONS, st.tuples(st.sampled_from(FUNCTIONS), st.none() | CHOICES))
        ),
    )
    def install(self, installed, trusted, untrusted, hosts, strict, nested):
        FIGURES["examples"] += 1
        FIGURES["backends"] += len(installed)
        self.path = Path(tempfile.mkdtemp(prefix="model"))
        self.scopes = contextlib.ExitStack()
        self.group = f"group_of_a_model_{next(NUMBER)}"
        sys.path.insert(0, str(self.path))
        sys.modules["hooks_of_a_model"] = HOOKS
        # References to classes by name are of this module.
        sys.modules.setdefault(__name__, sys.modules[type(self).__module__])
        self.nested = nested
        self.passing_on = {}
        # Those that are there, and can be asked for.
        self.names = [each["name"] for each in installed if isinstance(each["name"], str)]
        self.write(installed)
        importlib.invalidate_caches()
        self.dispatcher = BackendDispatcher(
            entrypoint_group=self.group,
            host_name="example_host",
            trusted_backends=trusted,
            reserved_backends=RESERVED,
            untrusted=untrusted,
            strict=strict,
        )
        module = {"dispatcher": self.dispatcher, "hooks": HOOKS, "__name__": "host_of_a_model"}
        for name, parameters in zip(FUNCTIONS, hosts, strict=True):
            exec(HOST.format(name=name, parameters=", ".join(parameters)), module)
        self.functions = {name: module[name] for name in FUNCTIONS}
        own = {name: function.__wrapped__ for name, function in self.functions.items()}
        self.model = model.Host(self.entries(), trusted, RESERVED, untrusted, own)
        self.model.state = replace(self.model.state, strict=strict)
        self.default = self.model.state
        self.outer = []
        HOOKS.ran = self.ran
        self.modelling = False
        self.depth = 0

    def write(self, installed):
        sections = collections.defaultdict(list)
        for number, spec in enumerate(installed):
            module = f"backend_of_a_model_{number}"
            self.path.joinpath(f"{module}.py").write_text(source_of(spec))
            reference = module + (":Made" if as_object(spec) else "")
            sections[spec["distribution"]].append(f"{spec['entry_point']} = {reference}")
            for function, written in spec["functions"].items():
                if not isinstance(written, str):
                    self.passing_on[spec["name"], function] = written[2]
        for distribution, lines in sections.items():
            info = self.path / f"{distribution.replace('-', '_')}-1.0.dist-info"
            info.mkdir()
            info.joinpath("METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
            )
            info.joinpath("entry_points.txt").write_text("\n".join([f"[{self.group}]", *lines]))

    def entries(self):
        """The entry points in the order in which Python lists them."""
        return [
            model.Entry(each.name, each.value, each.dist.name, self.loader(each))
            for each in importlib.metadata.entry_points(group=self.group)
        ]

    def loader(self, point):
        made = []

        def load():
            # One object for both, so that what it exports is the same.
            if not made:
                found = point.load()
                made.append(found() if isinstance(found, type) else found)
            return made[0]

        return load

    def teardown(self):
        if self.path is None:
            return
        self.scopes.close()
        sys.path.remove(str(self.path))
        for name in [name for name in sys.modules if name.startswith("backend_of_a_model_")]:
            del sys.modules[name]
        shutil.rmtree(self.path)

    # What implementations do

    def ran(self, backend, function, given):
        """The result of each implementation: its name, its arguments, and the outcome of a call."""
        result = [backend, function, given]
        if self.depth < 3 and self.passing_on.get((backend, function), backend == "cpu"):
            self.depth += 1
            try:
                target, choice = self.nested[function]
                result.append(
                    self.outcome_of(self.call_either, target, *self.enough(target), choice)
                )
            finally:
                self.depth -= 1
        return result

    def enough(self, function):
        """Arguments that every host's function takes."""
        parameters = self.model.functions[function]
        args, keywords = [], {}
        for each in inspect.signature(parameters).parameters.values():
            if each.default is each.empty and each.kind is not each.VAR_KEYWORD:
                if each.kind is each.KEYWORD_ONLY:
                    keywords[each.name] = 1
                else:
                    args.append(1)
        return args, keywords

    def call_either(self, function, args, keywords, choice):
        if self.modelling:
            return self.model.call(function, args, keywords, choice)
        return self.functions[function](*args, **keywords, backend=choice)

    def outcome_of(self, function, *args):
        """The outcome of a call, in a form that can be compared."""
        try:
            return "returned", function(*args)
        except model.ExpectedError as error:
            return "raised", error.type, error.parts
        except Exception as error:
            return "raised", type(error), error

    # Comparison

    def compare(self, real, expected):
        """Compare the answers, warnings and signatures of the host with those of the model."""
        FIGURES["compared"] += 1
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            self.modelling = False
            outcome = self.outcome_of(real)
        self.model.warnings.clear()
        self.model.ran.clear()
        self.modelling = True
        wanted = self.outcome_of(expected)
        self.modelling = False
        assert_same(outcome, wanted)
        assert_told([str(each.message) for each in warned], self.model.warnings)
        assert {each.category for each in warned} <= {UserWarning}
        FIGURES["warnings"] += len(warned)
        FIGURES["errors"] += outcome[0] == "raised"
        FIGURES["run by the host"] += sum(name == "cpu" for _, name in self.model.ran)
        FIGURES["run by backends"] += sum(name != "cpu" for _, name in self.model.ran)
        names = self.model.state.names
        chosen = self.dispatcher.settings.backend
        assert chosen == (names[0] if len(names) == 1 else names)
        self.compare_what_is_shown()
        return outcome

    def compare_what_is_shown(self):
        for name, function in self.functions.items():
            own = inspect.signature(function.__wrapped__)
            added = self.model.additions(name)
            expected = [each for each in own.parameters if each != "more"]
            expected += [*added, "backend", *(["more"] if "more" in own.parameters else [])]
            shown = inspect.signature(function).parameters
            assert list(shown) == expected
            for each, having in added.items():
                default = having[0][1]
                if default is inspect.Parameter.empty:
                    assert repr(having[0][0]) or shown[each].default is not default
                    assert "required by" in repr(shown[each].default)
                else:
                    assert shown[each].default == default
                assert shown[each].kind is inspect.Parameter.KEYWORD_ONLY
            # Some versions of Python dedent docstrings.
            text = inspect.cleandoc(self.documentation(name, added))
            assert inspect.cleandoc(function.__doc__) == text

    def documentation(self, function, added):
        text = DOCUMENTED
        if added:
            text += "\n    Other Parameters\n    ----------------\n"
        for each, having in added.items():
            sources = [self.model.backends[name].source for name, _ in having]
            if any(getattr(source, function).__doc__ for source in sources) and each in "cdeh":
                text += f"    {each} ({', '.join(name for name, _ in having)})\n"
                text += f"        The {each} of it.\n"
            else:
                text += f"    {each} ({', '.join(name for name, _ in having)})\n"
        return text + "    "

    # What can be done

    @rule(name=CHOICES)
    def assign(self, name):
        def expected():
            self.model.state = replace(self.model.state, names=self.model.resolve(name))

        self.compare(lambda: setattr(self.dispatcher.settings, "backend", name), expected)

    @rule(name=CHOICES, strict=st.sampled_from([None, None, True, False]))
    def enter(self, name, strict):
        def expected():
            outer = self.model.state
            names = self.model.resolve(name)
            self.outer.append(outer)
            self.model.state = replace(
                outer, names=names, strict=outer.strict if strict is None else strict
            )

        scope = self.dispatcher.settings.use_backend(name, strict=strict)
        self.compare(lambda: self.scopes.enter_context(scope), expected)

    @precondition(lambda self: self.path is not None and self.outer)
    @rule(raising=st.booleans())
    def leave(self, raising):
        scopes = self.scopes.pop_all()
        callback = scopes._exit_callbacks.pop()[1]
        self.scopes = scopes
        error = ValueError("left") if raising else None

        def expected():
            self.model.state = self.outer.pop()

        self.compare(lambda: callback(type(error) if error else None, error, None), expected)

    @rule(
        function=st.sampled_from(FUNCTIONS),
        passed=PASSED,
        fitting=choice_of(True, rare=[False]),
        choice=st.none() | CHOICES,
        number=st.none() | st.integers(0, 5),
        times=st.sampled_from([1, 3]),
        record=st.booleans(),
    )
    def call(self, function, passed, fitting, choice, number, times, record):
        if number is not None and self.names:
            choice = self.names[number % len(self.names)]
        args, keywords = self.arguments(function, passed, fitting)
        for _ in range(times):
            FIGURES["calls"] += 1
            with contextlib.ExitStack() as stack:
                records = stack.enter_context(self.dispatcher.record()) if record else None
                self.compare(
                    lambda: self.functions[function](*args, **keywords, backend=choice),
                    lambda: self.model.call(function, args, keywords, choice),
                )
            if records is not None:
                assert [(each.function, each.backend) for each in records] == self.model.ran
                FIGURES["records"] += len(records)

    def arguments(self, function, passed, fitting):
        """Arguments that fit the host, as a rule."""
        values, more = passed
        known = model.parameters(self.model.functions[function])
        if not fitting:
            return values, more
        args, keywords = self.enough(function)
        args = [*values, *args][: len(args)]
        given = list(known)[: len(args)]
        return args, {**keywords, **{k: v for k, v in more.items() if k not in given}}

    @rule(function=st.sampled_from(FUNCTIONS), choice=st.none() | CHOICES, bind=st.booleans())
    def call_in_a_thread(self, function, choice, bind):
        FIGURES["calls in threads and tasks"] += 1
        args, keywords = self.enough(function)
        called = self.functions[function]
        if bind:
            called = self.dispatcher.settings.bind(called)

        def expected():
            outer = self.model.state
            self.model.state = replace(outer, running=()) if bind else self.default
            try:
                return self.model.call(function, args, keywords, choice)
            finally:
                self.model.state = outer

        self.compare(in_a_thread(lambda: called(*args, **keywords, backend=choice)), expected)

    @rule(function=st.sampled_from(FUNCTIONS), name=CHOICES, threaded=st.booleans())
    def assign_and_call_in_a_task(self, function, name, threaded):
        FIGURES["calls in threads and tasks"] += 1
        args, keywords = self.enough(function)

        def work():
            self.dispatcher.settings.backend = name
            return self.functions[function](*args, **keywords)

        async def task():
            return await asyncio.to_thread(work) if threaded else work()

        def expected():
            outer = self.model.state
            try:
                self.model.state = replace(outer, names=self.model.resolve(name))
                return self.model.call(function, args, keywords)
            finally:
                self.model.state = outer

        self.compare(lambda: asyncio.run(task()), expected)

    @rule(label=st.sampled_from(ASKED[:-1]))
    def get_backend(self, label):
        for ask in (self.dispatcher.get_backend, self.dispatcher.settings.get_backend):
            self.compare(
                lambda ask=ask: identity(ask(label)), lambda: identity(self.model.get(label))
            )

    @rule()
    def list_names(self):
        def expected():
            self.model.discover()
            return sorted(self.model.labels)

        self.compare(self.dispatcher.available_backend_names, expected)

    @rule()
    def list_backends(self):
        def expected():
            self.model.discover()
            return sorted(self.model.backends)

        self.compare(self.dispatcher.settings.available_backends, expected)

    @rule(function=st.sampled_from(FUNCTIONS), choice=st.none() | CHOICES)
    def explain(self, function, choice):
        args, keywords = self.enough(function)

        def expected():
            values, extra = model.sort(self.model.functions[function], args, keywords)
            state = self.model.state
            names = state.names if choice is None else self.model.resolve(choice)
            backend, implementation = self.model.decide(function, names, values, extra, choice)
            if backend is not None and not callable(implementation):
                raise model.ExpectedError(TypeError, "is not callable")
            return "cpu" if backend is None else backend.name

        explain = self.dispatcher.explain
        called = self.functions[function]
        self.compare(lambda: explain(called, *args, **keywords, backend=choice).backend, expected)


def identity(source):
    return None if source is None else source.name, getattr(source, "aliases", None)


def in_a_thread(function):
    def run():
        results = []

        def collect():
            try:
                results.append((function(), None))
            except Exception as error:
                results.append((None, error))

        thread = threading.Thread(target=collect)
        thread.start()
        thread.join()
        result, error = results[0]
        if error is not None:
            raise error
        return result

    return run


def assert_same(found, expected):
    """Assert that two outcomes are the same, and those of the calls in them."""
    if isinstance(expected, tuple) and expected[:1] == ("raised",):
        assert found[0] == "raised", (found, expected)
        kind, parts = expected[1:]
        assert isinstance(found[2], kind), (found, expected)
        if isinstance(parts, tuple):
            assert all(part in str(found[2]) for part in parts), (found, expected)
    elif isinstance(expected, (list, tuple)):
        assert type(found) is type(expected), (found, expected)
        assert len(found) == len(expected), (found, expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert list(found) == list(expected) or found.keys() == expected.keys()
        for name, value in expected.items():
            assert_same(found[name], value)
    else:
        assert found is expected or (type(found) is type(expected) and found == expected)


def assert_told(found, expected):
    """Assert that each message holds the parts of one that is expected."""
    left = list(found)
    for parts in expected:
        fitting = [each for each in left if all(part in each for part in parts)]
        assert fitting, (parts, found)
        left.remove(fitting[0])
    assert not left, (left, expected)


def print_figures():
    if FIGURES:
        print("\nbackends and their model:", dict(FIGURES))


atexit.register(print_figures)

TestModel = Machine.TestCase
TestModel.settings = settings(
    max_examples=max(100, settings().max_examples // 2),
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
)
