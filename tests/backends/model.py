"""The contract of backends, written down as slowly and plainly as it can be.

It has no cache, remembers no routes, and asks the same functions again each
time. What is raised and warned of is told by its type and by parts of the
message.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from dataclasses import dataclass, field, replace
from typing import Any

RESERVED = {"cpu": "the host's own code", "auto": "owns the class of an argument"}
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?<![.-])")


def alike(name):
    """A name after PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_label(name):
    return isinstance(name, str) and len(name) <= 128 and LABEL.fullmatch(name) is not None


class ExpectedError(Exception):
    """An expected error: its type, and parts of its message."""

    def __init__(self, type_, *parts):
        self.type = type_
        self.parts = parts


@dataclass(eq=False)
class Entry:
    """An entry point, and the result of loading it: ``load`` returns the backend or raises."""

    name: str
    reference: str
    distribution: str
    load: Any

    @property
    def origin(self):
        return f"entry point {self.name!r} ({self.reference}) of the distribution"


@dataclass(eq=False)
class Backend:
    name: str
    source: Any
    entry: Entry
    trusted: bool
    aliases: list = field(default_factory=list)


@dataclass
class Failure:
    names: tuple
    parts: tuple
    error: BaseException | None
    refused: bool


@dataclass(frozen=True)
class State:
    """The state of one context."""

    names: tuple = ("cpu",)
    strict: bool = False
    running: tuple = ()


class Host:
    """One host with its backends.

    :param entries: in the order in which the installed distributions are listed.
    :param functions: the host's own functions, by name.
    """

    def __init__(self, entries, trusted, reserved, untrusted, functions):
        self.entries = entries
        self.trusted = trusted
        self.reserved = {**reserved, **RESERVED}
        self.untrusted = untrusted
        self.functions = functions
        self.pending = list(entries)
        self.backends = {}
        self.labels = {}
        self.failures = []
        self.complained = set()
        self.warned_of = set()
        #: the warnings since somebody looked: parts of each message
        self.warnings = []
        #: what ran: function and backend, in order
        self.ran = []
        self.state = State()

    # Trust

    def labels_of(self, name):
        return [name, *self.trusted[name].get("aliases", [])]

    def trusted_as(self, label):
        """The trusted backend of a name or alias."""
        return next((name for name in self.trusted if label in self.labels_of(name)), None)

    def refusal(self, name, entry):
        """Why an entry point may not supply a trusted backend."""
        configuration = self.trusted[name]
        package = configuration.get("package")
        if package is not None and alike(entry.distribution) != alike(package):
            return f"it comes from the distribution {entry.distribution!r}"
        if "entrypoints" in configuration and entry.name not in configuration["entrypoints"]:
            return f"its entry point is called {entry.name!r}"
        if "object_refs" in configuration and entry.reference not in configuration["object_refs"]:
            return f"its entry point refers to {entry.reference!r}"
        return None

    def module_refusal(self, name, source):
        """Why a loaded object may not be a trusted backend."""
        module = source.__name__ if inspect.ismodule(source) else type(source).__module__
        for prefix in self.trusted[name].get("module_prefixes", []):
            if not f"{module}.".startswith(f"{prefix}."):
                return f"it is in the module {module!r}"
        return None

    def claims(self, entry):
        """The trusted backends that an entry point seems to supply."""
        found = []
        for name, configuration in self.trusted.items():
            names = [*self.labels_of(name), *configuration.get("entrypoints", [])]
            package = configuration.get("package")
            if alike(entry.name) in map(alike, names) or (
                package is not None and alike(package) == alike(entry.distribution)
            ):
                found.append(name)
        return found

    def is_configured(self, entry):
        packages = [each.get("package") for each in self.trusted.values()]
        return alike(entry.distribution) in [alike(each) for each in packages if each is not None]

    # Discovery

    def load(self, entries):
        for entry in entries:
            self.pending.remove(entry)
            self.load_one(entry)
        for function in self.functions:
            self.additions(function, complain=True)

    def fail(self, entry, parts, error=None, refused=False, names=()):
        claimed = [label for name in self.claims(entry) for label in self.labels_of(name)]
        self.failures.append(Failure((entry.name, *claimed, *names), parts, error, refused))

    def load_one(self, entry):
        claimed = self.claims(entry)
        refusals = [self.refusal(name, entry) for name in claimed]
        where = (entry.origin, repr(entry.distribution))
        if claimed and None not in refusals:
            self.warnings.append(("is not used", *where, *refusals))
            self.fail(entry, ("is refused", *where, *refusals), refused=True)
            return
        if self.untrusted == "refuse" and not self.is_configured(entry):
            if claimed:
                self.warnings.append(("is not used", *where))
            self.fail(entry, ("is refused", "trusted_backends", *where), refused=True)
            return
        try:
            source = entry.load()
        except (Exception, SystemExit) as error:
            self.fail(entry, ("did not load", type(error).__name__, *where), error)
            return
        self.register(entry, source, where)

    def register(self, entry, source, where):
        name = getattr(source, "name", None)
        reason = self.why_not(name)
        if reason is not None:
            self.warnings.append(("is ignored", reason, *where))
            parts = ("is ignored", reason, *where)
            named = [name] if is_label(name) else []
            if self.trusted_as(name) is not None:
                named += self.labels_of(self.trusted_as(name))
            self.fail(entry, parts, names=named)
            return
        refusal = None
        if name in self.trusted:
            refusal = self.refusal(name, entry) or self.module_refusal(name, source)
        if refusal is not None:
            self.warnings.append(("is not used", refusal, *where))
            self.fail(entry, ("is refused", refusal, *where), refused=True, names=[name])
            return
        if name not in self.trusted and self.untrusted == "refuse":
            self.fail(entry, ("is refused", *where), refused=True, names=[name])
            return
        backend = Backend(name, source, entry, name in self.trusted)
        try:
            declared = getattr(source, "aliases", ())
        except Exception as error:
            self.warnings.append(("could not be registered", type(error).__name__, *where))
            self.fail(entry, ("could not be registered", *where), error)
            return
        configured = self.labels_of(name)[1:] if backend.trusted else []
        backend.aliases = [*configured, *self.aliases(backend, declared, configured, where)]
        self.backends[name] = backend
        for label in (name, *backend.aliases):
            self.labels[label] = backend

    def why_not(self, name):
        if name is None:
            return "no name"
        if not is_label(name):
            return "cannot be called"
        if name in self.reserved:
            return self.reserved[name]
        if name in self.trusted:
            return "is taken by" if name in self.labels else None
        if self.trusted_as(name) is not None:
            return "is an alias of the trusted backend"
        if self.mistaken_for(name) is not None:
            return "can be mistaken for"
        if name in self.labels:
            taken = self.labels[name].name == name
            return "is taken by" if taken else "is an alias of"
        return None

    def mistaken_for(self, name):
        known = [*self.reserved, *(each for t in self.trusted for each in self.labels_of(t))]
        return next((each for each in known if alike(each) == alike(name)), None)

    def aliases(self, backend, declared, configured, where):
        if not isinstance(declared, (list, tuple)):
            self.warnings.append(("aliases must be a list", *where))
            return []
        found = []
        for alias in declared:
            if alias in (backend.name, *configured, *found):
                continue
            reason = None
            if not is_label(alias):
                reason = "a name has 1 to 128"
            elif alias in self.reserved:
                reason = self.reserved[alias]
            elif self.trusted_as(alias) is not None:
                reason = "it belongs to the trusted backend"
            elif self.mistaken_for(alias) is not None and (
                self.mistaken_for(alias) in self.reserved
                or self.trusted_as(self.mistaken_for(alias)) != backend.name
            ):
                reason = "can be mistaken for"
            elif alias in self.labels:
                reason = "it is taken by"
            if reason is None:
                found.append(alias)
            else:
                self.warnings.append(("is dropped", reason, *where))
        return found

    def discover(self):
        if self.pending:
            self.load(list(self.pending))

    def about(self, label):
        found = [
            each for each in self.failures if alike(label) in [alike(name) for name in each.names]
        ]
        return sorted(found, key=lambda each: (each.error is None, not each.refused))

    def find(self, label):
        """The backend of a name or alias, found by loading as little as possible."""
        if label in self.labels or label in self.reserved or not self.pending:
            return self.labels.get(label)
        trusted = self.trusted_as(label)
        names = [label]
        if trusted is not None:
            names += [*self.labels_of(trusted), *self.trusted[trusted].get("entrypoints", [])]

        def called(entry):
            return entry.name in names

        def perhaps(entry):
            return alike(entry.name) == alike(label) or trusted in self.claims(entry)

        for likely in (called, perhaps, lambda entry: True):
            self.load([entry for entry in self.pending if likely(entry)])
            if label in self.labels:
                return self.labels[label]
            if any(each.error for each in self.about(label)):
                return None
        return None

    # Queries

    def get(self, label):
        backend = self.find(label)
        if backend is not None:
            return backend.source
        failures = self.about(label)
        if failures and failures[0].error is not None:
            raise ExpectedError(ImportError, "cannot be used", *failures[0].parts)
        return None

    def in_order_of_priority(self):
        trusted = list(self.trusted)
        others = sorted(name for name in self.backends if name not in trusted)
        ordered = [name for name in (*trusted, *others) if name in self.backends]
        return [self.backends[name] for name in ordered]

    # Choice

    def resolve(self, choice):
        """The canonical names of a choice."""
        labels = choice if isinstance(choice, list) else [choice]
        if not labels or not all(isinstance(each, str) and each.strip() for each in labels):
            raise ExpectedError(ValueError)
        names = []
        for label in labels:
            if label == "auto":
                self.discover()
            name = label if label in RESERVED else self.choose(label).name
            if name not in names:
                names.append(name)
        return tuple(names)

    def choose(self, label):
        if label in self.reserved:
            raise ExpectedError(ValueError, "is reserved", "example_host", self.reserved[label])
        backend = self.find(label)
        if backend is not None:
            self.warn_of(backend)
            return backend
        failures = self.about(label)
        is_trusted = self.trusted_as(label) is not None
        if failures and (failures[0].error is not None or failures[0].refused or is_trusted):
            parts = [part for part in failures[0].parts if part != "is ignored"]
            raise ExpectedError(ImportError, "cannot be used", *parts)
        if self.trusted_as(label) is not None:
            name = self.trusted_as(label)
            package = self.trusted[name].get("package", name)
            if alike(package) in [alike(each.distribution) for each in self.entries]:
                raise ExpectedError(ImportError, "cannot be used", "is installed, but declares no")
            raise ExpectedError(ImportError, "is not installed", f"pip install {package}")
        if failures:
            raise ExpectedError(ValueError, *failures[0].parts)
        names = ", ".join(sorted(self.labels))
        raise ExpectedError(
            ValueError, f"available: {names}" if names else "no backends are installed"
        )

    def warn_of(self, backend):
        if self.untrusted == "warn" and not backend.trusted and backend.name not in self.warned_of:
            self.warned_of.add(backend.name)
            self.warnings.append(("is not one that", repr(backend.name), backend.entry.origin))

    # Calls

    def call(self, function, args, keywords, given=None):
        """The result of a call of a host's function."""
        own = self.functions[function]
        values, extra = sort(own, args, keywords)
        names = self.state.names if given is None else self.resolve(given)
        backend, implementation = self.decide(function, names, values, extra, given)
        self.ran.append((function, "cpu" if backend is None else backend.name))
        outer = self.state
        if backend is None:
            self.state = replace(outer, names=names)
            with self.restoring(outer):
                return own(*args, **keywords)
        what = f"{function!r} of the backend {backend.name!r}"
        if not callable(implementation):
            raise ExpectedError(TypeError, what, "is not callable")
        self.state = State(names, outer.strict, (*outer.running, (function, backend)))
        with self.restoring(outer):
            positional, others = self.route(function, own, backend, implementation, values, extra)
            return implementation(*positional, **others)

    @contextlib.contextmanager
    def restoring(self, state):
        try:
            yield
        finally:
            self.state = state

    def decide(self, function, names, values, extra, given):
        running = self.state.running
        if given is None and any(each == function for each, _ in running):
            return None, None
        passed_over, is_running = [], False
        arguments = {**values, **extra}
        for backend, owned in self.candidates(names, arguments):
            if backend is None:
                return None, None
            if (function, backend) in running:
                is_running = True
                continue
            implementation = getattr(backend.source, function, ...)
            can_run = getattr(backend.source, "can_run", None)
            if (
                implementation is not ...
                and self.takes_all(function, backend, implementation, owned)
                and (can_run is None or can_run(function, arguments) is True)
            ):
                return backend, implementation
            passed_over.append(backend)
        if (passed_over or not is_running) and self.state.strict:
            raise ExpectedError(RuntimeError, "strict mode", *(each.name for each in passed_over))
        return None, None

    def takes_all(self, function, backend, implementation, owned):
        """Whether an implementation can be given the arguments that its backend owns."""
        if not owned:
            return True
        if not callable(implementation):
            what = f"{function!r} of the backend {backend.name!r}"
            raise ExpectedError(TypeError, what, "is not callable")
        theirs = parameters(implementation)
        takes_any = any(each.kind is each.VAR_KEYWORD for each in theirs.values())
        named = {name for name, each in theirs.items() if each.kind is not each.VAR_POSITIONAL}
        return takes_any or owned <= named

    def candidates(self, names, arguments):
        asked = []
        for name in names:
            if name == "cpu":
                yield None, set()
                return
            found = [self.backends[name]] if name != "auto" else self.in_order_of_priority()
            for backend in found:
                owned = set()
                if name == "auto":
                    classes = tuple(getattr(backend.source, "owned", ()))
                    owned = {k for k, value in arguments.items() if isinstance(value, classes)}
                    if not owned:
                        continue
                    if backend not in asked:
                        self.warn_of(backend)
                if backend not in asked:
                    asked.append(backend)
                    yield backend, owned

    def route(self, function, own, backend, implementation, values, extra):
        """The arguments that an implementation is called with."""
        host, theirs = parameters(own), parameters(implementation)
        takes_any = any(each.kind is each.VAR_KEYWORD for each in theirs.values())
        named = {name for name, each in theirs.items() if each.kind is not each.VAR_POSITIONAL}
        dropped = {k: v for k, v in values.items() if not (takes_any or k in named)}
        given = {k: v for k, v in values.items() if k not in dropped}
        given.update(extra)
        positional = []
        only = [each for each in theirs.values() if each.kind is each.POSITIONAL_ONLY]
        while only and not any(each.name in given for each in only):
            if only[-1].default is inspect.Parameter.empty:
                break
            only.pop()
        for each in only:
            if each.name in given:
                positional.append(given.pop(each.name))
            elif each.default is inspect.Parameter.empty:
                raise ExpectedError(TypeError, "positional-only", repr(each.name))
            else:
                positional.append(each.default)
        for name, value in dropped.items():
            if not equal(value, host[name].default):
                told = (f"{function}() of the backend {backend.name!r}", repr(name))
                if self.state.strict:
                    raise ExpectedError(RuntimeError, "strict mode", *told)
                self.warnings.append(told)
        return positional, given

    # What users see

    def additions(self, function, complain=False):
        """By name the parameters that backends add, each with the backends that have it."""
        host = parameters(self.functions[function])
        found = {}
        for entry in self.entries:
            backend = next((b for b in self.backends.values() if b.entry is entry), None)
            implementation = getattr(getattr(backend, "source", None), function, None)
            if not callable(implementation):
                continue
            for each in parameters(implementation).values():
                shown = each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
                if not shown or each.name in host or each.name == "backend":
                    continue
                if each.name.startswith("_"):
                    complaint = (f"{function}()", repr(backend.name), repr(each.name), "underscore")
                    if complain and complaint not in self.complained:
                        self.complained.add(complaint)
                        self.warnings.append(complaint)
                    continue
                found.setdefault(each.name, []).append((backend.name, each.default))
        return found


def parameters(function):
    return dict(inspect.signature(function).parameters)


def sort(own, args, keywords):
    """Sort arguments into those of the host's parameters, by name, and all others.

    :raises TypeError: if the first do not fit.
    """
    named = {
        name
        for name, each in parameters(own).items()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }
    fitting = {name: value for name, value in keywords.items() if name in named}
    values = dict(inspect.signature(own).bind(*args, **fitting).arguments)
    return values, {name: value for name, value in keywords.items() if name not in named}


def equal(value, default):
    """Whether an argument is the default, for certain."""
    try:
        return value is default or bool(value == default)
    except Exception:
        return False
