"""Who may supply which backend: what a host trusts, checked before anything is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from packaging.utils import canonicalize_name

from .labels import WHAT_A_LABEL_IS, Labels, is_label, normalized, plain

__all__ = ["Origin", "Trust", "Trusted", "Untrusted"]

#: What happens to entry points of distributions that the host does not name.
Untrusted: TypeAlias = Literal["warn", "refuse", "allow"]

# Each field of a trusted backend's configuration, with its singular forms.
_FIELDS: Final = {
    "distributions": ("package", "distribution"),
    "entrypoints": ("entrypoint",),
    "object_refs": ("object_ref",),
    "module_prefixes": ("module_prefix",),
}
_CONTAINERS = (list, tuple, set, frozenset)
# What can stand in a message as it is: it cannot be mistaken for a part of it.
_HARMLESS = re.compile(r"[A-Za-z0-9_.:+!-]+")


class Origin(NamedTuple):
    """Where a backend comes from: what an entry point says without being loaded."""

    entry_point: str
    object_reference: str
    #: name of the distribution as it is written; ``None`` if it is not known
    distribution: str | None
    version: str | None
    #: where the distribution is, if its name is not known
    place: str | None = None

    @property
    def module(self) -> str:
        """The module that loading the entry point imports."""
        return self.object_reference.partition(":")[0]

    def __str__(self) -> str:
        distribution = "an unknown distribution"
        if self.distribution is not None:
            version = "" if self.version is None else f" {_told(self.version)}"
            distribution = f"the distribution {self.distribution!a}{version}"
        elif self.place is not None:
            distribution = f"a distribution without a name, {self.place!a}"
        return (
            f"entry point {self.entry_point!a} ({_told(self.object_reference)}) of {distribution}"
        )


class Trusted:
    """One backend that a host trusts, and who may supply it.

    :param name: its canonical name.
    :param configuration: as the host wrote it; copied.
    :raises ValueError: if there is something wrong with it.
    """

    def __init__(self, name: str, configuration: Mapping[str, Any]) -> None:
        # Read once: what is checked must be what is kept.
        configuration = {plain(field): plain(value) for field, value in configuration.items()}
        self.name = name
        self.aliases = _strings(name, "aliases", configuration.get("aliases", ()))
        known = {"aliases", *_FIELDS, *(form for forms in _FIELDS.values() for form in forms)}
        for field in configuration:
            if field not in known:
                raise ValueError(
                    f"trusted_backends: {name!r} has an unknown field {field!r}; the fields are"
                    f" {', '.join(sorted(known))}"
                )
        #: what to install to have it
        self.package = configuration.get("package", name)
        found = {field: _field(name, field, configuration) for field in _FIELDS}
        self.distributions = tuple(normalized(each) for each in found["distributions"])
        self.entrypoints = found["entrypoints"]
        self.object_refs = tuple(each.replace(" ", "") for each in found["object_refs"])
        self.module_prefixes = found["module_prefixes"]

    @property
    def labels(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return (self.name, *self.aliases)

    def labels_from(self, distribution: str | None) -> tuple[str, ...]:
        """What it can be chosen by, if a distribution of this normalised name may supply it."""
        return self.labels if distribution in self.distributions else ()

    def refusal(self, origin: Origin) -> str | None:
        """Why an entry point may not supply this backend; ``None`` if it may.

        Nothing is imported to find out.
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
        if self.module_prefixes and not any(
            f"{origin.module}.".startswith(f"{prefix.rstrip('.')}.")
            for prefix in self.module_prefixes
        ):
            return (
                f"it is in the module {origin.module!a}, and one in"
                f" {_one_of(self.module_prefixes)} expected"
            )
        return None


class Trust:
    """What one host trusts.

    :param labels: the names that are taken.
    :param trusted: configurations by name, as the host gave them; copied.
    :param untrusted: what happens to everything else.
    :raises ValueError: if there is something wrong with them.
    """

    def __init__(
        self, labels: Labels, trusted: Mapping[str, Mapping[str, Any]] | None, untrusted: Untrusted
    ) -> None:
        if untrusted not in get_args(Untrusted):
            raise ValueError(
                f"untrusted must be one of {', '.join(map(repr, get_args(Untrusted)))};"
                f" got {untrusted!r}"
            )
        if trusted is not None and not isinstance(trusted, Mapping):
            raise ValueError(f"trusted_backends must be a mapping by name; got {trusted!r}")
        self.untrusted = untrusted
        self._trusted: dict[str, Trusted] = {}
        self._by_label: dict[str, Trusted] = {}
        for each_name, configuration in (trusted or {}).items():
            name = plain(each_name)
            if not isinstance(configuration, Mapping):
                raise ValueError(
                    f"trusted_backends: the configuration of {name!r} must be a mapping;"
                    f" got {configuration!r}"
                )
            _check_label(labels, name, f"{name!r}")
            self._trusted[name] = self._by_label[name] = Trusted(name, configuration)
        for each in self:
            for alias in each.aliases:
                _check_label(labels, alias, f"the alias {alias!r} of {each.name!r}")
                if alias in self._by_label:
                    raise ValueError(
                        f"trusted_backends: the alias {alias!r} of {each.name!r} is taken by"
                        f" {self._by_label[alias].name!r}"
                    )
                self._by_label[alias] = each

    def __iter__(self) -> Iterator[Trusted]:
        return iter(self._trusted.values())

    def named(self, label: str) -> Trusted | None:
        """The trusted backend of this name or alias."""
        return self._by_label.get(label)

    def like(self, label: str) -> str | None:
        """The name or alias of a trusted backend that is this one but for its spelling."""
        wanted = normalized(label)
        return next((known for known in self._by_label if normalized(known) == wanted), None)

    def claimed(self, origin: Origin) -> list[Trusted]:
        """The trusted backends that an entry point seems to supply.

        By its name, or because it is of their distribution. Which one it is
        for certain, only the backend itself tells, when it is imported.
        """
        # However it is spelled, lookalikes that lower case makes of other letters included.
        entry_point = canonicalize_name(origin.entry_point)
        distribution = origin.distribution and normalized(origin.distribution)
        return [
            each
            for each in self
            if distribution in each.distributions
            or any(
                entry_point == canonicalize_name(name) for name in (*each.labels, *each.entrypoints)
            )
        ]

    def foresees(self, origin: Origin) -> bool | None:
        """Tell whether what an entry point supplies is trusted, before it is imported.

        :return: ``None`` if that depends on what it calls itself. If it is
          true, it may still call itself otherwise than it seems to.
        """
        claimed = self.claimed(origin)
        if claimed:
            return any(each.refusal(origin) is None for each in claimed)
        return None if any(each.refusal(origin) is None for each in self) else False

    def refusal_before_import(self, origin: Origin) -> str | None:
        """Why an entry point must not be imported; ``None`` if it may be.

        It must not where all that it could supply is to come from elsewhere.
        """
        claimed = self.claimed(origin)
        if claimed:
            reasons = {each.name: each.refusal(origin) for each in claimed}
            if None not in reasons.values():
                return "; ".join(f"not trusted as {name!r}: {why}" for name, why in reasons.items())
        if self.untrusted == "refuse" and not any(
            origin.distribution is not None
            and normalized(origin.distribution) in each.distributions
            for each in self
        ):
            return self.how_to_allow(origin)
        return None

    def how_to_allow(self, origin: Origin) -> str:
        """What keeps an entry point out where the host refuses all that it does not name."""
        return (
            "the host imports only backends that it trusts, and this is none of them; to allow"
            f" it, add it to trusted_backends, with {origin.distribution!a} as its package, or"
            ' use untrusted="warn"'
        )


def _check_label(labels: Labels, label: object, what: str) -> None:
    if not is_label(label):
        raise ValueError(f"trusted_backends: {what} cannot be used; {WHAT_A_LABEL_IS}")
    reason = labels.why_reserved(str(label))
    if reason is not None:
        raise ValueError(f"trusted_backends: {what} is reserved: {reason}")


def _field(name: str, field: str, configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """What a field allows, in its plural and in its singular forms."""
    found: list[str] = []
    for form in _FIELDS[field]:
        if form in configuration:
            value = configuration[form]
            if not isinstance(value, str) or not value.strip():
                raise ValueError(
                    f"trusted_backends: {form!r} of {name!r} must be a non-empty string;"
                    f" got {value!r}"
                )
            found.append(value)
    if field in configuration:
        value = configuration[field]
        listed = _strings(name, field, (value,) if isinstance(value, str) else value)
        found += listed
        if not listed:
            raise ValueError(
                f"trusted_backends: {field!r} of {name!r} allows nothing; leave it out"
            )
    return tuple(dict.fromkeys(found))


def _strings(name: str, field: str, value: Any) -> tuple[str, ...]:
    each_once: list[Any] = [None]
    if isinstance(value, _CONTAINERS):
        each_once = [plain(each) for each in value]
    if not all(isinstance(each, str) and each.strip() for each in each_once):
        raise ValueError(
            f"trusted_backends: {field!r} of {name!r} must be a list, tuple or set of non-empty"
            f" strings; got {value!r}"
        )
    ordered = each_once if isinstance(value, (list, tuple)) else sorted(each_once)
    if len(set(ordered)) < len(ordered):
        raise ValueError(f"trusted_backends: {field!r} of {name!r} names one twice: {value!r}")
    return tuple(ordered)


def _told(text: str) -> str:
    """Text of somebody else's, as a part of a message."""
    return text if _HARMLESS.fullmatch(text) else ascii(text)


def _one_of(names: tuple[str, ...]) -> str:
    listed = " or ".join(map(repr, names))
    return f"{listed} {'was' if len(names) == 1 else 'were'}"
