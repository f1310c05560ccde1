"""Ways in which people save the weights of one small network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from opens import GREY, opens
from safetensors.torch import save_file
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 6, 3, 2), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 8, 3, 2), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


@opens(GREY, {"conv1": 6, "bn2": 8, "fc": 10})
def net() -> nn.Module:
    return Net()


Weights = dict[str, Tensor]
Layout = Callable[[Weights, Path], str]
LAYOUTS: list[Layout] = []
"""Each writes the weights into a folder and returns what is given as the weights file."""


def layout(write: Layout) -> Layout:
    LAYOUTS.append(write)
    return write


def other(weights: Weights) -> Weights:
    """Weights of the same shapes that are not the ones wanted."""
    return {k: v + 1 if v.is_floating_point() else v for k, v in weights.items()}


def named(weights: Weights, prefix: str) -> Weights:
    return {prefix + name: value for name, value in weights.items()}


@layout
def state_dict(weights, folder):
    torch.save(OrderedDict(weights), folder / "mnist_cnn.pt")
    return "mnist_cnn.pt"


@layout
def safetensors(weights, folder):
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return "model.safetensors"


@layout
def training_with_optimizer_and_history(weights, folder):
    optimizer = torch.optim.Adam([torch.zeros(3, requires_grad=True)])
    kept = {
        **{"epoch": 12, "model_state_dict": weights, "loss": torch.tensor(0.3)},
        **{"optimizer_state_dict": optimizer.state_dict(), "history": {"acc": [0.1, 0.9]}},
    }
    torch.save(kept, folder / "checkpoint_12.tar")
    return "checkpoint_12.tar"


@layout
def data_parallel(weights, folder):
    kept = {"arch": "net", "best_acc1": torch.tensor(93.2), "state_dict": named(weights, "module.")}
    torch.save(kept, folder / "model_best.pth.tar")
    return "model_best.pth.tar"


@layout
def before_torch_was_a_zip(weights, folder):
    kept = {"net": weights, "acc": 91.2, "epoch": 7}
    torch.save(kept, folder / "ckpt.t7", _use_new_zipfile_serialization=False)
    return "ckpt.t7"


@layout
def averaged_over_the_last_epochs(weights, folder):
    average = torch.optim.swa_utils.AveragedModel(Net())
    average.module.load_state_dict(weights)
    torch.save(average.state_dict(), folder / "swa.pt")
    return "swa.pt"


@layout
def compiled_and_distributed(weights, folder):
    torch.save({"model": named(weights, "module._orig_mod.")}, folder / "ckpt.pt")
    return "ckpt.pt"


@layout
def from_before_batch_norms_counted(weights, folder):
    torch.save({k: v for k, v in weights.items() if "num_batches" not in k}, folder / "old.pth")
    return "old.pth"


@layout
def half_precision(weights, folder):
    save_file({k: v.half() if v.is_floating_point() else v for k, v in weights.items()},
              folder / "fp16.safetensors")  # fmt: skip
    return "fp16.safetensors"


@layout
def parameters_that_require_gradients(weights, folder):
    kept = {k: nn.Parameter(v, v.is_floating_point()) for k, v in weights.items()}
    torch.save({"params": kept, "params_ema": None}, folder / "net_g_latest.pth")
    return "net_g_latest.pth"


@layout
def no_suffix(weights, folder):
    torch.save(weights, folder / "best_model")
    return "best_model"


@layout
def nested_two_levels_deep(weights, folder):
    kept = {"checkpoint": {"trainer": {"step": 10}, "network": {"weights": weights}}}
    torch.save(kept, folder / "run.ckpt")
    return "run.ckpt"


@layout
def views_of_one_large_tensor(weights, folder):
    """As optimizers that flatten all parameters leave it."""
    flat = torch.cat([v.float().flatten() for v in weights.values()])
    parts = flat.split([v.numel() for v in weights.values()])
    kept = {k: p.view(v.shape) for (k, v), p in zip(weights.items(), parts, strict=True)}
    torch.save(kept, folder / "flat.pt")
    return "flat.pt"
