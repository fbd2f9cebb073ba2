"""Who may supply which backend: the trust configuration of a host, checked before an import."""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from packaging.utils import canonicalize_name

from .names import NAME_RULE, ReservedNames, exact_str, is_name, normalized

__all__ = ["Origin", "Trust", "Trusted", "Untrusted"]

#: How entry points of distributions that the host does not name are treated.
Untrusted: TypeAlias = Literal["warn", "refuse", "allow"]

# The fields of a trusted backend's configuration, with their singular forms.
_FIELDS: Final = {
    "distributions": ("package", "distribution"),
    "entrypoints": ("entrypoint",),
    "object_refs": ("object_ref",),
    "module_prefixes": ("module_prefix",),
}
_KNOWN_FIELDS: Final = {"aliases", *_FIELDS, *(one for forms in _FIELDS.values() for one in forms)}
_CONTAINERS = (list, tuple, set, frozenset)
# Text that can stand in a message unquoted: it cannot be mistaken for a part of the message.
_HARMLESS = re.compile(r"[A-Za-z0-9_.:+!-]+")


class Origin(NamedTuple):
    """Where a backend comes from: the contents of an entry point, read without loading it."""

    entry_point: str
    object_reference: str
    #: name of the distribution as it is written; ``None`` if it is not known
    distribution: str | None
    version: str | None
    #: directory of the metadata, if the distribution has no name
    location: str | None = None

    def __str__(self) -> str:
        distribution = "an unknown distribution"
        if self.distribution is not None:
            version = "" if self.version is None else f" {_quoted(self.version)}"
            distribution = f"the distribution {self.distribution!a}{version}"
        elif self.location is not None:
            distribution = f"a distribution without a name, {self.location!a}"
        return (
            f"entry point {self.entry_point!a} ({_quoted(self.object_reference)}) of {distribution}"
        )


class Trusted:
    """One backend that a host trusts, and who may supply it.

    :param name: its canonical name.
    :param configuration: as the host wrote it; copied.
    :raises ValueError: if the configuration is malformed.
    """

    def __init__(self, name: str, configuration: Mapping[str, Any]) -> None:
        # Read once, so that the values that are checked are the values that are kept.
        fields = {exact_str(field): exact_str(value) for field, value in configuration.items()}
        for field in fields:
            if field not in _KNOWN_FIELDS:
                raise ValueError(
                    f"trusted_backends: {name!r} has an unknown field {field!r}; the fields are"
                    f" {', '.join(sorted(_KNOWN_FIELDS))}"
                )
        self.name = name
        self.aliases = _strings(name, "aliases", fields.get("aliases", ()))
        #: its name and its aliases
        self.labels = (name, *self.aliases)
        allowed = {field: _allowed(name, field, fields) for field in _FIELDS}
        #: the name to install it by
        self.package: str = fields.get("package", (*allowed["distributions"], name)[0])
        self.distributions = tuple(map(normalized, allowed["distributions"]))
        self.entrypoints = allowed["entrypoints"]
        self.object_refs = tuple(one.replace(" ", "") for one in allowed["object_refs"])
        self.module_prefixes = allowed["module_prefixes"]
        # Entry points are compared by looser rules than names: lower case turns some other
        # letters into ASCII, and an entry point that looks like a trusted name is checked.
        self._entry_point_names = {
            canonicalize_name(one) for one in (*self.labels, *self.entrypoints)
        }

    def is_claimed_by(self, origin: Origin) -> bool:
        """True if an entry point seems to supply this backend, by its name or distribution."""
        return canonicalize_name(origin.entry_point) in self._entry_point_names or (
            origin.distribution is not None
            and normalized(origin.distribution) in self.distributions
        )

    def refusal(self, origin: Origin) -> str | None:
        """Why an entry point may not supply this backend, by the metadata alone.

        :return: the reason; ``None`` if it may.
        """
        if self.distributions:
            if origin.distribution is None:
                return f"its distribution is not known, and {_one_of(self.distributions)} expected"
            if normalized(origin.distribution) not in self.distributions:
                return (
                    f"it comes from the distribution {origin.distribution!a}, and"
                    f" {_one_of(self.distributions)} expected"
                )
        if self.entrypoints and origin.entry_point not in self.entrypoints:
            return (
                f"its entry point is called {origin.entry_point!a}, and"
                f" {_one_of(self.entrypoints)} expected"
            )
        if self.object_refs and origin.object_reference not in self.object_refs:
            return (
                f"its entry point refers to {origin.object_reference!a}, and"
                f" {_one_of(self.object_refs)} expected"
            )
        return None

    def module_refusal(self, loaded: Any) -> str | None:
        """Why a loaded object may not be this backend, by the module that it says it is of.

        :param loaded: the object that the entry point gave.
        :return: the reason; ``None`` if it may.
        """
        if not self.module_prefixes:
            return None
        if isinstance(loaded, types.ModuleType):
            module = loaded.__name__
        else:
            module = getattr(loaded, "__module__", None) or type(loaded).__module__
        if any(
            f"{module}.".startswith(f"{prefix.rstrip('.')}.") for prefix in self.module_prefixes
        ):
            return None
        return (
            f"it is in the module {module!a}, and one in {_one_of(self.module_prefixes)} expected"
        )


class Trust:
    """The trust configuration of one host.

    :param reserved: the names that no backend may have.
    :param trusted: configurations by name, as the host gave them; copied.
    :param untrusted: how entry points of all others are treated.
    :param blocking_variable: an environment variable that names entry points that are
      never imported.
    :raises ValueError: if the configuration is malformed.
    """

    def __init__(
        self,
        reserved: ReservedNames,
        trusted: Mapping[str, Mapping[str, Any]] | None,
        untrusted: Untrusted,
        blocking_variable: str | None,
    ) -> None:
        if untrusted not in get_args(Untrusted):
            raise ValueError(
                f"untrusted must be one of {', '.join(map(repr, get_args(Untrusted)))};"
                f" got {untrusted!r}"
            )
        if trusted is not None and not isinstance(trusted, Mapping):
            raise ValueError(f"trusted_backends must be a mapping by name; got {trusted!r}")
        self.untrusted = untrusted
        self._blocking_variable = blocking_variable
        self._by_name: dict[str, Trusted] = {}
        #: by each name or alias of a trusted backend, the name of that backend
        self.owners: dict[str, str] = {}
        for given, configuration in (trusted or {}).items():
            name = exact_str(given)
            if not isinstance(configuration, Mapping):
                raise ValueError(
                    f"trusted_backends: the configuration of {name!r} must be a mapping;"
                    f" got {configuration!r}"
                )
            _check_name(reserved, name, f"{name!r}")
            self._by_name[name] = Trusted(name, configuration)
            self.owners[name] = name
        for backend in self:
            for alias in backend.aliases:
                _check_name(reserved, alias, f"the alias {alias!r} of {backend.name!r}")
                if alias in self.owners:
                    raise ValueError(
                        f"trusted_backends: the alias {alias!r} of {backend.name!r} is taken by"
                        f" {self.owners[alias]!r}"
                    )
                self.owners[alias] = backend.name

    def __iter__(self) -> Iterator[Trusted]:
        return iter(self._by_name.values())

    def named(self, label: str) -> Trusted | None:
        """The trusted backend of this name or alias."""
        name = self.owners.get(label)
        return None if name is None else self._by_name[name]

    def candidates_for(self, origin: Origin) -> list[Trusted]:
        """The trusted backends that an entry point seems to supply, by name or distribution.

        Only the backend itself says which one it is, after the import.
        """
        return [trusted for trusted in self if trusted.is_claimed_by(origin)]

    def expected_trust(self, origin: Origin) -> bool | None:
        """Foresee if an entry point is trusted, without importing it.

        :return: ``None`` if that depends on the name that the backend gives itself. Even
          where it is true, the backend can give itself another name.
        """
        candidates = self.candidates_for(origin)
        if candidates:
            return any(trusted.refusal(origin) is None for trusted in candidates)
        return None if any(trusted.refusal(origin) is None for trusted in self) else False

    def refusal_before_import(self, origin: Origin) -> str | None:
        """Why an entry point must not be imported; ``None`` if it may be.

        An entry point is refused where it contradicts each trusted backend that it seems to
        supply, where it is blocked, and where the host imports only backends that it names.
        """
        blocked = self.block_reason(origin)
        if blocked is not None:
            return blocked
        candidates = self.candidates_for(origin)
        if candidates:
            reasons = {trusted.name: trusted.refusal(origin) for trusted in candidates}
            if None not in reasons.values():
                return "; ".join(f"not trusted as {name!r}: {why}" for name, why in reasons.items())
        if self.untrusted == "refuse" and not any(
            origin.distribution is not None
            and normalized(origin.distribution) in trusted.distributions
            for trusted in self
        ):
            return self.how_to_allow(origin)
        return None

    def refusal_after_import(self, name: str, origin: Origin, loaded: Any) -> str | None:
        """Why a loaded object may not be the backend that it calls itself.

        :param name: the name that it gives itself.
        :param origin: where it comes from.
        :param loaded: the object that the entry point gave.
        :return: the reason; ``None`` if it may.
        """
        if self._is_blocked(name):
            return self._blocked(name)
        trusted = self.named(name)
        if trusted is None:
            return self.how_to_allow(origin) if self.untrusted == "refuse" else None
        refusal = trusted.refusal(origin) or trusted.module_refusal(loaded)
        return None if refusal is None else f"not trusted as {name!r}: {refusal}"

    def how_to_allow(self, origin: Origin) -> str:
        """Say how to allow an entry point where the host refuses all that it does not name."""
        return (
            "the host imports only backends that it trusts, and this one is not listed; to allow"
            f" it, add it to trusted_backends, with {origin.distribution!a} as its package, or"
            ' use untrusted="warn"'
        )

    def block_reason(self, origin: Origin) -> str | None:
        """Why the environment variable blocks an entry point; ``None`` if it does not."""
        if self._blocking_variable is None:
            return None
        names = [origin.entry_point]
        for trusted in self.candidates_for(origin):
            names += trusted.labels
        if origin.distribution is not None:
            names.append(origin.distribution)
        return next((self._blocked(name) for name in names if self._is_blocked(name)), None)

    def _is_blocked(self, name: str) -> bool:
        value = os.environ.get(self._blocking_variable, "") if self._blocking_variable else ""
        return any(
            canonicalize_name(blocked.strip()) == canonicalize_name(name)
            for blocked in value.split(",")
            if blocked.strip()
        )

    def _blocked(self, name: str) -> str:
        return f"{name!a} is blocked by the environment variable {self._blocking_variable}"


def _check_name(reserved: ReservedNames, name: object, subject: str) -> None:
    if not is_name(name):
        raise ValueError(f"trusted_backends: {subject} cannot be used; {NAME_RULE}")
    reason = reserved.reason(str(name))
    if reason is not None:
        raise ValueError(f"trusted_backends: {subject} is reserved: {reason}")


def _allowed(name: str, field: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a field allows, in its plural and in its singular forms."""
    allowed: list[str] = []
    for form in _FIELDS[field]:
        if form in fields:
            value = fields[form]
            if not isinstance(value, str) or not value.strip():
                raise ValueError(
                    f"trusted_backends: {form!r} of {name!r} must be a non-empty string;"
                    f" got {value!r}"
                )
            allowed.append(value)
    if field in fields:
        value = fields[field]
        listed = _strings(name, field, (value,) if isinstance(value, str) else value)
        if not listed:
            raise ValueError(
                f"trusted_backends: {field!r} of {name!r} allows nothing; leave it out"
            )
        allowed += listed
    return tuple(dict.fromkeys(allowed))


def _strings(name: str, field: str, value: Any) -> tuple[str, ...]:
    strings: list[Any] = [None]
    if isinstance(value, _CONTAINERS):
        strings = list(map(exact_str, value))
    if not all(isinstance(one, str) and one.strip() for one in strings):
        raise ValueError(
            f"trusted_backends: {field!r} of {name!r} must be a list, tuple or set of non-empty"
            f" strings; got {value!r}"
        )
    ordered = strings if isinstance(value, (list, tuple)) else sorted(strings)
    if len(set(ordered)) < len(ordered):
        raise ValueError(f"trusted_backends: {field!r} of {name!r} names one twice: {value!r}")
    return tuple(ordered)


def _quoted(text: str) -> str:
    """Quote text from metadata for a message, unless it is harmless."""
    return text if _HARMLESS.fullmatch(text) else ascii(text)


def _one_of(names: tuple[str, ...]) -> str:
    listed = " or ".join(map(repr, names))
    return f"{listed} {'was' if len(names) == 1 else 'were'}"
