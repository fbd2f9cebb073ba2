"""Classes of every kind, through every change."""

from __future__ import annotations

from .changing_classes import ChangingClassesMachine
from .figures import explore


class ClassesMachine(ChangingClassesMachine):
    shapes = ("one", "two", "named", "of class")
    remembered_questions = 8


def test_classes_of_every_kind_agree_with_the_model():
    explore(ClassesMachine, examples=14)
