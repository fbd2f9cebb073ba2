"""Distributions for the backends' tests: real ones, on a path of their own."""

import importlib
import sys
import textwrap

import pytest

from reg.backends import BackendDispatcher

GROUP = "example_host.backends"


class Site:
    """A directory of installed distributions, for one test."""

    def __init__(self, path):
        self.path = path
        self.modules = []

    def write(self, module, source):
        self.path.joinpath(f"{module}.py").write_text(textwrap.dedent(source))
        self.modules.append(module)
        importlib.invalidate_caches()

    def install(self, distribution, entry_points, version="1.0", group=GROUP, declared=None):
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        groups = {group: entry_points}
        groups |= {f"{group}.{field}": points for field, points in (declared or {}).items()}
        lines = []
        for name, points in groups.items():
            lines += [f"[{name}]", *[f"{point} = {value}" for point, value in points.items()], ""]
        info.joinpath("entry_points.txt").write_text("\n".join(lines))
        importlib.invalidate_caches()

    def backend(
        self,
        name,
        source="",
        *,
        distribution=None,
        entry_point=None,
        module=None,
        functions=(),
        array_types=(),
    ):
        """Install a module that is a backend, and says in a file that it was imported.

        :param functions: the names of functions that its metadata declare.
        :param array_types: the classes that its metadata declare, as ``"module:Class"``.
        """
        module = module or f"{name.replace('-', '_').replace('.', '_')}_of_a_test"
        beginning = f"with open(__file__ + '.imported', 'a') as f: f.write('x')\nname = {name!r}\n"
        beginning += "del f\n"
        self.write(module, beginning + textwrap.dedent(source))
        entry_point = entry_point or name
        declared = {
            "functions": {f"{entry_point}.{one}": f"{module}:{one}" for one in functions},
            "array_types": {f"{entry_point}.{i}": one for i, one in enumerate(array_types)},
        }
        self.install(distribution or f"{name}-dist", {entry_point: module}, declared=declared)
        return module

    def imported(self, module):
        marker = self.path / f"{module}.py.imported"
        return marker.exists() and bool(marker.read_text())


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)


@pytest.fixture
def host():
    """Makes dispatchers; backends that are not trusted are allowed, unless said otherwise."""

    def make(**options):
        options = {"untrusted": "allow", **options}
        return BackendDispatcher(entrypoint_group=GROUP, host_name="example_host", **options)

    return make
