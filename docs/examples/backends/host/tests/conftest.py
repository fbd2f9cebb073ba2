from array_host._backends import dispatcher

from reg.backends.testing import HostSuite


def pytest_reg_host():
    return HostSuite(dispatcher, tolerances={"pairwise_distance": {"rtol": 1e-9, "atol": 1e-9}})
