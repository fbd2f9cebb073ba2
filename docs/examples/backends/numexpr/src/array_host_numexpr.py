"""The functions of ``array_host``, compiled by numexpr and run on several threads."""

name = "numexpr"
aliases = ["numexpr-threads"]


def _evaluate(expression, threads, **values):
    # Here, so that finding this backend does not import numexpr.
    import numexpr

    before = numexpr.set_num_threads(threads) if threads is not None else None
    try:
        return numexpr.evaluate(expression, values, {})
    finally:
        if before is not None:
            numexpr.set_num_threads(before)


def can_run(function, arguments):
    """Everything but arrays of objects."""
    import numpy as np

    if np.asarray(arguments.get("x", 0.0)).dtype == object:
        return "numexpr knows no arrays of objects"
    return True


def pairwise_distance(x, y, *, squared=False, threads=None):
    """Distances, one dimension after the other.

    Parameters
    ----------
    threads : int, optional
        How many threads to use; as numexpr is configured, if left out.
    """
    import numpy as np

    x, y = np.asarray(x), np.asarray(y)
    found = np.zeros((len(x), len(y)))
    for a, b in zip(x.T, y.T, strict=True):
        found = _evaluate("d + (a - b) ** 2", threads, d=found, a=a[:, None], b=b[None, :])
    return found if squared else _evaluate("sqrt(d)", threads, d=found)


def moving_mean(x, window, *, threads=None):
    """Means, from sums over all that came before.

    Parameters
    ----------
    threads : int, optional
        How many threads to use; as numexpr is configured, if left out.
    """
    import numpy as np

    sums = np.concatenate([[0.0], np.cumsum(np.asarray(x, dtype=float))])
    return _evaluate("(b - a) / n", threads, a=sums[:-window], b=sums[window:], n=window)
