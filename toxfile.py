"""Lets tox find every Python that pyenv has installed, and not only those that are active."""

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
