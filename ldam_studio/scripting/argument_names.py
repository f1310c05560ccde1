"""What sentences that name flags of the command line say in a script: the names of arguments."""

from __future__ import annotations

# Longer ones first: a phrase may contain a later one.
PHRASES = {
    "leave out --input-size, --mean, --std and related flags": "leave out pixels=",
    "give --input-size, --mean and --std": "give pixels=",
    "open it with --network first, or replay with --allow-code": "name it as network=",
    ", or replay with --allow-code": "",
    "name it: --network ": "give network= as well: ",
    "replay with --download": "replay with download=True",
    "name their folder: --data FOLDER": "use ldam-studio replay with --data FOLDER",
    "or name it: replay --photograph FILE": "or use ldam-studio replay with --photograph FILE",
    "for the classes: --class-layer ": "for the classes, with class_layer=: ",
    "--class-layer LAYER": "class_layer=",
    "(--class-layer)": "(class_layer=)",
    "--weights FILE::KEY": 'weights="FILE::KEY"',
    "--weights FILE": "weights=",
    "(--weights)": "(weights=)",
    "(--partial)": "(partial=True)",
}


def in_python(sentence: str) -> str:
    """Return a sentence about a network or a replay in the words of a script."""
    for flags, words in PHRASES.items():
        sentence = sentence.replace(flags, words)
    return sentence
