from ldam_studio.gui.app.scripted import studio as studio
from ldam_studio.scripting import Network as Network
from ldam_studio.scripting import PixelSpec as PixelSpec
from ldam_studio.scripting import Replayed as Replayed
from ldam_studio.scripting import Run as Run
from ldam_studio.scripting import StudioError as StudioError
from ldam_studio.scripting import open_network as open_network
from ldam_studio.scripting import replay as replay
from ldam_studio.scripting import sample as sample
from ldam_studio.scripting import stream as stream

__version__: str
