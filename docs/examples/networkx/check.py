"""Run a slice of NetworkX's own tests: as it is, as a host of this package, and on a backend.

Arguments are the modules and packages of tests to run instead.
"""

import re
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    *("approximation", "bipartite", "centrality", "connectivity", "isomorphism", "link_analysis"),
    *("shortest_paths", "traversal", "tree"),
)
MODULES = ("cluster", "efficiency", "isolate", "tournament", "vitality", "distance_measures")
TESTS = sys.argv[1:] or [
    *(f"networkx.algorithms.{package}" for package in PACKAGES),
    *(f"networkx.algorithms.tests.test_{module}" for module in MODULES),
]


def run(title, *options):
    """Run the tests, and show the last line of the output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run(
        [*command, *options, "--pyargs", *TESTS],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    summary = done.stdout.strip().splitlines()[-1]
    print(f"{title}: {summary}", flush=True)
    if done.returncode:
        print(done.stdout[-5000:], done.stderr[-5000:])
    return done.returncode, {
        word: int(count) for count, word in re.findall(r"(\d+) (\w+)", summary)
    }


def main():
    import networkx_host

    print(
        f"{len(networkx_host.functions)} functions in {networkx_host.seconds:.3f} s,"
        f" {len(networkx_host.left_as_they_are)} left as they are"
    )
    for error in networkx_host.left_as_they_are.values():
        print(f"  {error}")
    plugin = ("-p", "networkx_host")
    runs = [
        run("networkx itself"),
        run("on the host", *plugin),
        run("on the backend", *plugin, "--reg-backend", "parallel"),
    ]
    (_, itself), (_, host), (_, backend) = runs
    same = itself["passed"] == host["passed"] and backend["passed"] > 0
    return max(status for status, _ in runs) or int(not same)


if __name__ == "__main__":
    sys.exit(main())
