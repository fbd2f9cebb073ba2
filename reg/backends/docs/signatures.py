"""The signature that users of a host see: the host's parameters, and those of backends."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from reg import Sentinel

from ..backend import Backend

__all__ = ["additional_parameters", "merged", "with_keyword"]

_KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, _KEYWORD_ONLY)


def with_keyword(signature: inspect.Signature, keyword: str) -> inspect.Signature:
    """Add the keyword argument that chooses a backend.

    :param signature: the signature of the host's function.
    :param keyword: the name of the argument.
    :return: the signature with it, before any ``**`` parameter.
    """
    parameter = inspect.Parameter(
        keyword, _KEYWORD_ONLY, default=None, annotation=str | list[str] | None
    )
    return _inserted(signature, [parameter], before=None)


def additional_parameters(
    function: str, host: inspect.Signature, backend: Backend, signature: inspect.Signature
) -> tuple[list[inspect.Parameter], list[str]]:
    """Find the parameters that an implementation has besides those of the host's function.

    A parameter without a default gets one that says which backend requires it: a call that
    runs elsewhere does not have to give it.

    :param function: the name of the host's function.
    :param host: its signature.
    :param backend: the backend.
    :param signature: the signature of the implementation.
    :return: the parameters, as keyword-only ones; and complaints about those left out.
    """
    additional: list[inspect.Parameter] = []
    complaints: list[str] = []
    for name, parameter in signature.parameters.items():
        if name in host.parameters or parameter.kind not in _NAMED:
            continue
        if name.startswith("_"):
            complaints.append(
                f"{function}() of the backend {backend.name!r}, {backend.origin}: its parameter"
                f" {name!r} is not shown, since its name begins with an underscore"
            )
            continue
        default = parameter.default
        if default is parameter.empty:
            default = Sentinel(f"required by {backend.name}")
        additional.append(parameter.replace(kind=_KEYWORD_ONLY, default=default))
    return additional, complaints


def merged(
    signature: inspect.Signature, keyword: str, parameters: Iterable[inspect.Parameter]
) -> inspect.Signature:
    """Add parameters to a signature, unless it has them.

    :param signature: the signature.
    :param keyword: the parameter before which they are put.
    :param parameters: the parameters; of several with one name, the first counts.
    """
    new: dict[str, inspect.Parameter] = {}
    for parameter in parameters:
        if parameter.name not in signature.parameters:
            new.setdefault(parameter.name, parameter)
    return _inserted(signature, list(new.values()), before=keyword)


def _inserted(
    signature: inspect.Signature, new: list[inspect.Parameter], before: str | None
) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    end = len(parameters)
    for index, parameter in enumerate(parameters):
        if parameter.name == before or parameter.kind is parameter.VAR_KEYWORD:
            end = index
            break
    return signature.replace(parameters=[*parameters[:end], *new, *parameters[end:]])
