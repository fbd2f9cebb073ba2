"""Install the host and its backends into .venv, and check them, and what else needs Dask."""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
REG = HERE.parents[2]


def main() -> None:
    directory = HERE / ".venv"
    venv.create(directory, with_pip=True)
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    python = str(directory / scripts / "python")

    def run(*command: str) -> None:
        print("$", *command, flush=True)
        subprocess.run([python, "-m", *command], check=True, cwd=HERE / "host")

    sources = [str(HERE / name) for name in ("host", "numexpr", "dask")]
    run("pip", "install", "--quiet", f"{REG}[backends]", "pytest", *sources)
    run("pytest", "-q")
    run("pytest", "-q", "--reg-backend", "numexpr", "--reg-backend", "dask")
    run("array_host.testing", "numexpr", "dask")
    clusters = [HERE / "dask" / "tests", HERE.parent / "processes"]
    run("pytest", "-q", *map(str, clusters), "-c", str(HERE / "dask" / "pyproject.toml"))


if __name__ == "__main__":
    main()
