"""Count in the processes of a pool: ``python pool.py``."""

from __future__ import annotations

import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from branching import Count, branches, count, lookup, sources

import reg


def count_in_a_pool(paths: list[Path]) -> list[Count]:
    """Each task takes the lookup along."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(functools.partial(count, lookup=lookup), paths, chunksize=16))


def call_in_a_pool(values: list[object]) -> list[int]:
    """Each process begins with the lookup, and the calls are given none."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        2, mp_context=context, initializer=reg.implicit.initialize, initargs=(lookup,)
    ) as pool:
        return list(pool.map(branches, values, chunksize=16))


if __name__ == "__main__":
    paths = sources("asyncio", "email", "http", "json", "logging", "unittest")
    here = [count(path, lookup) for path in paths]
    there = count_in_a_pool(paths)
    print(
        f"{sum(each.calls for each in there)} calls, {sum(each.branches for each in there)} found"
    )
    print("the same as in one process:", there == here)
