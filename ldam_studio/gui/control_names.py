"""What sentences that name flags of the command line say in the window: the names of controls."""

from __future__ import annotations

PARTIAL = "Accept weights that fit only in part"
FROM_SOURCE = "As the network's source says"

# Longer ones first: a phrase may contain a later one.
PHRASES = {
    "leave out --input-size, --mean, --std and related flags": f"choose “{FROM_SOURCE}” at Input",
    "give --input-size, --mean and --std": "choose this at Input",
    "--weights FILE::KEY chooses": "Set chooses",
    "--weights FILE::KEY takes one": "Set takes one",
    "--class-layer LAYER chooses": "Classes chooses",
    "for the classes: --class-layer": "at Classes:",
    "(--class-layer)": "(Classes)",
    "(--partial)": f"(“{PARTIAL}”, where the network is opened)",
    "(--weights)": "(Weights, where the network is opened)",
}


def in_window(sentence: str) -> str:
    """Return a sentence about opening a network in the words of the window."""
    for flags, words in PHRASES.items():
        sentence = sentence.replace(flags, words)
    return sentence
