"""Finding and loading the backends of one host.

Nothing happens before the first query. Then the entry points of the host's group are listed,
which imports nothing, and only those are loaded that can supply the backend asked for.

The state of discovery is one immutable value, :class:`Inventory`. A query that loads works on a
value of its own and publishes it at the end, together with the signatures and docstrings that
follow from it. So other threads read without the lock, and a query that is interrupted leaves
the state before it: the next one tries again.
"""

from __future__ import annotations

import collections
import difflib
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from packaging.utils import canonicalize_name

from reg._lock import ReentrantLock

from .backend import Backend
from .caller_warnings import describe_error, issue_warnings
from .entry_points import EntryPoint, entry_points, installed_without_entry_point, path_state
from .names import NameRules, ReservedNames, exact_str, is_name, normalized
from .trust import Origin, Trust

__all__ = ["Assignment", "Discovery", "Failure", "Inventory", "Publication", "assign_together"]

logger: Final = logging.getLogger("reg.backends")

#: An assignment to an attribute: the object, the name, and the value.
Assignment = tuple[Any, str, Any]


def assign_together(assignments: Iterable[Assignment]) -> None:
    """Assign attributes in one call of a function in C: no signal is handled in between."""
    objects, names, values = [*zip(*assignments, strict=True)] or ((), (), ())
    collections.deque(map(setattr, objects, names, values), maxlen=0)


class Failure(NamedTuple):
    """Why an entry point gave no backend."""

    #: the names under which users may ask for it
    names: tuple[str, ...]
    reason: str
    #: the exception; ``None`` if the entry point was refused or ignored
    error: BaseException | None
    refused: bool
    #: the entry point; ``None`` if its distribution cannot be read
    entry: EntryPoint | None = None

    def is_about(self, label: str) -> bool:
        """True if a user who asks for ``label`` may mean this entry point."""
        wanted = canonicalize_name(label)
        return any(canonicalize_name(name) == wanted for name in self.names)


class Inventory(NamedTuple):
    """All that is known of the installed backends. Another state is another value."""

    #: all entry points; ``None`` if they are not listed yet
    entries: tuple[EntryPoint, ...] | None = None
    #: the directories that they were listed in, as they were then
    path: tuple[tuple[str, int, int], ...] = ()
    #: entry points that are not loaded yet
    pending: tuple[EntryPoint, ...] = ()
    #: entry points that are being loaded, whose modules may ask for others
    loading: tuple[EntryPoint, ...] = ()
    #: by canonical name, in the order of the entry points
    backends: dict[str, Backend] = {}  # noqa: RUF012
    #: by name and by alias
    labels: dict[str, Backend] = {}  # noqa: RUF012
    failures: tuple[Failure, ...] = ()
    #: true if a test gave the backends, and no others are looked for
    closed: bool = False
    #: values that others computed from this state; another state begins without
    cache: dict[Any, Any] = {}  # noqa: RUF012

    def but(self, **changes: Any) -> Inventory:
        """Make another state, which differs in these fields."""
        return self._replace(cache={}, **changes)

    def without(self, entry: EntryPoint) -> Inventory:
        """Make a state in which nothing is known of an entry point but that it is there."""
        position = entry.position
        return self.but(
            backends={k: v for k, v in self.backends.items() if v.position != position},
            labels={k: v for k, v in self.labels.items() if v.position != position},
            failures=tuple([failure for failure in self.failures if failure.entry is not entry]),
        )

    @property
    def complete(self) -> bool:
        """True if nothing is left to be loaded."""
        return self.entries is not None and not self.pending and not self.loading


class Publication(Protocol):
    """Something that follows from the loaded backends, such as a signature."""

    def assignments(self, backends: Iterable[Backend], warnings: list[str]) -> Iterable[Assignment]:
        """Compute the assignments that publish it."""
        ...


class Discovery:
    """The backends of one host, as far as they were asked for.

    :param group: the group of entry points.
    :param reserved: the names that no backend may have.
    :param trust: the host's trust configuration.
    """

    def __init__(self, group: str, reserved: ReservedNames, trust: Trust) -> None:
        self.group = group
        self._reserved = reserved
        self._trust = trust
        self._rules = NameRules(reserved, trust.owners)
        #: the published state; read without the lock
        self.inventory = Inventory().but()
        # The state that the holder of the lock works on, while it loads.
        self._working: Inventory | None = None
        #: all that is published with the state
        self.publications: list[Publication] = []
        self.lock = ReentrantLock()

    # Queries

    def find(self, label: str) -> Backend | None:
        """Get a backend by name or alias, loading as little as possible.

        :param label: the name or alias.
        :return: the backend; ``None`` if there is none, or it did not load.
        """
        backend = self.inventory.labels.get(label)
        if backend is not None or self._reserved.reason(label) is not None:
            return backend
        warnings: list[str] = []
        with self.lock:
            backend = self._find(label, warnings)
        if warnings:
            issue_warnings(warnings)
        return backend

    def _find(self, label: str, warnings: list[str]) -> Backend | None:
        for choose in (self._with_this_name, self._likely, self._everything):
            self._load(choose, label, warnings)
            backend = self.now.labels.get(label)
            if backend is not None or self._failed_to_load(label):
                return backend
        # Perhaps it was installed since the entry points were listed.
        if self._working is None and self.inventory.path != path_state():
            self._load(self._everything, label, warnings, relist=True)
        return self.now.labels.get(label)

    def all(self) -> list[Backend]:
        """Load all entry points that were listed.

        :return: the backends, in the order of their entry points.
        """
        if self.inventory.complete:
            return list(self.inventory.backends.values())
        warnings: list[str] = []
        with self.lock:
            self._load(self._everything, "", warnings)
            backends = list(self.now.backends.values())
        issue_warnings(warnings)
        return backends

    def discover(self) -> None:
        """Load all entry points, also of distributions that were installed meanwhile."""
        warnings: list[str] = []
        with self.lock:
            self._load(self._everything, "", warnings, relist=self._working is None)
        issue_warnings(warnings)

    @property
    def now(self) -> Inventory:
        """The state as the holder of the lock sees it, who may be loading."""
        return self.inventory if self._working is None else self._working

    def labels(self) -> list[str]:
        """List the names and aliases of all backends, sorted."""
        self.all()
        with self.lock:
            return sorted(self.now.labels)

    def by_priority(self) -> list[Backend]:
        """List all backends: the trusted ones as the host lists them, then others by name."""
        trusted = {trusted.name: index for index, trusted in enumerate(self._trust)}
        return sorted(
            self.all(), key=lambda backend: (trusted.get(backend.name, len(trusted)), backend.name)
        )

    def failure(self, label: str) -> Failure | None:
        """Why there is no backend of this name: load failures before refusals before others."""
        failures = self.now.failures
        about = [failure for failure in failures if failure.is_about(label)]
        if not about:
            # An entry point that is to be tried again may be the one.
            about = [failure for failure in failures if _is_transient(failure.error)]
        return min(
            about, key=lambda failure: (failure.error is None, not failure.refused), default=None
        )

    def closest(self, label: str) -> str | None:
        """The known name that is most similar, also to a name in another case."""
        known = [*self.inventory.labels, *self._trust.owners]
        matches = difflib.get_close_matches(label, known, 1)
        if not matches:
            by_lower = {name.lower(): name for name in reversed(known)}
            matches = difflib.get_close_matches(label.lower(), by_lower, 1)
            matches = [by_lower[match] for match in matches]
        return matches[0] if matches else None

    def without_entry_point(self, label: str) -> str | None:
        """Say that the distribution of a trusted backend is there, and its entry point is not.

        :return: a clause for an error message; ``None`` if the distribution is not installed.
        """
        trusted = self._trust.named(label)
        if trusted is None:
            return None
        names = trusted.distributions or (normalized(trusted.name),)
        return installed_without_entry_point(names, self.group)

    def outcomes(self) -> list[tuple[Origin, Backend | Failure | None]]:
        """List all entry points, loading none, with the outcome of each so far.

        :return: origin and outcome of each, in order; ``None`` for one that is not loaded.
        """
        warnings: list[str] = []
        with self.lock:
            self._load(lambda label: (), "", warnings)
            inventory = self.now
        issue_warnings(warnings)
        became: dict[int, Backend | Failure] = {
            backend.position: backend for backend in inventory.backends.values()
        }
        for failure in inventory.failures:
            if failure.entry is not None and failure.entry not in inventory.pending:
                became[failure.entry.position] = failure
        return [
            (entry.origin, became.get(entry.position))
            for entry in sorted(inventory.entries or (), key=_position)
        ]

    def publish_also(self, publication: Publication, warnings: list[str]) -> None:
        """Publish something else with the state, from now on.

        :param publication: the publication.
        :param warnings: gets messages about it.
        """
        with self.lock:
            self.publications.append(publication)
            if self.inventory.backends:
                backends = self.inventory.backends.values()
                assign_together(publication.assignments(backends, warnings))

    def restore(self, inventory: Inventory) -> None:
        """Make another state the present one, for tests.

        :param inventory: the state, with which its signatures and docstrings are published.
        """
        with self.lock:
            self._publish(inventory.but(), [])

    # Which entry points to load

    def _with_this_name(self, label: str) -> Iterable[EntryPoint]:
        """The entry points whose name says that they supply what was asked for."""
        trusted = self._trust.named(label)
        names = {label} if trusted is None else {label, *trusted.labels, *trusted.entrypoints}
        return [entry for entry in self.now.pending if entry.origin.entry_point in names]

    def _likely(self, label: str) -> Iterable[EntryPoint]:
        """The entry points that are likely, by what can be read without loading them."""
        wanted = canonicalize_name(label)
        trusted = self._trust.named(label)
        return [
            entry
            for entry in self.now.pending
            if canonicalize_name(entry.origin.entry_point) == wanted
            or (trusted is not None and trusted.is_claimed_by(entry.origin))
        ]

    def _everything(self, label: str) -> Iterable[EntryPoint]:
        return self.now.pending

    def _failed_to_load(self, label: str) -> bool:
        failure = self.failure(label)
        return failure is not None and failure.error is not None and failure.is_about(label)

    # Loading, under the lock

    def _load(
        self,
        choose: Callable[[str], Iterable[EntryPoint]],
        label: str,
        warnings: list[str],
        relist: bool = False,
    ) -> None:
        """Load entry points, and publish the state that comes of it.

        Within a module that is being loaded, this is called again; then the outer call
        publishes.
        """
        outer = self._working
        try:
            self._working = before = self.inventory if outer is None else outer
            if before.entries is None or (relist and not before.closed):
                self._working = self._listed(before, warnings)
            for entry in choose(label):
                # A module that is being loaded may ask for others, but not for itself.
                if entry in self._working.pending:
                    self._load_one(entry, warnings)
            if outer is None:
                self._publish(self._working, warnings)
        except BaseException:
            self._working = outer
            raise

    def _publish(self, inventory: Inventory, warnings: list[str]) -> None:
        assignments: list[Assignment] = []
        if inventory is not self.inventory:
            backends = inventory.backends.values()
            for publication in self.publications:
                assignments += publication.assignments(backends, warnings)
            assignments.append((self, "inventory", inventory))
        assign_together([*assignments, (self, "_working", None)])

    def _listed(self, inventory: Inventory, warnings: list[str]) -> Inventory:
        """List the entry points; those that are new are pending."""
        failures: list[Failure] = []

        def complain(name: str | None, subject: str, error: Exception) -> None:
            reason = f"{subject} has entry points that cannot be read"
            logger.debug("%s", reason, exc_info=error)
            labels: tuple[str, ...] = ()
            for trusted in self._trust:
                if name is not None and normalized(name) in trusted.distributions:
                    labels += trusted.labels
            failures.append(Failure(labels, reason, error, False))

        path = path_state()
        listed = entry_points(self.group, complain)
        known = {_identity(entry): entry for entry in inventory.entries or ()}
        new = [entry for entry in listed if _identity(entry) not in known]
        told = {failure.reason for failure in inventory.failures if failure.entry is None}
        for failure in failures:
            if failure.reason not in told and failure.error is not None:
                warnings.append(
                    f"{self._reserved.host} may lack a backend: {failure.reason}:"
                    f" {describe_error(failure.error)}"
                )
        if inventory.entries is not None and not new:
            return inventory.but(path=path)
        for position, entry in enumerate(new, len(inventory.entries or ())):
            entry.position = position
        kept = [failure for failure in inventory.failures if failure.entry is not None]
        return inventory.but(
            entries=(*(inventory.entries or ()), *new),
            path=path,
            pending=(*inventory.pending, *new),
            failures=(*failures, *kept),
        )

    def _load_one(self, entry: EntryPoint, warnings: list[str]) -> None:
        inventory = self.now.without(entry)
        self._working = inventory.but(
            pending=_less(inventory.pending, entry), loading=(*inventory.loading, entry)
        )
        loaded = self._loaded(entry, warnings)
        # Others may have been loaded by the module of this one.
        inventory = self.now.but(loading=_less(self.now.loading, entry))
        if isinstance(loaded, Failure):
            pending = inventory.pending
            if _is_transient(loaded.error):
                pending = tuple(sorted((*pending, entry), key=_position))
            self._working = inventory.but(failures=(*inventory.failures, loaded), pending=pending)
            return
        backends = sorted((*inventory.backends.values(), loaded), key=_position)
        labels = dict.fromkeys((loaded.name, *loaded.aliases), loaded)
        self._working = inventory.but(
            backends={backend.name: backend for backend in backends},
            labels={**inventory.labels, **labels},
        )

    def _loaded(self, entry: EntryPoint, warnings: list[str]) -> Backend | Failure:
        """Load an entry point, and make a backend of it."""
        origin = entry.origin
        refusal = None if entry.is_given else self._trust.refusal_before_import(origin)
        if refusal is not None:
            # A user who blocks a backend knows; so does a host that refuses all others.
            silent = self._trust.block_reason(origin) or not self._trust.candidates_for(origin)
            return self._refused(entry, refusal, None if silent else warnings)
        try:
            loaded = entry.load()
            source = loaded() if isinstance(loaded, type) else loaded
        except SystemExit as error:
            if not _comes_from_a_module(error):
                raise
            return self._failed(entry, f"{origin} did not load", error)
        except Exception as error:
            return self._failed(entry, f"{origin} did not load", error)
        try:
            return self._registered(entry, loaded, source, warnings)
        except Exception as error:
            warnings.append(
                f"a backend of {self._reserved.host} could not be registered: {origin} raised"
                f" {describe_error(error)}"
            )
            return self._failed(entry, f"{origin} could not be registered", error)

    def _registered(
        self, entry: EntryPoint, loaded: Any, source: Any, warnings: list[str]
    ) -> Backend | Failure:
        host, labels, origin = self._reserved.host, self.now.labels, entry.origin
        # Read once: it may be another name the next time.
        name: Any = exact_str(getattr(source, "name", None))
        if entry.is_given:
            name = origin.entry_point
        reason = self._rules.rejection_reason(name, labels)
        if reason is not None:
            reason = f"{origin}: {reason}"
            logger.debug("ignored: %s", reason)
            warnings.append(f"a backend of {host} is ignored: {reason}")
            names = self._names_of(entry, name)
            return Failure(names, reason, None, False, entry)
        trusted = self._trust.named(name)
        if not entry.is_given:
            refusal = self._trust.refusal_after_import(name, origin, loaded)
            if refusal is not None:
                return self._refused(entry, refusal, None if trusted is None else warnings, name)
        is_trusted = trusted is not None or entry.is_given
        backend = Backend(name, source, origin, is_trusted, entry.position)
        configured = () if trusted is None else trusted.aliases
        declared = getattr(source, "aliases", ())
        backend.aliases, backend.complaints = self._rules.usable_aliases(
            name, configured, declared, labels
        )
        backend.claim_classes(getattr(source, "array_types", ()))
        for complaint in backend.complaints:
            warnings.append(f"the backend {name!r} of {host}, {origin}: {complaint}")
        logger.debug("%r is registered", backend)
        return backend

    # Failures

    def _names_of(self, entry: EntryPoint, name: Any = None) -> tuple[str, ...]:
        """All names under which users may ask for an entry point.

        :param name: the name that its backend gives itself, if that is known.
        """
        names = [entry.origin.entry_point]
        for trusted in self._trust.candidates_for(entry.origin):
            names += trusted.labels
        if is_name(name):
            named = self._trust.named(name)
            names += [name] if named is None else [name, *named.labels]
        return tuple(dict.fromkeys(names))

    def _failed(self, entry: EntryPoint, reason: str, error: BaseException) -> Failure:
        logger.debug("%s", reason, exc_info=True)
        return Failure(self._names_of(entry), reason, error, False, entry)

    def _refused(
        self, entry: EntryPoint, reason: str, warnings: list[str] | None, name: Any = None
    ) -> Failure:
        reason = f"{entry.origin} is refused: {reason}"
        logger.debug("%s", reason)
        if warnings is not None:
            warnings.append(f"a backend of {self._reserved.host} is not used: {reason}")
        return Failure(self._names_of(entry, name), reason, None, True, entry)


def _position(one: EntryPoint | Backend) -> int:
    return one.position


def _identity(entry: EntryPoint) -> tuple[str, str, str | None]:
    return entry.origin.entry_point, entry.origin.object_reference, entry.origin.distribution


def _less(entries: tuple[EntryPoint, ...], one: EntryPoint) -> tuple[EntryPoint, ...]:
    return tuple([entry for entry in entries if entry is not one])


def _comes_from_a_module(error: SystemExit) -> bool:
    """True if a module exited while it was imported.

    It is a script that was taken for a backend; other exits are wishes of the user.
    """
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "<module>":
            return True
        traceback = traceback.tb_next
    return False


def _is_transient(error: BaseException | None) -> bool:
    """True for a lack of memory or recursion, also as a cause: the load is tried again."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        # Not by the exception's own attributes: they are code of the backend, and may raise.
        if issubclass(type(error), (MemoryError, RecursionError)):
            return True
        seen.add(id(error))
        cause, context = (
            BaseException.__dict__[name].__get__(error) for name in ("__cause__", "__context__")
        )
        error = context if cause is None else cause
    return False
