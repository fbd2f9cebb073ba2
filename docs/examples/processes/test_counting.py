"""Calls in a cluster do what they do in one process."""

import os

import pytest
from branching import branches, count, lookup, sources
from cluster import count_in_a_cluster
from dask.distributed import Client, LocalCluster

import reg


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_many_calls_give_what_they_give_in_one_process(client):
    paths = sources("asyncio", "email", "http", "json", "logging", "unittest")
    assert len({os.getpid(), *client.run(os.getpid).values()}) == 3
    there = count_in_a_cluster(client, paths)
    assert there == sorted(count(path, lookup) for path in paths)
    assert sum(each.calls for each in there) > 10**5


def test_the_rules_that_are_sent_are_those_that_count(client):
    paths = sources("asyncio")[:2]
    for rules in (reg.Registry(), lookup):
        expected = sorted(count(path, rules) for path in paths)
        assert count_in_a_cluster(client, paths) == sorted(count(path, lookup) for path in paths)
        tasks = [client.submit(count, path, rules) for path in paths]
        assert sorted(task.result() for task in tasks) == expected


def test_what_is_defined_at_a_prompt_travels_with_the_registry(client):
    class Program: ...

    rules = reg.Registry()
    rules.register(branches, [Program], lambda node: 7)
    assert client.submit(branches, Program(), lookup=rules).result() == 7


def test_workers_can_begin_with_a_lookup(client):
    client.run(reg.implicit.initialize, lookup)
    assert client.submit(sum, client.map(branches, [None, 1])).result() == 0
    client.run(reg.implicit.clear)
    with pytest.raises(reg.NoImplicitLookupError):
        client.submit(branches, None, pure=False).result()
