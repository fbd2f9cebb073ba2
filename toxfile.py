"""Lets tox find every Python that pyenv has installed, and names the newest one."""

import os
import shutil
import subprocess

pyenv = shutil.which("pyenv")
if pyenv is not None and "PYENV_VERSION" not in os.environ:

    def _ask(*arguments: str) -> str:
        asked = subprocess.run([pyenv, *arguments], capture_output=True, text=True, check=False)
        return asked.stdout

    # The active ones first, so that they stay what they are.
    active = _ask("version-name").strip().split(":")
    installed = _ask("versions", "--bare", "--skip-aliases").split()
    os.environ["PYENV_VERSION"] = ":".join(dict.fromkeys([*filter(None, active), *installed]))

# The newest one is tested in full: 3.15, or 3.14 where that is not installed.
if "NEWEST_PYTHON" not in os.environ:
    _found = [name for name in ("3.15", "3.14") if shutil.which(f"python{name}") is not None]
    os.environ["NEWEST_PYTHON"] = "py" + (_found or ["3.15"])[0].replace(".", "")
