"""The signatures and docstrings of a host's functions, with the additions of its backends."""
