"""Runs functions in threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .soak import PATIENCE, SOAK


def run_all(*functions: Callable[[], object]) -> None:
    """Run functions in threads that begin together, and raise the first error of any of them."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE)
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE + SOAK)
        assert not thread.is_alive(), f"{thread} does not end"
    if errors:
        raise errors[0]
