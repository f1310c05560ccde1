"""Ways in which people save the weights of one small network."""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy
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
def lightning(weights, folder):
    kept = {
        **{"epoch": 3, "global_step": 400, "pytorch-lightning_version": "2.4.0"},
        "state_dict": {**named(weights, "model."), "criterion.weight": torch.ones(10)},
        **{"loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {}, "lr_schedulers": []},
        "hyper_parameters": {"lr": 0.1, "data_dir": Path("/data"), "args": argparse.Namespace(b=2)},
    }
    torch.save(kept, folder / "epoch=3-step=400.ckpt")
    return "epoch=3-step=400.ckpt"


@layout
def namespace_and_numpy(weights, folder):
    kept = {
        **{"args": argparse.Namespace(lr=0.1, out=Path("runs")), "best": numpy.float64(0.93)},
        **{"model": weights, "rng": numpy.random.default_rng(1).bit_generator.state},
        "confusion": numpy.eye(3),
    }
    torch.save(kept, folder / "last.pth")
    return "last.pth"


@layout
def whole_module(weights, folder):
    module = Net()
    module.load_state_dict(weights)
    torch.save(module, folder / "entire_model.pt")
    return "entire_model.pt"


@layout
def whole_module_beside_others(weights, folder):
    module = Net().half()
    module.load_state_dict(weights)
    torch.save({"epoch": -1, "model": module, "ema": None, "opt": None}, folder / "best.pt")
    return "best.pt"


@layout
def before_torch_was_a_zip(weights, folder):
    kept = {"net": weights, "acc": 91.2, "epoch": 7}
    torch.save(kept, folder / "ckpt.t7", _use_new_zipfile_serialization=False)
    return "ckpt.t7"


@layout
def averaged_by_ema_and_chosen(weights, folder):
    kept = {"state_dict": other(weights), "state_dict_ema": named(weights, "module.")}
    torch.save(kept, folder / "last.pth.tar")
    return "last.pth.tar::state_dict_ema"


@layout
def averaged_over_the_last_epochs(weights, folder):
    average = torch.optim.swa_utils.AveragedModel(Net())
    average.module.load_state_dict(weights)
    torch.save(average.state_dict(), folder / "swa.pt")
    return "swa.pt"


@layout
def student_and_teacher(weights, folder):
    kept = {
        "student": named(other(weights), "module.backbone."),
        "teacher": named(weights, "backbone."),
    }
    torch.save(kept, folder / "checkpoint.pth")
    return "checkpoint.pth::teacher"


@layout
def shards_of_safetensors(weights, folder):
    return shards(weights, folder, "model", "safetensors", save_file)


@layout
def shards_of_torch(weights, folder):
    return shards(weights, folder, "pytorch_model", "bin", torch.save)


def shards(weights, folder, stem, suffix, save):
    names = sorted(weights)
    index = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"{stem}-{number:05}-of-00002.{suffix}"
        save({name: weights[name] for name in part}, folder / file)
        index |= dict.fromkeys(part, file)
    written = {"metadata": {"total_size": 9999}, "weight_map": index}
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(written))
    return f"{stem}.{suffix}.index.json"


@layout
def compiled_and_distributed(weights, folder):
    torch.save({"model": named(weights, "module._orig_mod.")}, folder / "ckpt.pt")
    return "ckpt.pt"


@layout
def wrapped_for_sharding_and_checkpointing(weights, folder):
    renamed = {}
    for name, value in weights.items():
        part, _, last = name.rpartition(".")
        renamed[f"_fsdp_wrapped_module.{part}._checkpoint_wrapped_module.{last}"] = value
    torch.save(renamed, folder / "consolidated.pth")
    return "consolidated.pth"


@layout
def counters_of_a_profiler(weights, folder):
    counted = {"total_ops": torch.zeros(1), "total_params": torch.zeros(1)}
    counted |= {"conv1.total_ops": torch.zeros(1), "fc.total_params": torch.zeros(1)}
    torch.save({**weights, **counted}, folder / "model.pth")
    return "model.pth"


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
def a_suffix_that_says_something_else(weights, folder):
    save_file(weights, folder / "weights.pt")
    return "weights.pt"


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
def encoder_of_a_pair(weights, folder):
    """As in MoCo."""
    kept = named(weights, "module.encoder_q.") | named(other(weights), "module.encoder_k.")
    kept["module.queue"] = torch.randn(4, 6)
    torch.save({"epoch": 200, "arch": "net", "state_dict": kept}, folder / "moco.pth.tar")
    return "moco.pth.tar::module.encoder_q"


@layout
def views_of_one_large_tensor(weights, folder):
    """As optimizers that flatten all parameters leave it."""
    flat = torch.cat([v.float().flatten() for v in weights.values()])
    parts = flat.split([v.numel() for v in weights.values()])
    kept = {k: p.view(v.shape) for (k, v), p in zip(weights.items(), parts, strict=True)}
    torch.save(kept, folder / "flat.pt")
    return "flat.pt"
