"""The program: ``python -m application``."""

from framework import render

import reg

from .lookup import lookup
from .models import Route, Town

reg.implicit.initialize(lookup)
print(render([Route([Town("Bern"), Town("Basel")]), 2.5]))
