"""The queue of commands: order is kept, and only a setting that is dragged is merged."""

from concurrent.futures import Future
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.commands import CommandQueue, Pause, Play, Question, ReturnTo, Steps
from ldam_studio.sampler.settings import is_of_chains


def posted(*commands):
    queue = CommandQueue()
    numbers = [queue.post(command) for command in commands]
    return queue, numbers


def taken(queue):
    found = []
    while (one := queue.take()) is not None:
        found.append(one)
    return found


def test_of_a_dragged_setting_the_last_value_is_kept():
    queue, numbers = posted(*(Change("temperature", i) for i in range(1000)), Change("l2", 0.1))
    assert numbers == list(range(1, 1002))
    assert taken(queue) == [(1000, Change("temperature", 999)), (1001, Change("l2", 0.1))]
    assert not queue
    assert queue.take() is None


def test_everything_else_is_kept_in_order():
    commands = [
        Change("start_spread", 1.0),
        Change("restart"),
        Change("start_spread", 2.0),
        Change("l2", 0.1),
        Change("start_spread", 3.0),
        Play(),
        Change("neurons", ["fc3:1"]),
        Change("neurons", ["fc3:2"]),
        Steps(1),
        Steps(1),
        Pause(),
        Change("restart"),
        Change("restart"),
    ]
    queue, _ = posted(*commands)
    assert [command for _, command in taken(queue)] == commands


def test_changes_of_lanes_are_merged_apart():
    def kept(*changes):
        queue, _ = posted(*(Change(*change) for change in changes))
        return [(c.name, c.value, c.lane) for _, c in taken(queue)]

    a, b, both = ("l2", 0.1, 0), ("l2", 0.2, 1), ("l2", 0.3, None)
    assert kept(a, b, a) == [a, b, a]
    assert kept(a, a, b, b, both, both) == [a, b, both]
    for name in ("network", "weights"):
        first, second = (name, "for the first", None), (name, "for the second", 1)
        assert kept(second, first, first) == [second, first, first]


def test_settings_that_wait_are_known_beside_questions_but_not_beside_other_commands():
    question = Question(lambda state: state.step, Future())
    first, second = Change("l2", 0.1), Change("temperature", 2.0)
    queue, numbers = posted(question, first, question, second, question)
    assert queue.settings() == (numbers[3], [first, second])
    assert posted(question)[0].settings() is None
    for other in (Play(), Steps(1), Change("restart"), ReturnTo(Future())):
        assert posted(first, question, other)[0].settings() is None


@given(st.lists(st.sampled_from(["temperature", "l2", "window", "restart", "neurons"])))
def test_merging_never_loses_the_last_of_a_name_nor_the_order(names):
    changes = [Change(name, i) for i, name in enumerate(names)]
    queue, _ = posted(*changes)
    kept = [command for _, command in taken(queue)]
    assert {c.name: c for c in kept} == {c.name: c for c in changes}
    assert [c.value for c in kept] == sorted(c.value for c in kept)
    neighbours = pairwise(c.name for c in kept)
    assert all(one != other or not is_of_chains(one) for one, other in neighbours)
