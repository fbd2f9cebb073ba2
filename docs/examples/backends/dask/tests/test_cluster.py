"""A choice that is taken into the workers of a cluster."""

import array_host
import numpy as np
from array_host.testing import backends_that_run
from dask.distributed import Client, LocalCluster

POINTS = np.arange(12.0).reshape(6, 2)


def test_a_bound_function_runs_on_the_chosen_backend_in_a_worker():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        with array_host.settings.use_backend(["numexpr"]):
            bound = array_host.settings.bind(backends_that_run)
        assert client.submit(bound, POINTS).result() == ["numexpr", "numexpr"]
        assert client.submit(backends_that_run, POINTS).result() == ["cpu", "cpu"]


def test_auto_chooses_dask_for_its_arrays():
    import dask.array as da

    found = array_host.pairwise_distance(da.asarray(POINTS), POINTS, rows=2, backend="auto")
    expected = array_host.pairwise_distance(POINTS, POINTS)
    np.testing.assert_allclose(found, expected)
