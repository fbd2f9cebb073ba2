"""The signature that users of a host see: the host's, and what backends add to it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from reg import Sentinel

from .backend import Backend

__all__ = ["additional_parameters", "merged", "with_keyword"]

_KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, _KEYWORD_ONLY)


def with_keyword(signature: inspect.Signature, keyword: str) -> inspect.Signature:
    """Add the keyword argument that chooses a backend."""
    parameter = inspect.Parameter(
        keyword, _KEYWORD_ONLY, default=None, annotation=str | list[str] | None
    )
    return _insert(signature, [parameter], before=None)


def additional_parameters(
    function: str, host: inspect.Signature, backend: Backend, signature: inspect.Signature
) -> tuple[list[inspect.Parameter], list[str]]:
    """What an implementation takes besides what the host's function takes.

    :return: its parameters as keyword-only ones, and what there is to say
      about those that are left out. One without a default gets one that says
      which backend needs it: no call that runs elsewhere has to give it.
    """
    found: list[inspect.Parameter] = []
    complaints: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind not in _NAMED or parameter.name in host.parameters:
            continue
        if parameter.name.startswith("_"):
            complaints.append(
                f"{function}() of the backend {backend.name!r}, {backend.origin}: its parameter"
                f" {parameter.name!r} is not shown, since its name begins with an underscore"
            )
            continue
        default: Any = parameter.default
        if default is parameter.empty:
            default = Sentinel(f"required by {backend.name}")
        found.append(parameter.replace(kind=_KEYWORD_ONLY, default=default))
    return found, complaints


def merged(
    signature: inspect.Signature, keyword: str, parameters: Iterable[inspect.Parameter]
) -> inspect.Signature:
    """Add parameters to a signature, those that it does not have."""
    new: dict[str, inspect.Parameter] = {}
    for parameter in parameters:
        if parameter.name not in signature.parameters:
            new.setdefault(parameter.name, parameter)
    return _insert(signature, list(new.values()), before=keyword)


def _insert(
    signature: inspect.Signature, new: list[inspect.Parameter], before: str | None
) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    end = len(parameters)
    for index, parameter in enumerate(parameters):
        if parameter.name == before or parameter.kind is parameter.VAR_KEYWORD:
            end = index
            break
    return signature.replace(parameters=[*parameters[:end], *new, *parameters[end:]])
