"""Loading one entry point, and making a backend of the object that it gives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from .backend import Backend
from .caller_warnings import describe_error
from .entry_points import EntryPoint
from .inventory import Failure
from .names import NameRules, ReservedNames, exact_str, is_name
from .owned_classes import OwnedClasses
from .trust import Trust

__all__ = ["Loader", "is_transient"]

logger: Final = logging.getLogger("reg.backends")


class Loader:
    """Loads the entry points of one host.

    :param reserved: the names that no backend may have.
    :param trust: the host's trust configuration.
    :param taken: gives the registered backends by name and alias.
    """

    def __init__(
        self, reserved: ReservedNames, trust: Trust, taken: Callable[[], Mapping[str, Backend]]
    ) -> None:
        self._reserved = reserved
        self._trust = trust
        self._taken = taken
        self._rules = NameRules(reserved, trust.owners)

    def load(self, entry: EntryPoint, warnings: list[str]) -> Backend | Failure:
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
        host, labels, origin = self._reserved.host, self._taken(), entry.origin
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
        backend.owned = OwnedClasses(name, getattr(source, "array_types", ()))
        converts = getattr(source, "converts", ())
        if converts and not callable(getattr(source, "convert_from_host", None)):
            backend.complaints.append("it has converts, and no function convert_from_host")
        else:
            backend.converts = OwnedClasses(name, converts, "converts")
        backend.complaints += backend.owned.complaints + backend.converts.complaints
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


def is_transient(error: BaseException | None) -> bool:
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
