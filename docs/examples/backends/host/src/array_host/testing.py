"""What every backend has to get right: ``python -m array_host.testing NAME …``."""

import sys

import numpy as np

import array_host
from reg.backends.testing import run_conformance as _run_conformance

from ._backends import dispatcher


def _points():
    return np.random.default_rng(1).random((40, 3))


def _pairwise_distance(backend_name):
    x = _points()
    for squared in (False, True):
        found = array_host.pairwise_distance(x, x[:7], squared=squared, backend=backend_name)
        expected = array_host.pairwise_distance(x, x[:7], squared=squared, backend="cpu")
        np.testing.assert_allclose(found, expected, atol=1e-12)


def _moving_mean(backend_name):
    x = _points()[:, 0]
    for window in (1, 2, 7, 40):
        found = array_host.moving_mean(x, window, backend=backend_name)
        np.testing.assert_allclose(found, array_host.moving_mean(x, window, backend="cpu"))


def _nearest_neighbors(backend_name):
    x = _points()
    made = array_host.NearestNeighbors(3, backend=backend_name).fit(x)
    np.testing.assert_array_equal(made.query(x)[:, 0], np.arange(len(x)))


def backends_that_run(x):
    """The backends that run a distance and a mean; for a look into workers."""
    with array_host.record() as calls:
        array_host.pairwise_distance(x, x)
        array_host.moving_mean(x[:, 0], 2)
    return [call.backend for call in calls]


TESTS = {
    "pairwise_distance": _pairwise_distance,
    "moving_mean": _moving_mean,
    "NearestNeighbors": _nearest_neighbors,
}


def run_conformance(backend_name, **options):
    """Check a backend; see :func:`reg.backends.testing.run_conformance`."""
    return _run_conformance(
        backend_name=backend_name, tests=TESTS, get_backend=dispatcher.get_backend, **options
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for function, result in run_conformance(name).items():
            print(f"{name}: {function}: {result}")
