import array_host
import numpy as np
import pytest


@pytest.mark.backend_functions("pairwise_distance")
@pytest.mark.parametrize("squared", [False, True])
def test_distances_are_euclidean(squared, reg_tolerance):
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    expected = np.array([[0.0, 25.0], [25.0, 0.0]])
    expected = expected if squared else np.sqrt(expected)
    found = array_host.pairwise_distance(x, x, squared=squared)
    np.testing.assert_allclose(found, expected, **reg_tolerance("pairwise_distance"))


@pytest.mark.backend_functions("moving_mean")
def test_means_move():
    np.testing.assert_allclose(array_host.moving_mean([1, 2, 3, 6], 2), [1.5, 2.5, 4.5])


def test_neighbors_are_found_in_order():
    found = array_host.NearestNeighbors(2).fit([[0.0], [10.0], [11.0]]).query([[9.0]])
    assert found.tolist() == [[1, 2]]


def test_something_of_the_host_alone():
    assert "moving_mean" in array_host.__all__
