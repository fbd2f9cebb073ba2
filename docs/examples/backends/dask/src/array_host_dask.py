"""The functions of ``array_host``, in chunks that Dask runs: in threads, processes or a cluster."""


class Backend:
    """All of the backend; ``array_host`` makes one."""

    name = "dask"
    array_types = ("dask.array.core:Array",)

    @staticmethod
    def pairwise_distance(x, y, *, squared=False, rows=1000):
        """Distances, by chunks of rows.

        Parameters
        ----------
        rows : int
            How many rows of ``x`` make a chunk.
        """
        import array_host
        import dask.array as da

        def distances(block, others):
            return array_host.pairwise_distance(block, others, squared=squared, backend="cpu")

        x = da.asarray(x)
        blocks = x.rechunk((rows, -1))
        others = y.compute() if isinstance(y, da.Array) else y
        chunks = (blocks.chunks[0], (len(others),))
        return blocks.map_blocks(distances, others, chunks=chunks, dtype=float).compute()

    class NearestNeighbors:
        """Neighbours, each chunk of the query by itself."""

        def __init__(self, neighbors=5, rows=1000):
            self.neighbors = neighbors
            self.rows = rows
            self.points = None

        def fit(self, points):
            self.points = points
            return self

        def query(self, points):
            import numpy as np

            found = Backend.pairwise_distance(points, self.points, squared=True, rows=self.rows)
            return np.argsort(found, axis=1, kind="stable")[:, : self.neighbors]
