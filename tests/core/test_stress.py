"""Every answer is right while all that it depends on is changed in other threads."""

from __future__ import annotations

from ..stress import Stress


def test_each_answer_was_right_at_some_moment_of_its_call():
    stress = Stress()
    stress.run(1.0, share=0.2)
    assert stress.calls > 0
