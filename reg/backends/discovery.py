"""Finding and loading the backends of one host.

Nothing happens before the first query. Then the entry points of the host's group are listed,
which imports nothing, and only those are loaded that can supply the backend asked for.

The state of discovery is one immutable value, :class:`Inventory`. A query that loads works on a
value of its own and publishes it at the end, together with the signatures and docstrings that
follow from it. So other threads read without the lock, and a query that is interrupted leaves
the state before it: the next one tries again.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from packaging.utils import canonicalize_name

from reg._lock import ReentrantLock

from .backend import Backend
from .caller_warnings import describe_error, issue_warnings
from .entry_points import EntryPoint, entry_points, installed_without_entry_point, path_state
from .inventory import Assignment, Failure, Inventory, Publication, assign_together
from .loading import Loader, is_transient
from .names import ReservedNames, normalized
from .trust import Trust

__all__ = ["Discovery"]

logger: Final = logging.getLogger("reg.backends")


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
        #: the published state; read without the lock
        self.inventory = Inventory().but()
        # The state that the holder of the lock works on, while it loads.
        self._working: Inventory | None = None
        #: all that is published with the state
        self.publications: list[Publication] = []
        self.lock = ReentrantLock()
        self._loader = Loader(reserved, trust, lambda: self.now.labels)

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

    def load_undeclared(self) -> None:
        """Load all entry points that declare neither functions nor classes."""
        if not self.inventory.settled:
            self._load_and_warn(
                lambda label: [entry for entry in self.now.pending if entry.declared is None]
            )

    def load_answering(self, function: str, values: Collection[Any]) -> None:
        """Load the entry points that may run a call by ``"auto"``, by their declarations.

        :param function: the name of the host's function.
        :param values: the arguments that decide.
        """
        if self.inventory.pending:
            answering = [
                entry
                for entry in self.inventory.pending
                if entry.declared is not None and entry.declared.may_answer(function, values)
            ]
            if answering:
                self._load_and_warn(lambda label: answering)

    def _load_and_warn(self, choose: Callable[[str], Iterable[EntryPoint]]) -> None:
        warnings: list[str] = []
        with self.lock:
            self._load(choose, "", warnings)
        issue_warnings(warnings)

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

    def by_priority(self, load: bool = True) -> list[Backend]:
        """List all backends: the trusted ones as the host lists them, then others by name.

        :param load: false to list only those that are loaded already.
        """
        backends = self.all() if load else list(self.inventory.backends.values())
        trusted = {trusted.name: index for index, trusted in enumerate(self._trust)}
        return sorted(
            backends, key=lambda backend: (trusted.get(backend.name, len(trusted)), backend.name)
        )

    def failure(self, label: str) -> Failure | None:
        """Why there is no backend of this name: load failures before refusals before others."""
        failures = self.now.failures
        about = [failure for failure in failures if failure.is_about(label)]
        if not about:
            # An entry point that is to be tried again may be the one.
            about = [failure for failure in failures if is_transient(failure.error)]
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

    def outcomes(self) -> list[tuple[EntryPoint, Backend | Failure | None]]:
        """List all entry points, loading none, with the outcome of each so far.

        :return: each with its outcome, in order; ``None`` for one that is not loaded.
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
            (entry, became.get(entry.position))
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
        """The entry points whose name is the one that was asked for."""
        trusted = self._trust.named(label)
        names = {label} if trusted is None else {label, *trusted.labels, *trusted.entrypoints}
        return [entry for entry in self.now.pending if entry.origin.entry_point in names]

    def _likely(self, label: str) -> Iterable[EntryPoint]:
        """The entry points that are likely, by their metadata."""
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
        loaded = self._loader.load(entry, warnings)
        # Others may have been loaded by the module of this one.
        inventory = self.now.but(loading=_less(self.now.loading, entry))
        if isinstance(loaded, Failure):
            pending = inventory.pending
            if is_transient(loaded.error):
                pending = tuple(sorted((*pending, entry), key=_position))
            self._working = inventory.but(failures=(*inventory.failures, loaded), pending=pending)
            return
        backends = sorted((*inventory.backends.values(), loaded), key=_position)
        labels = dict.fromkeys((loaded.name, *loaded.aliases), loaded)
        self._working = inventory.but(
            backends={backend.name: backend for backend in backends},
            labels={**inventory.labels, **labels},
        )


def _position(one: EntryPoint | Backend) -> int:
    return one.position


def _identity(entry: EntryPoint) -> tuple[str, str, str | None]:
    return entry.origin.entry_point, entry.origin.object_reference, entry.origin.distribution


def _less(entries: tuple[EntryPoint, ...], one: EntryPoint) -> tuple[EntryPoint, ...]:
    return tuple([entry for entry in entries if entry is not one])
