"""Everything that can be done by key, menu or toolbar, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.theme import icons


@dataclass(frozen=True)
class Entry:
    """One action.

    Parameters
    ----------
    text
        As in a menu; a short `label` may stand in the toolbar.
    key
        Its shortcut. With `canvas` it acts only while the canvas has the focus, so that letters
        can be typed elsewhere.
    """

    name: str
    text: str
    key: str = ""
    tip: str = ""
    icon: str = ""
    label: str = ""
    canvas: bool = False
    checkable: bool = False


ENTRIES = (
    Entry("play", "Play", "Space", "Run or rest", "play", "Pause", canvas=True),
    Entry("step", "Single Step", "S", "Take one step and rest", "step", "Step", canvas=True),
    Entry(
        "melt",
        "Melt",
        "K",
        "A hundred times the temperature for 60 steps, then back",
        "melt",
        "Melt",
        canvas=True,
    ),
    Entry(
        "restart",
        "Restart with the Same Seed",
        "R",
        "Begin again with the same random numbers",
        "restart",
        "Restart",
        canvas=True,
    ),
    Entry(
        "new_seed",
        "New Seed",
        "N",
        "Begin again with other random numbers",
        "new-seed",
        "New seed",
        canvas=True,
    ),
    Entry(
        "reset_average",
        "Reset Average",
        "A",
        "Forget the samples averaged so far",
        "reset-average",
        "Reset average",
        canvas=True,
    ),
    Entry(
        "export",
        "Export PNG…",
        "Ctrl+E",
        "Save a picture that carries its recipe and can be replayed",
        "export",
        "Export",
    ),
    Entry("fit", "Fit Images", "F", "Show the whole images", "fit", "Fit", canvas=True),
    Entry(
        "zoom_field",
        "Zoom to Receptive Field",
        "Z",
        "Let what the front neuron sees fill the view; again: the whole image",
        canvas=True,
    ),
    Entry(
        "presentation",
        "Presentation",
        "F11",
        "Large images and type, nothing else",
        "presentation",
        "Present",
        checkable=True,
    ),
    Entry("help", "Help", "F1", "What everything does, and all keys", "help", "Help"),
    Entry("start", "Start Session", "Ctrl+Home", "Back to the ten digits of the start"),
    Entry(
        "open_network",
        "Open Network…",
        "Ctrl+Shift+O",
        "Look at a torchvision model or a network of your own",
    ),
    Entry("open_picture", "Open PNG…", "Ctrl+O", "Open the session in an exported picture"),
    Entry("open_weights", "Open Network Weights…", "", "Look at other weights of this network"),
    Entry(
        "open_discriminator",
        "Open Discriminator Weights…",
        "",
        "Use a discriminator that was saved, in place of the one in use",
    ),
    Entry(
        "watch",
        "Watch Checkpoints…",
        "Ctrl+Shift+W",
        "Look at a network while it learns: each new checkpoint comes under the running chains",
    ),
    Entry(
        "watch_mnist",
        "Watch MNIST Being Learnt",
        "Ctrl+Shift+M",
        "Train LeNet beside the studio, and watch its neurons become what they are",
    ),
    Entry(
        "compare",
        "Compare With…",
        "Ctrl+Shift+B",
        "Put another network, or other weights, beside this one: the same neuron, seed and noise",
    ),
    Entry(
        "compare_settings",
        "Compare With Other Settings",
        "",
        "Put this network beside itself, and change the settings of one of both",
    ),
    Entry("act_on_both", "Act on Both", "Alt+0", "Change both networks", checkable=True),
    Entry("act_on_a", "Act on A", "Alt+A", "Change the first network alone", checkable=True),
    Entry("act_on_b", "Act on B", "Alt+B", "Change the second network alone", checkable=True),
    Entry(
        "strip_both",
        "Chains of Both in the Strip",
        "",
        "Show the chains of both networks below the images, or those of the first alone",
        checkable=True,
    ),
    Entry("end_comparison", "End Comparison", "", "Show the first network alone again"),
    Entry("quit", "Quit", "Ctrl+Q", "Save the session and close"),
    Entry("undo", "Undo", "Ctrl+Z", "Take the last change of a setting back"),
    Entry("redo", "Redo", "Ctrl+Shift+Z", "Make that change again"),
    Entry(
        "edit_presets",
        "Save or Edit Presets…",
        "Ctrl+Shift+P",
        "Keep the settings of this moment under a name; rename and delete what was kept",
    ),
    Entry("zoom_in", "Zoom In", "Ctrl++", "Enlarge the images"),
    Entry("zoom_out", "Zoom Out", "Ctrl+-", "Shrink the images"),
    Entry("focus_canvas", "Go to the Images", "Ctrl+0", "Give the images the keyboard"),
    Entry("show_neurons", "Neurons", "Ctrl+1", "Show or hide the neuron picker", checkable=True),
    Entry("show_controls", "Settings", "Ctrl+2", "Show or hide the settings", checkable=True),
    Entry("show_traces", "Traces", "Ctrl+3", "Show or hide the traces", checkable=True),
    Entry("next_neuron", "Next Neuron", "Ctrl+Right", "Show the neuron after this one"),
    Entry("previous_neuron", "Previous Neuron", "Ctrl+Left", "Show the neuron before this one"),
    Entry("random_neuron", "Random Neuron", "Ctrl+R", "Show any neuron of this layer"),
    Entry("find_neuron", "Find Neuron…", "Ctrl+F", "Type a layer, a class or an address"),
    Entry(
        "star_neuron", "Star This Neuron", "Ctrl+D", "Keep the neuron shown in a list, or drop it"
    ),
    Entry("list_neurons", "Neurons of the Layer", "Alt+1", "List the layer's neurons"),
    Entry("list_feeding", "What Feeds It", "Alt+2", "List the inputs with the largest weights"),
    Entry("list_starred", "Starred Neurons", "Alt+3", "List the neurons that you starred"),
    Entry("list_recent", "Recent Neurons", "Alt+4", "List the neurons that you looked at last"),
)

TOOLBAR = (
    ("play", "step"),
    ("melt", "restart", "new_seed", "reset_average"),
    ("export",),
    ("fit", "presentation", "help"),
)


def make_actions(window: QWidget, canvas: QWidget) -> dict[str, QAction]:
    """Make all actions; those of the canvas belong to it, the others to the window."""
    actions = {}
    for entry in ENTRIES:
        action = QAction(entry.text, window)
        action.setObjectName(f"action-{entry.name}")
        action.setCheckable(entry.checkable)
        if entry.key:
            action.setShortcut(QKeySequence(entry.key))
        if entry.icon:
            action.setIcon(icons.icon(entry.icon))
        if entry.label:
            action.setIconText(entry.label)
        action.setStatusTip(entry.tip)
        action.setToolTip(f"{entry.tip} ({entry.key})" if entry.key else entry.tip)
        if entry.canvas:
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            canvas.addAction(action)
        else:
            window.addAction(action)
        actions[entry.name] = action
    return actions


def show_running(action: QAction, running: bool) -> None:
    """Let the play action say what it will do next."""
    action.setIcon(icons.icon("pause" if running else "play"))
    action.setText("Pause" if running else "Play")
    action.setIconText("Pause" if running else "Play")
    action.setToolTip(("Rest" if running else "Run") + " (Space)")
