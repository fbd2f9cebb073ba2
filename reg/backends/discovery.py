"""Finding and loading the backends of one host.

Nothing happens before somebody asks. Then the entry points of the host's group
are listed, which imports nothing, and those are loaded that can have what was
asked for.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from packaging.utils import canonicalize_name

from .backend import Backend
from .labels import WHAT_A_LABEL_IS, Labels, is_label
from .notices import Notices
from .trust import Origin, Trust

__all__ = ["Discovery", "Failure"]

logger: Final = logging.getLogger("reg.backends")


class Failure(NamedTuple):
    """Why an entry point gave no backend.

    :param names: the names under which its user may ask for it.
    :param position: the place of the entry point among those of the group.
    :param error: what was raised; ``None`` if it was refused or ignored.
    """

    names: tuple[str, ...]
    position: int
    reason: str
    error: BaseException | None
    refused: bool

    def is_about(self, label: str) -> bool:
        wanted = canonicalize_name(label)
        return any(canonicalize_name(name) == wanted for name in self.names)


class _Entry:
    """An entry point of the host's group, not necessarily loaded."""

    def __init__(self, point: Any, position: int) -> None:
        self.point = point
        self.position = position
        distribution = getattr(point, "dist", None)
        self.origin = Origin(
            entry_point=str(point.name),
            object_reference=str(getattr(point, "value", "")).partition("[")[0].replace(" ", ""),
            distribution=_name_of(distribution),
            version=getattr(distribution, "version", None),
        )


class _Found:
    """All that one discovery changes, so that it can be put back."""

    def __init__(self) -> None:
        self.entries: list[_Entry] | None = None
        self.pending: list[_Entry] = []
        self.backends: dict[str, Backend] = {}
        self.labels: dict[str, Backend] = {}
        self.failures: list[Failure] = []
        #: read without the lock, so not before the last one is loaded
        self.complete = False

    def copy(self) -> _Found:
        copied = _Found()
        copied.entries = self.entries
        copied.pending = list(self.pending)
        copied.backends = dict(self.backends)
        copied.labels = dict(self.labels)
        copied.failures = list(self.failures)
        copied.complete = self.complete
        return copied


class Discovery:
    """The backends of one host, as far as they have been asked for.

    :param group: the group of entry points that backends are found in.
    :param labels: the names that are taken.
    :param trust: who may supply what.
    :param use: is called with the backends after some have been loaded, and
      with where to put warnings.
    """

    def __init__(
        self,
        group: str,
        labels: Labels,
        trust: Trust,
        use: Callable[[list[Backend], Notices], None],
    ) -> None:
        self._group = group
        self._labels = labels
        self._trust = trust
        self._use = use
        self._found = _Found()
        # How many calls of _load() are in each other.
        self._loading = 0
        self.lock = threading.RLock()

    # Asking

    def find(self, label: str) -> Backend | None:
        """Get the backend of this name or alias, loading as little as possible.

        :return: the backend; ``None`` if there is none, or it did not load.
        """
        found = self._found
        backend = found.labels.get(label)
        if backend is not None or found.complete or self._labels.why_reserved(label):
            return backend
        with self.lock, _issued() as notices:
            for load_next in (self._called, self._perhaps_called, self._everything):
                self._load(load_next, label, notices)
                if (backend := self._found.labels.get(label)) is not None:
                    return backend
                if any(each.error and each.is_about(label) for each in self._found.failures):
                    return None
        return None

    def all(self) -> list[Backend]:
        """Load everything there is.

        :return: the backends, in the order of their entry points.
        """
        if not self._found.complete:
            with self.lock, _issued() as notices:
                self._load(self._everything, "", notices)
        return self.loaded()

    def loaded(self) -> list[Backend]:
        """The backends loaded so far, in the order of their entry points."""
        return sorted(self._found.backends.values(), key=lambda each: each.position)

    def names(self) -> list[str]:
        """Names and aliases of all backends, sorted."""
        self.all()
        return sorted(self._found.labels)

    def in_order_of_priority(self) -> list[Backend]:
        """All backends: those that the host trusts as it lists them, then the others by name."""
        trusted = {each.name: index for index, each in enumerate(self._trust)}
        backends = sorted(self.all(), key=lambda each: each.name)
        return sorted(backends, key=lambda each: trusted.get(each.name, len(trusted)))

    def failure(self, label: str) -> Failure | None:
        """Why there is no backend of this name: what failed before what was refused."""
        about = [each for each in self._found.failures if each.is_about(label)]
        about.sort(key=lambda each: (each.error is None, not each.refused))
        return about[0] if about else None

    def closest(self, label: str) -> str | None:
        """The installed name that is most like this one."""
        matches = difflib.get_close_matches(label, list(self._found.labels), 1)
        return matches[0] if matches else None

    def outcomes(self) -> list[tuple[Origin, Backend | Failure | None]]:
        """List all entry points, loading none, with what became of them so far.

        :return: ``None`` for one that is not loaded.
        """
        with self.lock:
            self._pending()
            found = self._found
            became: dict[int, Backend | Failure] = {}
            became.update((each.position, each) for each in found.backends.values())
            became.update((each.position, each) for each in found.failures)
            return [(each.origin, became.get(each.position)) for each in found.entries or ()]

    # Forgetting, for tests

    def state(self) -> Any:
        """What has been found, to be put back with :meth:`restore`."""
        return self._found.copy()

    def restore(self, state: Any) -> None:
        """Put back what had been found."""
        with self.lock:
            self._found = state.copy()

    # Which entry points to load

    def _called(self, label: str) -> list[_Entry]:
        """Those whose name says that they are what was asked for."""
        trusted = self._trust.named(label)
        names = {label}
        if trusted is not None:
            names.update(trusted.labels, trusted.entrypoints)
        return [entry for entry in self._pending() if entry.origin.entry_point in names]

    def _perhaps_called(self, label: str) -> list[_Entry]:
        """Those that can be told, without being loaded, to be likely."""
        wanted = canonicalize_name(label)
        trusted = self._trust.named(label)
        return [
            entry
            for entry in self._pending()
            if canonicalize_name(entry.origin.entry_point) == wanted
            or (trusted is not None and trusted in self._trust.claimed(entry.origin))
        ]

    def _everything(self, label: str) -> list[_Entry]:
        return list(self._pending())

    def _pending(self) -> list[_Entry]:
        found = self._found
        if found.entries is None:
            points = importlib.metadata.entry_points(group=self._group)
            entries = [_Entry(point, position) for position, point in enumerate(points)]
            found.entries, found.pending = entries, list(entries)
        return found.pending

    # Loading

    def _load(self, choose: Callable[[str], list[_Entry]], label: str, notices: Notices) -> None:
        before = self._found.copy()
        self._loading += 1
        try:
            for entry in choose(label):
                # One that is being loaded may ask for others, but not for itself.
                if entry in self._found.pending:
                    self._found.pending.remove(entry)
                    self._load_one(entry, notices)
            self._use(self.loaded(), notices)
            self._found.complete = not self._found.pending and self._loading == 1
        except BaseException:
            self._found = before
            raise
        finally:
            self._loading -= 1

    def _load_one(self, entry: _Entry, notices: Notices) -> None:
        origin = entry.origin
        refusal = self._trust.refusal_before_import(origin)
        if refusal is not None:
            self._refuse(entry, refusal, notices, warn=bool(self._trust.claimed(origin)))
            return
        try:
            source = entry.point.load()
            if isinstance(source, type):
                source = source()
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and not _comes_from_a_module(error):
                raise
            logger.debug("%s did not load", origin, exc_info=True)
            self._fail(entry, f"{origin} did not load", error)
            return
        try:
            self._register(entry, source, notices)
        except Exception as error:
            name = getattr(type(error), "__name__", "Exception")
            notices.add(
                f"a backend of {self._labels.host} could not be registered: {origin} raised"
                f" {name}: {error}"
            )
            self._fail(entry, f"{origin} could not be registered", error)

    def _register(self, entry: _Entry, source: Any, notices: Notices) -> None:
        name: Any = getattr(source, "name", None)
        reason = self._why_not(name)
        if reason is not None:
            logger.debug("%s is ignored: %s", entry.origin, reason)
            notices.add(f"a backend of {self._labels.host} is ignored: {entry.origin}: {reason}")
            names = (entry.origin.entry_point,)
            self._found.failures.append(Failure(names, entry.position, reason, None, False))
            return
        trusted = self._trust.named(name)
        refusal = None if trusted is None else trusted.refusal(entry.origin)
        if refusal is not None:
            self._refuse(entry, f"not trusted as {name!r}: {refusal}", notices, True, name)
            return
        if trusted is None and self._trust.untrusted == "refuse":
            how = self._trust.how_to_allow(entry.origin)
            self._refuse(entry, how, notices, False, name)
            return
        backend = Backend(name, source, entry.origin, trusted is not None, entry.position)
        complaints = backend.complaints
        backend.aliases = list(trusted.aliases) if trusted is not None else []
        backend.aliases += self._aliases(backend, complaints)
        complaints += _own(backend)
        self._found.backends[name] = backend
        for label in (name, *backend.aliases):
            self._found.labels[label] = backend
        for complaint in complaints:
            notices.add(f"the backend {name!r} of {self._labels.host}, {entry.origin}: {complaint}")
        logger.debug("%r is registered", backend)

    def _why_not(self, name: Any) -> str | None:
        if name is None:
            return "it has no name"
        if not is_label(name):
            return f"it cannot be called {name!r}; {WHAT_A_LABEL_IS}"
        reserved = self._labels.why_reserved(name)
        if reserved is not None:
            return f"its name {name!r} is reserved: {reserved}"
        trusted = self._trust.named(name)
        if trusted is not None and trusted.name != name:
            return f"its name {name!r} is an alias of the trusted backend {trusted.name!r}"
        taken = self._found.labels.get(name)
        if taken is not None and taken.name != name:
            return f"its name {name!r} is an alias of {taken!r}"
        if taken is not None:
            return f"its name {name!r} is taken by {taken!r}"
        return None

    def _aliases(self, backend: Backend, complaints: list[str]) -> list[str]:
        """The aliases that a backend may have of those that it declares."""
        declared = getattr(backend.source, "aliases", ())
        if isinstance(declared, (str, bytes)) or not isinstance(declared, Iterable):
            complaints.append(f"its aliases must be a list of strings, not {declared!r}")
            return []
        aliases: list[str] = []
        for alias in declared:
            if alias == backend.name or alias in backend.aliases or alias in aliases:
                continue
            reason = self._why_no_alias(backend, alias)
            if reason is None:
                aliases.append(alias)
            else:
                complaints.append(f"its alias {alias!r} is dropped: {reason}")
        return aliases

    def _why_no_alias(self, backend: Backend, alias: Any) -> str | None:
        if not is_label(alias):
            return WHAT_A_LABEL_IS
        reserved = self._labels.why_reserved(alias)
        if reserved is not None:
            return f"it is reserved: {reserved}"
        trusted = self._trust.named(alias)
        if trusted is not None and trusted.name != backend.name:
            return f"it belongs to the trusted backend {trusted.name!r}"
        taken = self._found.labels.get(alias)
        return None if taken is None else f"it is taken by {taken!r}"

    # What went wrong

    def _names_of(self, entry: _Entry, *more: str) -> tuple[str, ...]:
        claimed = [label for each in self._trust.claimed(entry.origin) for label in each.labels]
        return (entry.origin.entry_point, *claimed, *more)

    def _fail(self, entry: _Entry, reason: str, error: BaseException) -> None:
        names = self._names_of(entry)
        self._found.failures.append(Failure(names, entry.position, reason, error, False))

    def _refuse(
        self, entry: _Entry, reason: str, notices: Notices, warn: bool, *names: str
    ) -> None:
        reason = f"{entry.origin} is refused: {reason}"
        logger.debug("%s", reason)
        if warn:
            notices.add(f"a backend of {self._labels.host} is not used: {reason}")
        names = self._names_of(entry, *names)
        self._found.failures.append(Failure(names, entry.position, reason, None, True))


def _comes_from_a_module(error: SystemExit) -> bool:
    """Tell whether it was a module that exited when it was imported.

    That is a script which was taken for a backend, and no wish of the user's.
    """
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "<module>":
            return True
        traceback = traceback.tb_next
    return False


@contextmanager
def _issued() -> Iterator[Notices]:
    """Collect warnings, and issue them when all is done."""
    notices = Notices()
    yield notices
    notices.issue()


def _own(backend: Backend) -> list[str]:
    declared = getattr(backend.source, "array_types", ())
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        return [f"its array_types must be a list of classes or names, not {declared!r}"]
    return backend.own(declared)


def _name_of(distribution: Any) -> str | None:
    name = getattr(distribution, "name", None)
    if name is None and distribution is not None:
        try:
            name = distribution.metadata["Name"]
        except (AttributeError, KeyError, TypeError):
            return None
    return name if isinstance(name, str) else None
