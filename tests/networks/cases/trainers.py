"""What trainers and hubs write around the weights of the network in `checkpoints.py`."""

from __future__ import annotations

import pickle
from collections import OrderedDict

import numpy
import torch
from checkpoints import Net, layout, named, other
from safetensors.torch import save_file


@layout
def openmmlab(weights, folder):
    meta = {"epoch": 90, "config": "model = dict(type='Net')", "time": "Mon", "CLASSES": ("a", "b")}
    kept = OrderedDict(named(weights, "backbone.") | {"head.loss.weight": torch.ones(3)})
    torch.save({"meta": meta, "state_dict": kept, "optimizer": None}, folder / "epoch_90.pth")
    return "epoch_90.pth"


@layout
def deepspeed(weights, folder):
    kept = {
        **{"module": weights, "buffer_names": [], "optimizer": None, "skipped_steps": 0},
        **{"ds_config": {"train_batch_size": 8}, "dp_world_size": 1, "param_shapes": None},
    }
    torch.save(kept, folder / "mp_rank_00_model_states.pt")
    return "mp_rank_00_model_states.pt"


@layout
def composer(weights, folder):
    state = {"model": named(weights, "module."), "run_name": "a", "timestamp": {"epoch": 3}}
    torch.save({"state": state, "rng": [{"python": (3, (1, 2), None)}]}, folder / "ep3-rank0.pt")
    return "ep3-rank0.pt"


@layout
def detectron(weights, folder):
    """A plain pickle of numpy's arrays."""
    kept = {name: value.numpy() for name, value in weights.items()}
    written = {"model": kept, "__author__": "someone", "matching_heuristics": True}
    (folder / "model_final.pkl").write_bytes(pickle.dumps(written))
    return "model_final.pkl"


@layout
def arrays_of_numpy(weights, folder):
    numpy.savez(folder / "weights.npz", **{k: v.numpy() for k, v in weights.items()})
    return "weights.npz"


@layout
def folder_from_a_hub(weights, folder):
    (folder / "config.json").write_text('{"architectures": ["Net"]}')
    (folder / "README.md").write_text("# a network")
    save_file(named(weights, "net."), folder / "model.safetensors")
    return "."


@layout
def one_of_two_towers(weights, folder):
    kept = named(weights, "module.visual.") | {"module.logit_scale": torch.tensor(4.6)}
    kept |= {"module.text.embed.weight": torch.randn(50, 6), "module.text.ln.bias": torch.randn(6)}
    torch.save({"name": "vit-b", "epoch": 32, "state_dict": kept}, folder / "open_clip.pt")
    return "open_clip.pt"


@layout
def discriminator_beside_generator(weights, folder):
    generator = {"generator.fc.weight": torch.randn(12, 4), "generator.fc.bias": torch.randn(12)}
    kept = generator | named(weights, "discriminator.")
    torch.save({"epoch": 1, "state_dict": kept, "hparams_name": "kwargs"}, folder / "gan.ckpt")
    return "gan.ckpt"


@layout
def average_without_dots_in_its_names(weights, folder):
    """As in latent diffusion, where the averages' names have no dots."""
    averaged = {f"model_ema.{k.replace('.', '')}": v for k, v in other(weights).items()}
    averaged |= {"model_ema.decay": torch.tensor(0.99), "betas": torch.rand(10)}
    kept = named(weights, "model.diffusion_model.") | averaged
    torch.save({"global_step": 9, "state_dict": kept}, folder / "sd.ckpt")
    return "sd.ckpt"


@layout
def saved_on_a_graphics_card(weights, folder):
    tag = torch.serialization.location_tag
    torch.serialization.location_tag = lambda _storage: "cuda:1"
    try:
        torch.save({"state_dict": weights}, folder / "gpu.pth")
    finally:
        torch.serialization.location_tag = tag
    return "gpu.pth"


@layout
def double_precision(weights, folder):
    torch.save({k: v.double() if v.ndim else v for k, v in weights.items()}, folder / "d.pt")
    return "d.pt"


@layout
def in_another_memory_layout(weights, folder):
    net = Net()
    net.load_state_dict(weights)
    net.to(memory_format=torch.channels_last)
    torch.save(net.state_dict(), folder / "channels_last.pt")
    return "channels_last.pt"


@layout
def extra_state_of_modules(weights, folder):
    kept = dict(weights) | {"bn1._extra_state": {"scale": 2.0}, "fc._extra_state": None}
    torch.save(kept, folder / "te.pt")
    return "te.pt"


@layout
def torchscript(weights, folder):
    net = Net().eval()
    net.load_state_dict(weights)
    torch.jit.trace(net, torch.zeros(1, 1, 28, 28)).save(folder / "model_scripted.pt")
    return "model_scripted.pt"


class Recorder:
    """An object of a training's own."""

    def __init__(self, best):
        self.best, self.curve = best, [(1, 0.5), (2, best)]


@layout
def objects_of_the_training(weights, folder):
    kept = {"recorder": Recorder(numpy.float32(0.9)), "net": weights, "cfg": Recorder}
    torch.save(kept, folder / "exp1_best.pth", pickle_protocol=4)
    return "exp1_best.pth"
