"""The cases of Reg 0.12: run by its interpreter, and asked by ``older.py`` through a pipe.

A question is a line: a number of times, or ``answer``, and after a tab the row. It is
answered by the seconds that so many calls took, or by the value of one.
"""

from __future__ import annotations

import itertools
import sys
from itertools import repeat
from time import process_time
from typing import Any

import reg

#: the attributes of a page that predicates are about, and the values of the one that is called
ATTRIBUTES = {"name": "edit", "method": "POST", "kind": "html"}
CALCULATIONS: dict[str, Any] = {
    "name": lambda page: page.name,
    "method": lambda page: page.method,
    "kind": lambda page: page.kind,
}


class Page:
    def __init__(self) -> None:
        self.name, self.method, self.kind = ATTRIBUTES.values()


def predicate_function(number: int) -> Any:
    """A function that dispatches on so many attributes of a page, with the cache for it."""
    attributes = list(ATTRIBUTES)[:number]
    older: Any = reg
    predicates = [older.match_key(name, CALCULATIONS[name]) for name in attributes]

    def not_found(page: Page) -> Any:
        raise NotImplementedError

    decorator = older.dispatch(*predicates, get_key_lookup=older.DictCachingKeyLookup)
    view = decorator(not_found)
    for values in itertools.product(*((ATTRIBUTES[name], "other") for name in attributes)):
        function = (lambda answer: lambda page: answer)(" ".join(values))
        view.register(function, **dict(zip(attributes, values, strict=True)))
    return view


def time_calls(function: Any, page: Page, times: int) -> float:
    begin = process_time()
    for _ in repeat(None, times):
        function(page)
    return process_time() - begin


def main() -> None:
    page = Page()
    functions = {f"predicates, {number}": predicate_function(number) for number in (1, 3)}
    for line in sys.stdin:
        times, row = line.rstrip("\n").split("\t")
        function = functions[row]
        result = function(page) if times == "answer" else time_calls(function, page, int(times))
        print(repr(result), flush=True)


if __name__ == "__main__":
    main()
