"""Finding and loading the backends of one host.

Nothing happens before somebody asks. Then the entry points of the host's group
are listed, which imports nothing, and those are loaded that can have what was
asked for.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from packaging.utils import canonicalize_name

from reg._lock import ReentrantLock

from .backend import Backend
from .entry_points import EntryPoint, entry_points
from .labels import Labels, is_label, normalized, plain
from .naming import Naming
from .notices import Notices, told
from .trust import Origin, Trust

__all__ = ["Discovery", "Failure"]

logger: Final = logging.getLogger("reg.backends")


class Failure(NamedTuple):
    """Why an entry point gave no backend.

    :param names: the names under which its user may ask for it.
    :param error: what was raised; ``None`` if it was refused or ignored.
    :param entry: the entry point; ``None`` if its distribution cannot be read.
    """

    names: tuple[str, ...]
    reason: str
    error: BaseException | None
    refused: bool
    entry: EntryPoint | None = None

    def is_about(self, label: str) -> bool:
        wanted = canonicalize_name(label)
        return any(canonicalize_name(name) == wanted for name in self.names)


class _Found:
    """All that one discovery changes, so that it can be put back."""

    def __init__(self) -> None:
        self.listed = False
        self.pending: list[EntryPoint] = []
        #: those that are being loaded, which may ask for others
        self.under_way: list[EntryPoint] = []
        self.backends: dict[str, Backend] = {}
        self.labels: dict[str, Backend] = {}
        self.failures: list[Failure] = []
        #: read without the lock, so not before the last one is loaded
        self.complete = False

    def forget(self, entry: EntryPoint) -> None:
        """Forget what came of one entry point."""
        place = entry.position
        self.backends = {k: v for k, v in self.backends.items() if v.position != place}
        self.labels = {k: v for k, v in self.labels.items() if v.position != place}
        self.failures = [each for each in self.failures if each.entry is not entry]

    def copy(self) -> _Found:
        copied = _Found()
        copied.listed = self.listed
        copied.pending = list(self.pending)
        copied.under_way = list(self.under_way)
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
    :param keep: is called before; what it returns puts back what ``use`` changes.
    """

    def __init__(
        self,
        group: str,
        labels: Labels,
        trust: Trust,
        use: Callable[[list[Backend], Notices], None],
        keep: Callable[[], Callable[[], None]],
    ) -> None:
        self._group = group
        self._labels = labels
        self._trust = trust
        self._naming = Naming(labels, trust)
        self._use = use
        self._keep = keep
        self._found = _Found()
        self.lock = ReentrantLock()

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
                failure = self.failure(label)
                if failure is not None and failure.error is not None and failure.is_about(label):
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

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be loaded."""
        return self._found.complete

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
        failures = self._found.failures
        about = [each for each in failures if each.is_about(label)]
        if not about:
            # One that is to be tried again may be the one.
            about = [each for each in failures if _passes(each.error)]
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
        with self.lock, _issued() as notices:
            self._load(lambda label: [], "", notices)
            found = self._found
            became: dict[int, tuple[Origin, Backend | Failure | None]] = {}
            for entry in (*found.pending, *found.under_way):
                became[entry.position] = entry.origin, None
            for backend in found.backends.values():
                became[backend.position] = backend.origin, backend
            for failure in found.failures:
                if failure.entry is not None:
                    became[failure.entry.position] = failure.entry.origin, failure
        return [became[position] for position in sorted(became)]

    # Forgetting, for tests

    def state(self) -> Any:
        """What has been found, to be put back with :meth:`restore`."""
        return self._found.copy()

    def restore(self, state: Any) -> None:
        """Put back what had been found."""
        with self.lock:
            self._found = state.copy()

    # Which entry points to load

    def _called(self, label: str) -> list[EntryPoint]:
        """Those whose name says that they are what was asked for."""
        trusted = self._trust.named(label)
        names = {label}
        if trusted is not None:
            names.update(trusted.labels, trusted.entrypoints)
        return [entry for entry in self._found.pending if entry.origin.entry_point in names]

    def _perhaps_called(self, label: str) -> list[EntryPoint]:
        """Those that can be told, without being loaded, to be likely."""
        wanted = canonicalize_name(label)
        trusted = self._trust.named(label)
        return [
            entry
            for entry in self._found.pending
            if canonicalize_name(entry.origin.entry_point) == wanted
            or (trusted is not None and trusted in self._trust.claimed(entry.origin))
        ]

    def _everything(self, label: str) -> list[EntryPoint]:
        return list(self._found.pending)

    # Loading

    def _load(
        self, choose: Callable[[str], list[EntryPoint]], label: str, notices: Notices
    ) -> None:
        before, put_back = self._found, self._keep()
        try:
            # What was before is left alone, so that it can be gone back to in one step.
            self._found = before.copy()
            if not self._found.listed:
                self._list(notices)
            for entry in choose(label):
                # One that is being loaded may ask for others, but not for itself.
                if entry in self._found.pending:
                    self._found.pending.remove(entry)
                    self._found.under_way.append(entry)
                    self._load_one(entry, notices)
                    self._found.under_way.remove(entry)
            self._use(self.loaded(), notices)
            self._found.complete = not self._found.pending and not self._found.under_way
        except BaseException:
            self._found = before
            put_back()
            raise

    def _list(self, notices: Notices) -> None:
        found = self._found

        def complain(name: str | None, described: str, error: Exception) -> None:
            reason = f"{described} has entry points that cannot be read"
            logger.debug("%s", reason, exc_info=error)
            notices.add(f"{self._labels.host} may lack a backend: {reason}: {told(error)}")
            wanted = None if name is None else normalized(name)
            names = [label for each in self._trust for label in each.labels_from(wanted)]
            found.failures.append(Failure(tuple(names), reason, error, False))

        found.pending = entry_points(self._group, complain)
        found.listed = True

    def _load_one(self, entry: EntryPoint, notices: Notices) -> None:
        origin = entry.origin
        self._found.forget(entry)
        refusal = self._trust.refusal_before_import(origin)
        if refusal is not None:
            self._refuse(entry, refusal, notices, warn=bool(self._trust.claimed(origin)))
            return
        try:
            source = entry.load()
            if isinstance(source, type):
                source = source()
        except SystemExit as error:
            if not _comes_from_a_module(error):
                raise
            self._fail(entry, f"{origin} did not load", error)
            return
        except Exception as error:
            self._fail(entry, f"{origin} did not load", error)
            return
        try:
            self._register(entry, source, notices)
        except Exception as error:
            self._found.forget(entry)
            notices.add(
                f"a backend of {self._labels.host} could not be registered: {origin} raised"
                f" {told(error)}"
            )
            self._fail(entry, f"{origin} could not be registered", error)

    def _register(self, entry: EntryPoint, source: Any, notices: Notices) -> None:
        # Read once: it may be another name the next time.
        name: Any = plain(getattr(source, "name", None))
        reason = self._naming.why_not(name, self._found.labels)
        if reason is not None:
            reason = f"{entry.origin}: {reason}"
            logger.debug("ignored: %s", reason)
            notices.add(f"a backend of {self._labels.host} is ignored: {reason}")
            names = (entry.origin.entry_point, *([name] if is_label(name) else []))
            self._found.failures.append(Failure(names, reason, None, False, entry))
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
        backend.aliases += self._naming.aliases(backend, self._found.labels, complaints)
        complaints += _own(backend)
        for complaint in complaints:
            notices.add(f"the backend {name!r} of {self._labels.host}, {entry.origin}: {complaint}")
        logger.debug("%r is registered", backend)
        found = self._found
        backends = {**found.backends, name: backend}
        labels = {**found.labels, **dict.fromkeys((name, *backend.aliases), backend)}
        # Last, and in one step: what fails in between must not be half registered.
        found.backends, found.labels = backends, labels

    # What went wrong

    def _names_of(self, entry: EntryPoint, *more: str) -> tuple[str, ...]:
        claimed = [label for each in self._trust.claimed(entry.origin) for label in each.labels]
        return (entry.origin.entry_point, *claimed, *more)

    def _fail(self, entry: EntryPoint, reason: str, error: BaseException) -> None:
        logger.debug("%s", reason, exc_info=True)
        self._found.failures.append(Failure(self._names_of(entry), reason, error, False, entry))
        if _passes(error):
            # To be tried again.
            self._found.pending.append(entry)
            self._found.pending.sort(key=lambda each: each.position)

    def _refuse(
        self, entry: EntryPoint, reason: str, notices: Notices, warn: bool, *names: str
    ) -> None:
        reason = f"{entry.origin} is refused: {reason}"
        logger.debug("%s", reason)
        if warn:
            notices.add(f"a backend of {self._labels.host} is not used: {reason}")
        names = self._names_of(entry, *names)
        self._found.failures.append(Failure(names, reason, None, True, entry))


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


def _passes(error: BaseException | None) -> bool:
    """Tell whether it may be a matter of the moment, and not of the backend."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        # Asking the exception itself would run code of the backend, which may raise.
        if issubclass(type(error), (MemoryError, RecursionError)):
            return True
        seen.add(id(error))
        cause, context = (
            BaseException.__dict__[name].__get__(error) for name in ("__cause__", "__context__")
        )
        error = context if cause is None else cause
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
