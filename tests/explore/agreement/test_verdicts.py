"""Verdicts on chains whose agreement is known."""

import numpy as np
import pytest

from agreement_targets import TARGETS, chains_of, walk
from ldam_studio.engine.advance import advance
from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.explore.agreement.neurons import verdicts_of
from ldam_studio.explore.agreement.verdict import Kind, judge

SAMPLES = 800


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_said_of_chains_that_are_known(target):
    verdict = judge(target.draw(np.random.default_rng(0), SAMPLES))
    assert verdict.kind in target.said, verdict.sentence


@pytest.mark.parametrize(
    "target", [target for target in TARGETS if not target.agrees], ids=lambda target: target.name
)
def test_it_never_says_that_they_agree_at_any_length(target):
    for samples in (1, 101, 200):
        verdict = judge(target.draw(np.random.default_rng(samples), samples))
        assert verdict.kind is not Kind.AGREE, verdict.sentence


def sentence(chains, **keywords):
    return judge(chains, **keywords).sentence


def test_the_words_name_the_chain_that_is_apart():
    rng = np.random.default_rng(0)
    values = walk(rng, 400, 20)
    values[:, 6] += 2
    assert "chain 7 is far from the others" in sentence(chains_of(values))
    values[:, 6] = 0
    assert sentence(chains_of(values)).startswith("Chain 7 is held or hardly moves")


def test_the_words_depend_on_the_average_that_is_shown():
    values = walk(np.random.default_rng(0), 400, 4)
    values[:, :2] += 2
    assert "shows one of several images" in sentence(chains_of(values))
    assert "mixes several images" in sentence(chains_of(values), over_time=False)


def test_a_target_that_changes_is_too_early():
    chains = chains_of(walk(np.random.default_rng(0), 400, 4), unsteady="the chains are melting")
    assert sentence(chains) == "Too early to tell: the chains are melting."


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_never_agree(value):
    values = walk(np.random.default_rng(0), 400, 4)
    values[350, 2, 5] = value
    assert judge(chains_of(values)).kind is Kind.NOT_YET
    values[:] = value
    assert judge(chains_of(values)).kind is Kind.NOT_YET


@pytest.fixture
def record_of(lenet_session):
    def make(steps, **settings):
        state, recorder = lenet_session(**settings), Recorder(wanted=True)
        recorder(state, None)
        for _ in range(steps):
            state, info = advance(state)
            recorder(state, info)
        return recorder.records()[0]

    return make


def test_chains_of_each_neuron_are_judged_together(record_of):
    record = record_of(5, neurons=("fc3:4", "fc3:7", "fc3:4"))
    found = verdicts_of(record)
    assert [(str(v.neuron), v.chains) for v in found] == [("fc3:4", (0, 2)), ("fc3:7", (1,))]
    assert all(v.verdict.kind is Kind.TOO_EARLY for v in found)
    assert verdicts_of(record, proceed=lambda: False) == ()


def test_only_samples_after_burn_in_are_judged(record_of):
    record = record_of(30, neurons=("fc3:4",), burn_in=10)
    (found,) = verdicts_of(record)
    assert 18 <= found.samples <= 20
