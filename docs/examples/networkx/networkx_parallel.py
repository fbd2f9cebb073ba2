"""The backend ``nx-parallel``, as a backend of the host in ``networkx_host``."""

import networkx as nx
from nx_parallel.interface import BackendInterface

name = "parallel"
converts = [nx.Graph]
convert_from_host = BackendInterface.convert_from_nx
convert_to_host = BackendInterface.convert_to_nx


def __getattr__(attribute):
    return getattr(BackendInterface, attribute)
