"""What settings mean for a lane's own neurons and network, where that is not obvious.

The window shows these sentences beside the settings. They are no messages: a preset sets many
settings, and most networks and neurons have no use for some of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine import tempering
from ldam_studio.engine.balanced import can_be_measured, without_statistics
from ldam_studio.engine.kept_modes import modes_of, repels
from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.parts import see_a_part
from ldam_studio.engine.prior import denoiser_of
from ldam_studio.engine.schedule import keeps_one_size
from ldam_studio.engine.state import Lane
from ldam_studio.sampler.schedule import follows
from ldam_studio.sampler.schedule_settings import CURVES
from ldam_studio.sampler.views import LEAST_SHARE, more_than_shifts, reach_of, share_seen

PART = "No effect: the neuron sees only a part."
NO_DENSITY = "No effect with the kernel mala."
SMALL = "No effect: the neuron's field is too small."
NOT_MEASURED = "No effect: nothing is known of what photographs do to this network."
NO_MODES = "No effect: no mode of this neuron is kept."
ESTIMATED = "Estimated from the network's batch norms."


def setting_notes(lane: Lane, pictures: Sequence[KeptPicture] = ()) -> dict[str, str]:
    """Return a sentence for each setting that has another effect than its value says, by name.

    `pictures` are those that the session keeps.
    """
    found = {"photo_statistics": _of_statistics(lane), **_of_sizes(lane), **_of_views(lane)}
    found["tempering"] = tempering.note(lane)
    if repels(lane) and not any(modes_of(pictures, neuron) for neuron in set(lane.neurons)):
        found["repulsion"] = NO_MODES
    found["mode"] = _of_mode(lane)
    if lane.settings.kernel != "underdamped":
        found["friction"] = f"No effect with the kernel {lane.settings.kernel}."
    if lane.settings.kernel == "mala" and denoiser_of(lane) is not None:
        found["denoiser_weight"] = NO_DENSITY
    return {name: text for name, text in found.items() if text}


def _of_mode(lane: Lane) -> str:
    if lane.kernel.mode is None or lane.kernel.mode == lane.settings.mode:
        return ""
    what = "uses the true gradients" if lane.kernel.mode == "exact" else "scales gradients itself"
    return f"No effect: the kernel {lane.settings.kernel} {what}."


def _of_statistics(lane: Lane) -> str:
    if not can_be_measured(lane):
        return without_statistics(lane)
    statistics = lane.network.photo_statistics
    if statistics is None:
        return NOT_MEASURED
    if not statistics.sha256:
        return ESTIMATED
    return f"Measured on {statistics.source.partition(', SHA-256')[0]}."


def _of_sizes(lane: Lane) -> dict[str, str]:
    settings = lane.settings
    drawn = settings.schedule_shape == CURVES
    asked = {
        "resolution": settings.resolution > 0,
        "resolution_start": follows(settings, "resolution") and not drawn,
        "resolution_curve": follows(settings, "resolution") and drawn,
        "view_size": settings.view_size < 1,
    }
    one_size = keeps_one_size(lane)
    if one_size:
        return {name: one_size for name, yes in asked.items() if yes}
    part = see_a_part(lane.network, lane.neurons, settings)
    of_whole = ("resolution_start", "resolution_curve", "view_size")
    return {name: PART for name in of_whole if part and asked[name]}


def _of_views(lane: Lane) -> dict[str, str]:
    settings, size = lane.settings, (lane.sized.pixels.height, lane.sized.pixels.width)
    if settings.views_of == "image":
        return {}
    share, full = share_seen(lane.targets.fields, size), lane.network.pixels.side
    found = {}
    reach = reach_of(settings, size, full, share)
    if reach != reach_of(settings, size, full):
        pixels = f"At most {reach} pixel{'s' * (reach != 1)}" if reach else "None"
        found["jitter"] = f"{pixels} in this neuron's field."
    if share < LEAST_SHARE and more_than_shifts(settings):
        asked = {
            "view_zoom": settings.view_zoom > 1,
            "view_rotation": settings.view_rotation > 0,
            "view_flip": settings.view_flip,
        }
        found |= {name: SMALL for name, yes in asked.items() if yes}
    return found
