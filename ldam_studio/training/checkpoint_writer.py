"""Writing checkpoints for the studio to watch, from any training loop.

Plain PyTorch::

    from ldam_studio.training import CheckpointWriter

    writer = CheckpointWriter("checkpoints", average=1000)
    for step, (images, labels) in enumerate(loader):
        ...                                          # forward, backward, optimiser.step()
        writer.average_in(model)
        if step % 200 == 0:
            writer.write(model, step=step, loss=loss.item())

Lightning, as one of ``Trainer(callbacks=[Watch()])``::

    class Watch(lightning.Callback):
        def __init__(self):
            self.writer = CheckpointWriter("checkpoints", average=1000)

        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            self.writer.average_in(module)
            if trainer.global_step % 200 == 0:
                self.writer.write(
                    module,
                    step=trainer.global_step,
                    epoch=trainer.current_epoch,
                    loss=outputs["loss"].item(),
                )

While it trains, run ``ldam-studio watch checkpoints --network FILE.py:FUNCTION``. Prefixes that a
framework adds to the weights' names ("model.", "module.") are understood.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import SupportsFloat, SupportsInt

from torch import Tensor, nn

from ldam_studio.networks.weights.checkpoint_headers import KEY
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.training.averaging import ParameterAverage

AVERAGED = "averaged"
"""Name of the folder for averaged parameters, inside the folder of the checkpoints."""


class CheckpointWriter:
    """Writes a model's weights as safetensors files with their step; no file is ever incomplete.

    Parameters
    ----------
    folder
        The folder of the files; it is created if it does not exist.
    average
        Averaging time of the parameters, in calls of `average_in`; 0 means no averaging. The
        average is arithmetic for that number of calls and exponential afterwards. It is written
        beside each checkpoint, in the folder ``averaged``.
    name
        Beginning of the files' names.
    """

    def __init__(self, folder: str | Path, average: int = 0, name: str = "checkpoint") -> None:
        self.folder = Path(folder)
        self.name = name
        self.average = ParameterAverage(average) if average else None

    def average_in(self, model: nn.Module) -> None:
        """Add the model's parameters to the average; call it once after each step."""
        if self.average is not None:
            self.average.update(model)

    def write(
        self,
        model: nn.Module,
        *,
        step: SupportsInt,
        epoch: SupportsFloat | None = None,
        loss: SupportsFloat | None = None,
        accuracy: SupportsFloat | None = None,
    ) -> Path:
        """Write the model's weights, and their average if there is one; return the file's path.

        Parameters
        ----------
        step, epoch, loss, accuracy
            Numbers of any type, including one-element tensors; accuracy is a share.

        Raises
        ------
        StudioError
            If the folder cannot be written to or the disk is full. No partial file is left behind.
        """
        known = {"epoch": epoch, "loss": loss, "accuracy": accuracy}
        about = {name: _number(value) for name, value in known.items() if value is not None}
        metadata = {KEY: json.dumps({"step": int(step), **about})}
        path = self.folder / f"{self.name}-{int(step):08d}.safetensors"
        if self.average is not None and self.average.count:
            averaged = self.folder / AVERAGED / path.name
            write_weights(averaged, self.average.state_dict(), metadata)
        write_weights(path, model.state_dict(), metadata)
        return path


def _number(value: SupportsFloat) -> float:
    # A loss may still be attached to its graph, about which torch would warn.
    return float(value.detach() if isinstance(value, Tensor) else value)
