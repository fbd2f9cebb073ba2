"""Count in the workers of a Dask cluster: ``python cluster.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from branching import Count, count, lookup, sources
from dask.distributed import Client, LocalCluster


def count_several(paths: list[Path], lookup: Any) -> list[Count]:
    return [count(path, lookup) for path in paths]


def count_in_a_cluster(client: Any, paths: list[Path]) -> list[Count]:
    """The lookup goes to each worker once; a task has several files."""
    there = client.scatter(lookup, broadcast=True)
    chunks = [paths[index::8] for index in range(8)]
    tasks = [client.submit(count_several, chunk, lookup=there) for chunk in chunks]
    return sorted(each for task in tasks for each in task.result())


if __name__ == "__main__":
    paths = sources("asyncio", "email", "http", "json", "logging", "unittest")
    here = sorted(count(path, lookup) for path in paths)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        there = count_in_a_cluster(client, paths)
    print(
        f"{sum(each.calls for each in there)} calls, {sum(each.branches for each in there)} found"
    )
    print("the same as in one process:", there == here)
