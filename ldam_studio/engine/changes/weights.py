"""Other weights for the running chains: pictures and averages continue, chains settle again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine import burn_in_threshold, photo_statistics, silent_neurons
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes
from ldam_studio.engine.lane import reheat, sized_for, targets
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState


def change_weights(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Put other weights into a lane's network.

    The discriminator then learns for some rounds, because the classifier has changed (Jiang et al.,
    arXiv 1812.04604, section 4.2).
    """
    change.value.to(state.device.name)

    def swapped(lane: Lane, number: int) -> Lane:
        network, count = after.lanes[number].network, len(lane.neurons)
        photo_statistics.check(network, lane.settings)
        measured = network.measures_field(lane.targets.layer)
        if lane.targets.units.class_value is not None:
            measured = True  # how the network ends was confirmed with the former weights
        sized = sized_for(network, lane.neurons, lane.settings, lane.clock)
        found = lane.targets
        if measured:
            found = targets(network, sized, lane.neurons, lane.settings, trust=lane.trust)
        lane = replace(
            lane,
            network=network,
            sized=sized,
            targets=found,
            thresholds=burn_in_threshold.begin_again(lane.settings, count, state.device.name),
            waking=silent_neurons.begin(count, state.device.name),
            balance=photo_statistics.begin(count, state.device.name),
        )
        return reheat(lane, state.device, state.heat)

    change_lanes(state, numbers, swapped)
    state.lessons_due = state.discriminator_rounds
