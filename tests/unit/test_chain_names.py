"""Chains are counted from 1 wherever a person reads of them."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.engine.advance import LaneInfo, StepInfo


@pytest.mark.parametrize(
    ("steady", "words"),
    [
        ([True, False, False], "burned in: chain 1"),
        ([False, True, True], "burned in: chains 2, 3"),
        ([True, True, True], "burned in: all chains"),
    ],
)
def test_marks_count_chains_as_the_strip_does(steady, words):
    zeros = torch.zeros(len(steady))
    lane = LaneInfo(zeros, None, zeros, None, zeros, torch.tensor(steady))
    assert StepInfo(step=1, lanes=(lane,)).marks == (words,)
