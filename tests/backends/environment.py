"""Real wheels, installed in a real virtual environment, used by real processes."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from pathlib import Path

import reg

#: The beginning of a module that marks its import by a file beside it.
MARK = "import os, pathlib; pathlib.Path(__file__ + '.imported').touch()\n"


def wheel(directory, distribution, files, entry_points=""):
    """Write a wheel from the texts of its files, so that nothing has to be built."""
    stem = f"{distribution.replace('-', '_')}-1.2"
    info = f"{stem}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
    tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": tag,
        f"{info}/entry_points.txt": entry_points,
    }
    record = "".join(f"{name},,\n" for name in [*contents, f"{info}/RECORD"])
    path = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(name, content)
    return path


class Environment:
    """A virtual environment with distributions in it.

    :param wheels: the files to install.
    :param beginning: what each program in it begins with.
    """

    def __init__(self, directory, wheels, beginning=""):
        self.beginning = beginning
        # The pip that runs these tests installs into it, since installing another takes seconds.
        own_pip = importlib.util.find_spec("pip") is None
        venv.create(directory / "venv", with_pip=own_pip)
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = directory / "venv" / scripts / "python"
        pip = [self.python] if own_pip else [sys.executable]
        pip += ["-m", "pip", "--python", self.python, "install"]
        subprocess.run([*pip, "--quiet", "--no-index", "--no-deps", *wheels], check=True)
        purelib = self.ask("import sysconfig; found = sysconfig.get_path('purelib')", host=False)
        self.site = Path(purelib)
        # This package and what it needs are those that are under test here.
        paths = [Path(reg.__file__).parent.parent, sysconfig.get_path("purelib")]
        self.site.joinpath("under_test.pth").write_text("".join(f"{path}\n" for path in paths))

    def run(self, code, host=True, warnings="error", **environment):
        """Run a program."""
        for marker in self.site.rglob("*.imported") if host else ():
            marker.unlink()
        beginning = "import json\n" + (self.beginning if host else "")
        code = beginning + textwrap.dedent(code) + "\nprint(json.dumps(found))"
        return subprocess.run(
            [self.python, "-W", warnings, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": "", **environment},
            timeout=60,
            check=False,
        )

    def ask(self, code, **options):
        """Run a program, and return the variable ``found`` that it leaves."""
        done = self.run(code, **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def command(self, *arguments, **options):
        """Run the command ``reg``; :meth:`imported` has the modules that it imported."""
        for marker in self.site.rglob("*.imported"):
            marker.unlink()
        return subprocess.run(
            [self.python, "-W", "error", "-m", "reg", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
            timeout=60,
            **{"check": True, **options},
        )

    def imported(self):
        """The modules that the last program imported, if they leave a mark."""
        return sorted(
            path.name.removesuffix(".py.imported") for path in self.site.rglob("*.imported")
        )
