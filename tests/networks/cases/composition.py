"""How people put modules together."""

import types
from collections import OrderedDict
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from opens import BODY, GREY, RGB, SMALL, Body, inside, opens
from torch import nn


class Lists(nn.Module):
    """Parameters and layers in lists and dictionaries, and one that has no name."""

    def __init__(self):
        super().__init__()
        self.scales = nn.ParameterList([nn.Parameter(torch.rand(6, 1, 1)) for _ in range(2)])
        self.named = nn.ParameterDict({"shift": nn.Parameter(torch.randn(6, 1, 1))})
        self.stages = nn.ModuleDict(
            {"first": nn.Conv2d(3, 6, 3), "second": nn.Conv2d(6, 6, 3), "relu": nn.ReLU()}
        )
        self.heads = nn.ModuleList([nn.Linear(6, 2), nn.Linear(6, 3)])

    def forward(self, x):
        for name, scale in zip(("first", "second"), self.scales, strict=True):
            x = self.stages["relu"](self.stages[name](x) * scale + self.named["shift"])
        x = x.mean((2, 3))
        return torch.cat([head(x) for head in self.heads], -1)


@opens(RGB, {"stages.first": 6, "stages.second": 6, "heads.1": 3, "output": 5})
def lists_and_dictionaries():
    return Lists()


class Lambda(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@opens(GREY, {"conv": 6, "mean": 6, "head": 4})
def lambdas_in_a_sequence_with_names():
    layers = {
        "pad": Lambda(lambda x: F.pad(x, (2, 2, 2, 2))),
        "conv": nn.Conv2d(1, 6, 5),
        "square": Lambda(torch.square),
        "mean": Lambda(partial(torch.mean, dim=(2, 3))),
        "head": nn.Linear(6, 4),
    }
    return nn.Sequential(OrderedDict(layers))


class Lit(nn.Module):
    """What a LightningModule comes to."""

    hparams: ClassVar[dict] = {"lr": 1e-3}

    def __init__(self):
        super().__init__()
        self.model, self.criterion = Body(), nn.CrossEntropyLoss()
        self.train_acc = []

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, index):
        return self.criterion(self(batch[0]), batch[1])


@opens(SMALL, inside("model"))
def lightning_module():
    return Lit()


@opens(SMALL, inside("module"))
def data_parallel():
    return nn.DataParallel(Body())


@opens(SMALL, inside("model"))
def forward_with_options():
    class Options(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = Body()

        def forward(self, x, mask=None, *, scale: float = 1.0, return_dict=False, **kwargs):
            assert not kwargs
            y = self.model(x if mask is None else x * mask) * scale
            return {"logits": y} if return_dict else y

    return Options()


@opens(SMALL, BODY)
def hooks_of_the_user():
    """Hooks that watch, that change an output, and that wait for gradients, as for Grad-CAM."""
    net, kept = Body(), {}
    net.relu = nn.ReLU()  # a module whose gradient is waited for must not be changed in place
    net.conv1.register_forward_hook(lambda _m, _i, output: output * 1.5)
    net.conv2.register_forward_hook(lambda _m, _i, output: kept.update(conv2=output.detach()))
    net.fc.register_forward_pre_hook(lambda _m, inputs: (inputs[0] + 0.1,))
    net.conv2.register_full_backward_hook(lambda _m, _i, output: kept.update(gradient=output[0]))
    return net


@opens(SMALL, {"conv1": 6, "conv2": 8, "fc": 5})
def features_kept_on_the_module():
    class Keeps(Body):
        def forward(self, x):
            self.features = self.conv2(F.relu(self.conv1(x)))
            if self.features.requires_grad:
                self.features.retain_grad()
            self.last_input = x
            return self.fc(F.relu(self.features).mean((2, 3)))

    return Keeps()


@opens(SMALL, BODY)
def compiled():
    return torch.compile(Body())


@opens(SMALL, inside("inner"))
def compiled_inside():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.compile(Body())

        def forward(self, x):
            return self.inner(x)

    return Outer()


class Gelu(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(0.79788456 * (x + 0.044715 * x**3)))


@opens(SMALL, {"0": 6, "1": 6, "2": 8, "5": 4})
def scripted_part():
    """A part whose inside cannot be looked at: what it returns can."""
    scripted = torch.jit.script(nn.Sequential(nn.Conv2d(6, 8, 3), nn.ReLU()))
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), torch.jit.script(Gelu()), scripted, *pool, nn.Linear(8, 4)
    )


@opens(SMALL, {"conv1": 6, "conv2": 8, "fc": 5})
def traced_graph():
    return torch.fx.symbolic_trace(Body())


@opens(GREY, {"conv": 6, "hidden": 12, "fc": 10})
def lazy_layers():
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.hidden = nn.LazyConv2d(6, 5, 2), nn.LazyLinear(12)
            self.norm, self.fc = nn.LazyBatchNorm1d(), nn.LazyLinear(10)

        def forward(self, x):
            x = torch.relu(self.conv(x)).flatten(1)
            return self.fc(torch.relu(self.norm(self.hidden(x))))

    torch.manual_seed(7)
    net = Lazy().eval()
    net(torch.zeros(1, 1, 28, 28))
    return net


class Counter(nn.Module):
    """Counts its calls, which changes nothing that it returns."""

    def __init__(self):
        super().__init__()
        self.net, self.calls = Body(), 0
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        self.calls += 1
        self.seen += len(x)
        return self.net(x)


@opens(SMALL, inside("net"))
def counts_its_calls():
    return Counter()


@opens(SMALL, {"conv": 8, "fc": 3})
def functional_call_over_an_ensemble():
    class Ensemble(nn.Module):
        """Two sets of weights of one head, by `torch.func`."""

        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8, 3)
            self.other = nn.ParameterDict(
                {"weight": nn.Parameter(torch.randn(3, 8)), "bias": nn.Parameter(torch.randn(3))}
            )

        def forward(self, x):
            h = torch.relu(self.conv(x)).mean((2, 3))
            return self.fc(h) + torch.func.functional_call(self.fc, dict(self.other), (h,))

    return Ensemble()


@opens(SMALL, {"conv": 6, "act": 6, "fc": 4})
def closures_over_the_module():
    class Lambda(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, x):
            return self.function(x)

    class Closures(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.conv = nn.Parameter(torch.rand(6, 1, 1)), nn.Conv2d(3, 6, 3)
            self.act = Lambda(lambda x: torch.tanh(x * self.scale))
            self.fc = nn.Linear(6, 4)

        def forward(self, x):
            return self.fc(self.act(self.conv(x)).mean((2, 3)))

    return Closures()


@opens(SMALL, BODY)
def forward_that_was_replaced():
    def forward(self, x):
        return self.fc(torch.tanh(self.conv2(torch.tanh(self.conv1(x)))).amax((2, 3)))

    net = Body()
    net.forward = types.MethodType(forward, net)
    net.conv1.forward = partial(net.conv1._conv_forward, weight=net.conv1.weight, bias=None)
    return net


@opens(SMALL, {"conv": 6, "output": 4})
def layers_that_are_not_registered():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 3)
            self.heads = [nn.Linear(6, 2), nn.Linear(6, 2)]

        def forward(self, x):
            h = torch.relu(self.conv(x)).mean((2, 3))
            return torch.cat([head(h) for head in self.heads], 1)

    return Hidden()


@opens(SMALL, BODY)
def features_extracted_by_name():
    from torchvision.models.feature_extraction import create_feature_extractor

    return create_feature_extractor(Body().eval(), {"conv2": "maps", "fc": "logits"})


@opens(SMALL, {"module.conv1": 6, "module.fc": 5})
def wrapper_that_passes_attributes_on():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.module, name)

        def forward(self, *args, **kwargs):
            return self.module(*args, **kwargs)

    return Wrapper(Body())
