"""All commands, each with its module and a short description; the modules are not imported here."""

from __future__ import annotations

COMMANDS = {
    "studio": ("ldam_studio.commands.studio", "open the window (the default without a command)"),
    "watch": ("ldam_studio.commands.watch", "watch a network's checkpoints while it is trained"),
    "render": ("ldam_studio.commands.render", "sample without a window and write the pictures"),
    "replay": ("ldam_studio.commands.replay", "run an exported picture again and compare it"),
    "record": (
        "ldam_studio.commands.record",
        "run the sessions of exported pictures again, as an animation",
    ),
    "info": ("ldam_studio.commands.info", "list the networks, or the layers of a network"),
    "sheet": (
        "ldam_studio.commands.sheet",
        "draw every neuron of a layer on one page, and as a folder",
    ),
    "atlas": (
        "ldam_studio.commands.atlas",
        "draw every neuron of many layers, on all cores or on many computers",
    ),
    "atlas-page": (
        "ldam_studio.commands.atlas_page",
        "write the page to browse an atlas, or to compare two",
    ),
    "modes": (
        "ldam_studio.commands.modes",
        "count the pictures that excite a neuron, and group them",
    ),
    "index": (
        "ldam_studio.commands.index",
        "show real images to a network, so that the window has them beside drawn ones",
    ),
    "desktop": (
        "ldam_studio.commands.desktop",
        "let the desktop open session files and pictures with the studio",
    ),
    "pictures": ("ldam_studio.commands.pictures", "make the pictures in the README"),
    "guide": (
        "ldam_studio.commands.guide",
        "write the lists of settings, keys and commands in the guide",
    ),
    "train mnist": ("ldam_studio.commands.train.mnist", "train LeNet on MNIST"),
    "train cifar10": ("ldam_studio.commands.train.cifar10", "train a VGG on CIFAR-10"),
    "train live": (
        "ldam_studio.commands.train.live",
        "train LeNet while the studio watches and sends commands on standard input",
    ),
    "train discriminator": (
        "ldam_studio.commands.train.discriminator",
        "train a discriminator along with the chains",
    ),
    "train denoiser": (
        "ldam_studio.commands.train.denoiser",
        "train a denoiser, the learned prior of photographs or of CIFAR-10's images",
    ),
    "train statistics": (
        "ldam_studio.commands.train.statistics",
        "measure how active a network's channels are on photographs",
    ),
    "train judge": ("ldam_studio.commands.train.judge", "train a judge for the paper's figures"),
    "train digits-sheet": (
        "ldam_studio.commands.train.digits_sheet",
        "make the sample of real digits that ships with the program",
    ),
    "paper fig1": (
        "ldam_studio.commands.paper.fig1",
        "the paper's Figure 1: five discriminator weights, ten classes",
    ),
    "paper fig4": (
        "ldam_studio.commands.paper.fig4",
        "the paper's Figure 4: with and without L2, raw and averaged",
    ),
    "paper fig5": (
        "ldam_studio.commands.paper.fig5",
        "the paper's Figure 5: LeNet after its last epoch, and with averaged parameters",
    ),
    "paper fig6": (
        "ldam_studio.commands.paper.fig6",
        "the paper's Figure 6: CIFAR-10 without regulariser, with L2, and averaged",
    ),
    "paper fig7": (
        "ldam_studio.commands.paper.fig7",
        "the paper's Figure 7: CIFAR-10 with a discriminator, at weights from 0 up",
    ),
    "paper fig8": (
        "ldam_studio.commands.paper.fig8",
        "the paper's Figure 8: CIFAR-10 with averaged parameters, without and with a discriminator",
    ),
    "paper fig9": (
        "ldam_studio.commands.paper.fig9",
        "the paper's Figure 9: one class of CIFAR-10 in several colour temperatures",
    ),
    "paper fig10": (
        "ldam_studio.commands.paper.fig10",
        "the paper's Figure 10: a prior of photographs, at weights from 0 up",
    ),
    "paper fig11": (
        "ldam_studio.commands.paper.fig11",
        "the paper's Figure 11: two architectures side by side, and the pixels of their gradients",
    ),
    "paper modes": (
        "ldam_studio.commands.paper.modes_of_twins",
        "whether neurons have fewer pictures with averaged parameters, over several trainings",
    ),
    "paper cycles": (
        "ldam_studio.commands.paper.cycles",
        "whether warm restarts show more of a neuron's pictures than a constant temperature",
    ),
    "paper named": (
        "ldam_studio.commands.paper.named",
        "how often another network recognises the intended class, as a table",
    ),
    "paper filters": (
        "ldam_studio.commands.paper.filters",
        "a network's first-layer filters beside the averages of its chains",
    ),
}
GROUPS = {"train": "train the shipped networks", "paper": "reproduce the paper's figures"}
