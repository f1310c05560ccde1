"""The public interface of Python programs, which `ldam_studio` offers as its own names.

One name is elsewhere: `studio` is that of the window, `gui.app.scripted`.
"""

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.scripting.opening import open_network
from ldam_studio.scripting.replaying import replay
from ldam_studio.scripting.run import Replayed, Run
from ldam_studio.scripting.sampling import sample, stream

__all__ = [
    "Network",
    "PixelSpec",
    "Replayed",
    "Run",
    "StudioError",
    "open_network",
    "replay",
    "sample",
    "stream",
]
