"""Functions on arrays, on NumPy or on an installed backend."""

import numpy as np

from ._backends import dispatcher

__all__ = [
    "NearestNeighbors",
    "available_backends",
    "explain",
    "moving_mean",
    "pairwise_distance",
    "record",
    "settings",
]

settings = dispatcher.settings
available_backends = dispatcher.settings.available_backends
explain = dispatcher.explain
record = dispatcher.record


@dispatcher.backend_dispatch
def pairwise_distance(x, y, *, squared=False):
    """Distances between all rows of two arrays.

    Parameters
    ----------
    x, y : array of shape (n, d) and (m, d)
        The points.
    squared : bool
        Whether to leave out the square root.

    Returns
    -------
    array of shape (n, m)
    """
    x, y = np.asarray(x), np.asarray(y)
    found = ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=-1)
    return found if squared else np.sqrt(found)


@dispatcher.backend_dispatch
def moving_mean(x, window):
    """Means of a window that moves over a sequence.

    Parameters
    ----------
    x : array of shape (n,)
        The sequence.
    window : int
        The length of the window.

    Returns
    -------
    array of shape (n - window + 1,)
    """
    x = np.asarray(x, dtype=float)
    return np.lib.stride_tricks.sliding_window_view(x, window).mean(axis=-1)


@dispatcher.backend_class
class NearestNeighbors:
    """Finds the nearest of the points that it was fitted to.

    Parameters
    ----------
    neighbors : int
        How many to find.
    """

    def __init__(self, neighbors=5):
        self.neighbors = neighbors
        self.points = None

    def fit(self, points):
        self.points = np.asarray(points)
        return self

    def query(self, points):
        """The indices of the nearest points, the nearest first."""
        distances = pairwise_distance(points, self.points, squared=True)
        return np.argsort(distances, axis=1, kind="stable")[:, : self.neighbors]
