"""Trial passes warn of nothing, and warnings are as before afterwards."""

from __future__ import annotations

import threading
import warnings

import pytest
import torch
from torch import nn

from ldam_studio.networks.behaviour.trial import see
from ldam_studio.networks.quiet import quiet


def test_a_pass_that_is_only_tried_does_not_warn():
    class Always(nn.Module):
        def forward(self, x):
            warnings.warn("look", UserWarning, stacklevel=1)
            return x

    see(Always(), torch.zeros(1, 3, 4, 4))
    with pytest.warns(UserWarning, match="look"):
        Always()(torch.zeros(1))


def test_two_trials_at_once_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    begun, may_end = threading.Event(), threading.Event()

    def other():
        with quiet():
            begun.set()
            may_end.wait(60)

    thread = threading.Thread(target=other)
    with quiet():
        thread.start()
        begun.wait(60)
    warnings.warn("nobody hears this", UserWarning, stacklevel=1)
    may_end.set()
    thread.join()
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.warn("heard", UserWarning, stacklevel=1)
