"""The results of a training: weights, and the model card that describes them."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ldam_studio.files import write_bytes
from ldam_studio.networks.weights.weights import write_weights

MNIST_LICENCE = (
    "CC BY-SA 3.0, as the data they were trained on: MNIST by Yann LeCun and Corinna Cortes"
)
CIFAR_LICENCE = "GPL-3.0-or-later, as the program; CIFAR-10's authors ask to cite their report"


def save_weights(state: Mapping[str, torch.Tensor], path: Path, about: str) -> str:
    """Write a state dict as safetensors and return the file's SHA-256.

    Parameters
    ----------
    about
        One sentence for the file's metadata. It is the only entry, because safetensors writes
        several entries in no fixed order, so that equal weights would get different hashes.

    Raises
    ------
    StudioError
        If the file cannot be written.
    """
    return write_weights(path, state, {"about": about})


@dataclass(frozen=True)
class Card:
    """A model card.

    Attributes
    ----------
    file
        Name of the weights file, the card's title.
    what
        What the model is, in one sentence.
    data, recipe, command
        What the model was trained on, how, and by which command.
    seconds
        Duration of the training, on that number of `threads`.
    measured
        Measured figures, by description.
    sha256
        That of the file; `write_with` finds it.
    """

    file: str
    what: str
    data: str
    recipe: str
    command: str
    seed: int
    seconds: float
    measured: Mapping[str, str]
    licence: str = MNIST_LICENCE
    threads: int = 1
    sha256: str = ""

    def text(self) -> str:
        """Return the card in Markdown."""
        figures = "\n".join(f"| {name} | {value} |" for name, value in self.measured.items())
        threads = "one thread" if self.threads == 1 else f"{self.threads} threads"
        machine = f"{platform.machine()}, {threads}, {self.seconds / 60:.1f} minutes"
        return f"""# {self.file}

{self.what}

| | |
|---|---|
| Data | {self.data} |
| Recipe | {self.recipe} |
| Command | `{self.command}` |
| Seed | {self.seed} |
| Trained with | torch {torch.__version__}, {machine} |
| SHA-256 | `{self.sha256}` |
| Licence | {self.licence} |

| Measured | |
|---|---|
{figures}
"""

    def summary(self, folder: Path) -> str:
        """Return the file in this folder and the measured figures, in lines for the terminal."""
        figures = (f"  {what}: {value}" for what, value in self.measured.items())
        return "\n".join((str(folder / self.file), *figures))

    def write_with(self, state: Mapping[str, torch.Tensor], folder: Path, about: str) -> None:
        """Write weights as `save_weights` does, and the card beside them."""
        sha256 = save_weights(state, folder / self.file, about)
        replace(self, sha256=sha256).write(folder)

    def write(self, folder: Path) -> Path:
        """Write the card beside its weights, with the suffix ``.md``, and return its path."""
        path = folder / (Path(self.file).stem + ".md")
        write_bytes(path, self.text().encode())
        return path
