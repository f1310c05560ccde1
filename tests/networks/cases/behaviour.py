"""What networks do in their forward passes."""

import torch
import torch.nn.functional as F
from opens import BODY, GREY, RGB, SMALL, Body, opens
from torch import nn
from torch.nn.utils import prune
from torch.utils.checkpoint import checkpoint


@opens(RGB, {"0": 6, "1": 6, "3": 8, "9": 5})
def activations_that_are_learned_or_in_place():
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 3), nn.PReLU(6), nn.SiLU(inplace=True), nn.Conv2d(6, 8, 3, 2)),
        *(nn.Hardswish(inplace=True), nn.GELU(approximate="tanh"), nn.ELU(inplace=True)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)),
    )


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return gradient * (s * (1 + x * (1 - s)))


class MemoryEfficientSwish(nn.Module):
    def forward(self, x):
        return Swish.apply(x)


@opens(SMALL, {"0": 6, "1": 6, "4": 4})
def activation_with_its_own_gradient():
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, 6, 3), MemoryEfficientSwish(), *pool, nn.Linear(6, 4))


class Sign(torch.autograd.Function):
    """Straight through: the gradient of what was binary is passed on where |x| <= 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


class BinaryConv(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(Sign.apply(x), Sign.apply(self.weight), self.bias, padding=self.padding)


@opens(SMALL, {"0": 6, "2": 8, "5": 4})
def binary_weights():
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), BinaryConv(6, 8, 3, padding=1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
    )


class FakeQuantised(nn.Module):
    """As in training that is aware of quantisation, with fixed scales."""

    def forward(self, x):
        return torch.fake_quantize_per_tensor_affine(x, 0.05, 0, -128, 127)


@opens(SMALL, {"0": 6, "1": 6, "6": 4})
def quantisation_aware():
    quantised = FakeQuantised(), nn.ReLU(), FakeQuantised()
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, 6, 3), *quantised, *pool, nn.Linear(6, 4))


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.block1 = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = checkpoint(self.block1, self.stem(x), use_reentrant=self.reentrant)
        x = checkpoint(self.block2, x, use_reentrant=self.reentrant)
        return self.fc(x.mean((2, 3)))


@opens(SMALL, {"block1.0": 6, "block2": 8, "fc": 5})
def activations_computed_again():
    return Checkpointed(False)


@opens(SMALL, {"block1.0": 6, "block2": 8, "fc": 5})
def activations_computed_again_the_older_way():
    return Checkpointed(True)


class Depth(nn.Module):
    """As many rounds as the size of the images asks for, and a shortcut that is there or not."""

    def __init__(self):
        super().__init__()
        self.first, self.down = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, 2, 1)
        self.shortcut, self.fc = None, nn.Linear(6, 5)

    def forward(self, x):
        x = self.first(x)
        while x.shape[-1] > 4:
            x = F.relu(self.down(x))
            if self.shortcut is not None:
                x = x + self.shortcut(x)
        return self.fc(x.mean((2, 3)))


@opens(SMALL, {"first": 6, "down": 6, "fc": 5})
def loop_that_depends_on_the_size():
    return Depth()


class Gates(nn.Module):
    """Each image goes through the expert that suits it best."""

    def __init__(self):
        super().__init__()
        self.stem, self.gate = nn.Conv2d(1, 6, 5, 2), nn.Linear(6, 2)
        self.experts = nn.ModuleList([nn.Linear(6, 4), nn.Linear(6, 4)])
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        h = F.relu(self.stem(x)).mean((2, 3))
        weights = self.gate(h).softmax(1)
        every = torch.stack([expert(h) for expert in self.experts], 1)
        best = weights.argmax(1)
        rows = torch.arange(len(h))
        return self.fc(every[rows, best] * weights[rows, best, None])


@opens(GREY, {"stem": 6, "gate": 2, "experts.1": 4, "fc": 3})
def mixture_of_experts():
    return Gates()


@opens(SMALL, {"stem": 6, "fc": 4})
def solved_until_it_rests():
    class Equilibrium(nn.Module):
        """Iterates until nothing moves any more, then once more with a gradient."""

        def __init__(self):
            super().__init__()
            self.stem, self.cell = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 1, 1)
            self.fc = nn.Linear(6, 4)

        def forward(self, x):
            x, z = self.stem(x), torch.zeros_like(self.stem(x))
            with torch.no_grad():
                for _ in range(8):
                    z = torch.tanh(0.3 * self.cell(z) + x)
            return self.fc(torch.tanh(0.3 * self.cell(z) + x).mean((2, 3)))

    return Equilibrium()


@opens(SMALL, {"0": 6, "2": 8, "5": 3})
def norms_of_weights_the_older_way():
    norm, spectral = nn.utils.weight_norm, nn.utils.spectral_norm
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(
        norm(nn.Conv2d(3, 6, 3)), nn.ReLU(), spectral(nn.Conv2d(6, 8, 3)), *pool, nn.Linear(8, 3)
    )


@opens(SMALL, BODY)
def pruned():
    net = Body()
    prune.l1_unstructured(net.conv1, "weight", amount=0.4)
    prune.ln_structured(net.conv2, "weight", amount=0.3, n=2, dim=0)
    return net


def mish(x: torch.Tensor) -> torch.Tensor:
    return x.mul(torch.tanh(F.softplus(x)))


@opens(SMALL, {"conv": 6, "act": 6, "fc": 4})
def scripted_function():
    fused = torch.jit.script(mish)

    class Mish(nn.Module):
        def forward(self, x):
            return fused(x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.act, self.fc = nn.Conv2d(3, 6, 3), Mish(), nn.Linear(6, 4)

        def forward(self, x):
            return self.fc(fused(self.act(self.conv(x))).mean((2, 3)))

    return Net()


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        return gradient / (1 + (3 * v).abs()) ** 2


@opens(GREY, {"conv": 6, "fc": 4})
def spiking_neurons():
    class Leaky(nn.Module):
        def __init__(self):
            super().__init__()
            self.mem = None

        def forward(self, current):
            mem = current if self.mem is None else 0.9 * self.mem + current
            spikes = Spike.apply(mem - 1)
            self.mem = mem - spikes
            return spikes

    class Spiking(nn.Module):
        """Four steps in time; what its neurons keep begins anew with each call."""

        def __init__(self):
            super().__init__()
            self.conv, self.lif, self.fc = nn.Conv2d(1, 6, 5, 3), Leaky(), nn.Linear(6, 4)

        def forward(self, x):
            self.lif.mem, out = None, 0.0
            for _ in range(4):
                out = out + self.fc(self.lif(self.conv(x)).mean((2, 3)))
            return out

    return Spiking()


@opens(SMALL, {"conv": 6, "norm": 6, "fc": 3})
def quantisation_aware_with_observers():
    from torch.ao.quantization import FakeQuantize, MovingAverageMinMaxObserver

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.fc = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Linear(6, 3)
            self.quant = FakeQuantize(MovingAverageMinMaxObserver, quant_min=0, quant_max=255)

        def forward(self, x):
            return self.fc(torch.relu(self.quant(self.norm(self.conv(x)))).mean((2, 3)))

    net = Net()
    net(torch.randn(4, 3, 16, 16))
    net.quant.disable_observer()
    return net


@opens(SMALL, {"lift": 6, "f": 6, "fc": 3})
def neural_differential_equation():
    class ODE(nn.Module):
        def __init__(self):
            super().__init__()
            self.lift, self.f, self.fc = (
                nn.Conv2d(3, 6, 1),
                nn.Conv2d(7, 6, 3, padding=1),
                nn.Linear(6, 3),
            )

        def forward(self, x, steps=4):
            h = self.lift(x)
            for t in torch.linspace(0, 1, steps):
                at = torch.full_like(h[:, :1], float(t))
                h = h + torch.tanh(self.f(torch.cat([h, at], 1))) / steps
            return self.fc(h.mean((2, 3)))

    return ODE()
