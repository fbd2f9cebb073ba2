"""Checks that objects made and dropped for ever leave nothing behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

from .soak import scaled


def assert_leaves_nothing(make: Callable[[], Any], number: int) -> None:
    """Make and drop an object many times, and count the objects and bytes left.

    :param make: makes it, uses it, and returns something that has to die.
    :param number: how often in a moment.
    """
    number = scaled(number)
    for _ in range(min(300, number)):
        make()
    gc.collect()
    objects = len(gc.get_objects())
    for _ in range(number):
        make()
    references = [weakref.ref(make()) for _ in range(10)]
    gc.collect()
    grown = len(gc.get_objects()) - objects
    assert [reference() for reference in references] == [None] * 10
    del references
    assert grown < 40
    # Imported here, since not all interpreters have it.
    import tracemalloc

    # Bytes as well, of which objects outside the collector take their part.
    rounds = []
    tracemalloc.start()
    try:
        # At first until every table is as large as it is between collections.
        settling, measured = (max(min(least, number), number // 10) for least in (1_000, 250))
        for often in (settling, measured, measured):
            for _ in range(often):
                make()
            gc.collect()
            rounds.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # A table may double its size, but not each time.
    bytes_grown = min(rounds[1] - rounds[0], rounds[2] - rounds[1])
    print(f"{make.__name__}: {number} made, {grown} objects and {bytes_grown} bytes left")
    assert bytes_grown < 64_000
