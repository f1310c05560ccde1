"""Names of weights are matched as torch matches them; another architecture is still refused."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.names import is_bookkeeping
from ldam_studio.networks.weights.weights import read_saved
from saved_networks import imported, named, opened, same, trained, written

HOOKS = """
class Renaming(Net):
    "An older version of it called its last layer `head`, as torch.nn.Module's hook says."
    def __init__(self):
        super().__init__()
        self._register_load_state_dict_pre_hook(self._rename)
    def _rename(self, state, prefix, *_):
        for name in list(state):
            if name.startswith(prefix + "head."):
                state[prefix + "fc." + name[len(prefix) + 5:]] = state.pop(name)

class Scaling(Net):
    "Every loading changes the values, so it must happen once."
    def __init__(self):
        super().__init__()
        self.register_load_state_dict_pre_hook(scale)

def scale(module, state, prefix, *_):
    state[prefix + "fc.weight"] = state[prefix + "fc.weight"] * 2

class Versioned(Net):
    _version = 2
    def _load_from_state_dict(self, state, prefix, metadata, *rest):
        if metadata.get("version", 1) < 2:
            state[prefix + "fc.bias"] = state.pop(prefix + "offset")
        super()._load_from_state_dict(state, prefix, metadata, *rest)

class Overriding(Net):
    def load_state_dict(self, state, strict=True):
        return super().load_state_dict({n.replace("enc_", ""): t for n, t in state.items()}, strict)

class Noting(Net):
    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.was_loaded = True
    def forward(self, x):
        return super().forward(x) * (2 if getattr(self, "was_loaded", False) else 1)
"""


def old_names(state):
    return {name.replace("fc.", "head."): value for name, value in state.items()}


def first_version(state):
    state["offset"] = state.pop("fc.bias")
    state._metadata[""]["version"] = 1
    return state


@pytest.mark.parametrize(
    ("function", "change"),
    [
        ("Renaming", old_names),
        ("Renaming", lambda state: {"model": named("module.", old_names(state))}),
        ("Scaling", lambda state: state),
        ("Scaling", lambda state: {"state_dict": named("net.", state)}),
        ("Versioned", first_version),
        ("Versioned", lambda state: state),
        ("Overriding", lambda state: {f"enc_{name}": value for name, value in state.items()}),
        ("Noting", lambda state: state),
    ],
)
def test_a_module_that_renames_or_changes_weights_loads_them_once_as_torch_does(
    tmp_path, monkeypatch, function, change
):
    path = written(tmp_path, HOOKS)
    build = getattr(imported(path, monkeypatch), function)
    saved = change(trained(build()).state_dict())
    torch.save(saved, tmp_path / "w.pt")
    plain = saved.get("model") or saved.get("state_dict") or saved
    right = build()
    right.load_state_dict(
        {n.removeprefix("module.").removeprefix("net."): t for n, t in plain.items()}
        if isinstance(saved, dict) and plain is not saved
        else plain
    )
    network = opened(path, tmp_path / "w.pt", function)
    same(network, right)
    # A later checkpoint of the training gives the same.
    again, sha256 = read_saved(tmp_path / "w.pt")
    same(network.with_weights(again, tmp_path / "w.pt", sha256), right)


def test_what_has_diverged_is_said_also_of_a_module_that_changes_weights(tmp_path, monkeypatch):
    path = written(tmp_path, HOOKS)
    state = trained(imported(path, monkeypatch).Scaling()).state_dict()
    torch.save(state | {"conv1.weight": torch.full((4, 1, 3, 3), torch.nan)}, tmp_path / "w.pt")
    with pytest.raises(StudioError, match=r"not finite, in 'conv1\.weight'"):
        opened(path, tmp_path / "w.pt", "Scaling")


NORMS = """
def weight_new(): return Net(wrap=parametrizations.weight_norm)
def spectral_new(): return Net(wrap=parametrizations.spectral_norm)
def spectral_old(): return Net(wrap=spectral_norm)
def weight_old():
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Net(wrap=weight_norm)
"""


@pytest.mark.parametrize("of", ["weight", "spectral"])
@pytest.mark.parametrize("saved_by", ["old", "new"])
@pytest.mark.parametrize("opened_by", ["old", "new"])
def test_norms_of_weights_have_old_and_new_names(tmp_path, monkeypatch, of, saved_by, opened_by):
    path = written(tmp_path, NORMS)
    module = trained(getattr(imported(path, monkeypatch), f"{of}_{saved_by}")())
    torch.save({"generator": module.state_dict()}, tmp_path / "w.pt")
    same(opened(path, tmp_path / "w.pt", f"{of}_{opened_by}"), module)


WRAPPED = """
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
def checkpointed():
    net = Net()
    net.conv2 = checkpoint_wrapper(net.conv2)
    return net
class Holder(nn.Module):
    "Its own name for the network is in every name of its weights."
    def __init__(self):
        super().__init__()
        self.model = Net()
        self.pixels = PIXELS
    def forward(self, x):
        return self.model(x)
"""


def inside(part, wrapper):
    def change(state):
        return {n.replace(f"{part}.", f"{part}.{wrapper}."): t for n, t in state.items()}

    return change


@pytest.mark.parametrize(
    "change",
    [
        inside("conv2", "_orig_mod"),
        inside("fc", "module"),
        inside("conv1", "_checkpoint_wrapped_module"),
        lambda s: named("_fsdp_wrapped_module.", inside("conv2", "_fsdp_wrapped_module")(s)),
        lambda s: {"state_dict": named("model._orig_mod.module.", inside("fc", "_orig_mod")(s))},
        lambda s: {"hyper_parameters": {"lr": 1}, "state_dict": named("net.", s)},
        lambda s: {n: t for n, t in s.items() if "num_batches_tracked" not in n},
        lambda s: s | {"bn1.num_batches_tracked": torch.tensor([7])},
    ],
)
@pytest.mark.parametrize("function", ["model", "Holder"])
def test_wrappers_are_no_part_of_a_name(tmp_path, monkeypatch, change, function):
    path = written(tmp_path, WRAPPED)
    module = trained(imported(path, monkeypatch).Net())
    torch.save(change(module.state_dict()), tmp_path / "w.pt")
    same(opened(path, tmp_path / "w.pt", function), module)


def test_a_network_may_have_wrappers_that_its_file_has_not(tmp_path, monkeypatch):
    path = written(tmp_path, WRAPPED)
    module = trained(imported(path, monkeypatch).Net())
    torch.save(module.state_dict(), tmp_path / "w.pt")
    same(opened(path, tmp_path / "w.pt", "checkpointed"), module)


BOOKS = {
    "total_ops": torch.zeros(1, dtype=torch.float64),
    "conv1.total_ops": torch.zeros(1, dtype=torch.float64),
    "fc.total_params": torch.zeros(1, dtype=torch.float64),
    "criterion.weight": torch.ones(5),
    "loss_fn.pos_weight": torch.ones(5),
    "train_acc.tp": torch.zeros(5, dtype=torch.int64),
    "val_metrics.MulticlassAccuracy.fn": torch.zeros(5),
    "valAUROC.confmat": torch.zeros(5, 2),
    "n_averaged": torch.tensor(3),
    "class_weights": torch.ones(5),
    "perceptual_loss.vgg.0.weight": torch.ones(2, 3, 3, 3),
    "conv2.num_batches_tracked": torch.tensor(3),
    "relative_position_index": torch.arange(9),
    "val_loss": torch.tensor(0.3),
    "log_vars": torch.zeros(2),
    "ema_fc.weight": torch.ones(5, 6),
}


@pytest.mark.parametrize("name", BOOKS)
def test_bookkeeping_is_known_by_its_name_or_its_numbers(name):
    assert is_bookkeeping(name, BOOKS[name])


@pytest.mark.parametrize("prefix", ["", "model."])
def test_bookkeeping_is_passed_over_with_a_note(tmp_path, monkeypatch, prefix):
    path = written(tmp_path)
    module = trained(imported(path, monkeypatch).Net())
    torch.save(named(prefix, module.state_dict() | BOOKS), tmp_path / "w.pt")
    network = opened(path, tmp_path / "w.pt")
    same(network, module)
    (note,) = network.provenance.notes
    assert note == (
        f"{len(BOOKS)} tensors are no weights of the network, but of its training, and passed "
        "over: total_ops, conv1.total_ops, fc.total_params, …."
    )


def without(name):
    return lambda state: {n: t for n, t in state.items() if n != name}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("conv2.weight"), r"1 weights are missing \(the first is conv2\.weight\)"),
        (without("bn1.running_mean"), r"missing \(the first is bn1\.running_mean\)"),
        (lambda s: s | {"conv3.weight": torch.ones(6, 6, 3, 3)}, r"unknown .*conv3\.weight"),
        (lambda s: s | {"fc2.bias": torch.ones(5)}, r"unknown \(the first is fc2\.bias\)"),
        (lambda s: s | {"logit_scale": torch.tensor(3.0)}, r"unknown \(the first is logit_scale\)"),
        (lambda s: s | {"act.weight": torch.ones(1)}, r"unknown \(the first is act\.weight\)"),
        (lambda s: s | {"fc.bias": torch.ones(6)}, r"another shape \(the first is fc\.bias \(6,\)"),
        (lambda s: {f"layers.{n}": t for n, t in s.items() if "conv" not in n}, "4 weights are mi"),
        (lambda s: {"a" * 5000: torch.ones(1)}, "longer names, than a network has"),
        (lambda s: s | {"x\x1b[2J\n" + 300 * "y": torch.ones(2)}, r"x\\x1b\[2J\\nyyy.*…"),
    ],
)
def test_another_architecture_is_refused_in_one_sentence(tmp_path, monkeypatch, change, says):
    path = written(tmp_path)
    module = trained(imported(path, monkeypatch).Net())
    torch.save(change(dict(module.state_dict())), tmp_path / "w.pt")
    with pytest.raises(StudioError, match=says) as refused:
        opened(path, tmp_path / "w.pt")
    assert len(str(refused.value)) < 1000 and str(refused.value).isprintable()


DEPTHS = """
class Deep(nn.Sequential):
    def __init__(self, depth=6):
        layers = [nn.Conv2d(1, 3, 3, padding=1)]
        layers += [nn.Conv2d(3, 3, 3, padding=1) for _ in range(depth - 1)]
        super().__init__(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.pixels = PIXELS
def shallow():
    return Deep(4)
"""


def test_a_deeper_network_of_the_same_family_is_another_architecture(tmp_path, monkeypatch):
    path = written(tmp_path, DEPTHS)
    deep = trained(imported(path, monkeypatch).Deep())
    torch.save({"model": deep.state_dict()}, tmp_path / "w.pt")
    same(opened(path, tmp_path / "w.pt", "Deep"), deep)
    with pytest.raises(StudioError, match=r"another architecture: 4 weights are unknown .*0\.4\."):
        opened(path, tmp_path / "w.pt", "shallow")
