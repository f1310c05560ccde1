"""Small networks that use the image in every way, for tests of what their units see.

`LOCAL` have operations whose receptive fields are known exactly. The units of those in `GLOBAL` see
everything, because a value from anywhere may decide what they do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Operation = Callable[[Tensor], Tensor]


class Between(nn.Module):
    """An operation or a module between two convolutions."""

    def __init__(self, between: Operation | nn.Module, channels: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.between = between
        self.last = nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self.first(x)))


def resized(**options: object) -> Operation:
    return lambda x: functional.interpolate(x, **options)


def changed_in_a_view(x: Tensor) -> Tensor:
    y = x * 1
    y[:, :, 2:] += x[:, :, :-2]
    return y


def changed_behind_a_view(x: Tensor) -> Tensor:
    y = x * 1
    right = y[..., 9:]
    y.mul_(x.roll(2, 2))
    right.mul_(x[..., 3:4])
    return y[..., 4:] + right[..., :1]


def masked_in_place(x: Tensor) -> Tensor:
    y = x * 1
    y[x < 0] = 0.1
    return y


def unfolded(x: Tensor) -> Tensor:
    windows = functional.unfold(x, 3, padding=1).reshape(1, 8, 9, *x.shape[2:])
    return windows.amax(2)


def folded(x: Tensor) -> Tensor:
    windows = functional.unfold(x, 4, padding=1, stride=2)
    return functional.fold(windows, x.shape[2:], 4, padding=1, stride=2)


def summed_along_rows(x: Tensor) -> Tensor:
    return x.cumsum(3) * 0.1


def windows_apart(x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    x = x.reshape(n, c, 2, h // 2, 2, w // 2).permute(0, 2, 4, 3, 5, 1).reshape(n * 4, -1, c)
    x = functional.scaled_dot_product_attention(x, x, x)
    return x.reshape(n, 2, 2, h // 2, w // 2, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)


class Vmapped(nn.Module):
    """Does something to each image inside of `torch.vmap`, where it cannot be followed."""

    def __init__(self, function: Operation) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return torch.vmap(self.function)(x)


class Edges(nn.Module):
    """Convolves with a kernel that is neither a parameter nor a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]).repeat(8, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.sobel, padding=1, groups=8)


class InEvaluation(nn.Sequential):
    """Norms that have seen images before."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(*modules)
        for part in modules:
            if getattr(part, "running_mean", None) is not None:
                part.running_mean.normal_(std=0.2)
                part.running_var.uniform_(0.5, 1.5)


class ThreeDimensional(nn.Module):
    """Takes channels as depth."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.max_pool3d(self.conv(x[:, None]), (2, 1, 1)).flatten(1, 2)


class Rows(nn.Module):
    """Convolves each row by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(8, 8, 5, padding=2, groups=2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.conv(row) for row in x.unbind(2)], 2)


LOCAL: dict[str, Callable[[], nn.Module]] = {
    "bilinear": lambda: Between(resized(scale_factor=1.5, mode="bilinear")),
    "bilinear, corners aligned": lambda: Between(
        resized(size=(31, 25), mode="bilinear", align_corners=True)
    ),
    "bilinear, smaller, antialiased": lambda: Between(
        resized(scale_factor=0.5, mode="bilinear", antialias=True)
    ),
    "bicubic": lambda: Between(resized(scale_factor=2.0, mode="bicubic")),
    "nearest": lambda: Between(resized(scale_factor=(1.5, 2.0))),
    "nearest, exact": lambda: Between(resized(size=(13, 11), mode="nearest-exact")),
    "area": lambda: Between(resized(size=(7, 5), mode="area")),
    "bilinear module before a strided convolution": lambda: nn.Sequential(
        nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.Conv2d(3, 4, 3, 2, 1), nn.Tanh()
    ),
    "transposed": lambda: Between(nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1)),
    "transposed, dilated, groups": lambda: Between(
        nn.ConvTranspose2d(8, 8, (3, 2), (2, 3), 1, 1, groups=2, dilation=2)
    ),
    "strided, dilated, groups": lambda: Between(
        nn.Conv2d(8, 8, (3, 2), (2, 1), (2, 0), dilation=(2, 3), groups=4)
    ),
    "same padding": lambda: Between(nn.Conv2d(8, 8, 4, padding="same")),
    "circular convolution": lambda: Between(nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular")),
    "reflected": lambda: Between(nn.ReflectionPad2d((3, 2, 1, 4))),
    "replicated": lambda: Between(nn.ReplicationPad2d(2)),
    "cropped by padding": lambda: Between(nn.ZeroPad2d((-2, 1, -3, 2))),
    "rolled": lambda: Between(lambda x: torch.roll(x, (3, -2), (2, 3))),
    "flipped": lambda: Between(lambda x: x + x.flip(3)),
    "shuffled": lambda: Between(nn.Sequential(nn.PixelShuffle(2)), 2),
    "unshuffled": lambda: Between(nn.PixelUnshuffle(2), 32),
    "unfolded": lambda: Between(unfolded),
    "folded": lambda: Between(folded),
    "sum over channels by einsum": lambda: Between(
        lambda x: torch.einsum("nchw,cd->ndhw", x, torch.ones(8, 8) + torch.eye(8))
    ),
    "sum over rows by einsum": lambda: Between(
        lambda x: x + torch.einsum("nchw->nwc", x).permute(0, 2, 1)[:, :, None]
    ),
    "sum over channels by einsum with dots": lambda: Between(
        lambda x: (
            torch.einsum("...hw,...hw->...hw", x, x.sin())
            + torch.einsum("...chw,dc->...dhw", x, torch.ones(8, 8))
        )
    ),
    "matrices of channels": lambda: Between(
        lambda x: x * (x.movedim(1, 3) @ torch.ones(8))[:, None] + (torch.ones(20) @ x)[:, :, None]
    ),
    "variance over channels": lambda: Between(
        lambda x: torch.hstack([(x - x.mean(1, True)) / x.var(1, False, True).sqrt()[:, :8]])
    ),
    "sums so far": lambda: Between(summed_along_rows),
    "pooled over rows": lambda: Between(lambda x: x * x.mean(3, keepdim=True)),
    "largest of rows": lambda: Between(lambda x: x + x.max(3, keepdim=True).values),
    "sorted columns": lambda: Between(lambda x: x.sort(2).values),
    "pooled with a rest": lambda: Between(nn.MaxPool2d(3, 2, 1, ceil_mode=True)),
    "pooled with a dilation": lambda: Between(nn.MaxPool2d(2, 1, dilation=3)),
    "power average": lambda: Between(nn.Sequential(nn.Softplus(), nn.LPPool2d(2, 3, 2))),
    "adaptively averaged": lambda: Between(nn.AdaptiveAvgPool2d((7, 5))),
    "adaptively maximised": lambda: Between(nn.AdaptiveMaxPool2d((6, None))),
    "instance norm with statistics": lambda: Between(
        InEvaluation(nn.InstanceNorm2d(8, affine=True, track_running_stats=True))
    ),
    "batch norm": lambda: Between(InEvaluation(nn.BatchNorm2d(8), nn.SiLU())),
    "norm over channels": lambda: Between(lambda x: x / (x.norm(dim=1, keepdim=True) + 0.1)),
    "gated channels": lambda: Between(nn.GLU(1), 4),
    "gated by itself": lambda: Between(lambda x: torch.where(x > 0, x, 0.1 * x) * (x * 3).cos()),
    "similar to its neighbour": lambda: Between(
        lambda x: x * functional.cosine_similarity(x, x.roll(1, 3), dim=1)[:, None]
    ),
    "changed in a view": lambda: Between(changed_in_a_view),
    "changed behind a view": lambda: Between(changed_behind_a_view),
    "masked in place": lambda: Between(masked_in_place),
    "windows apart": lambda: Between(windows_apart),
    "three dimensions": lambda: Between(ThreeDimensional()),
    "edges": lambda: Between(Edges()),
    "rows apart": lambda: Between(Rows()),
    "gathered": lambda: Between(lambda x: x[:, :, torch.arange(19, -1, -1)]),
    "checked for numbers": lambda: Between(lambda x: x if x.isfinite().all() else x * 0),
    "silent": lambda: _silent(),
    "kernel from a corner": lambda: Between(DynamicConvolution("corner")),
}


def _silent() -> nn.Module:
    net = Between(nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU()))
    net.between[0].bias.data.fill_(-3.0)
    return net


class DynamicConvolution(nn.Module):
    """Computes its kernel from the image."""

    def __init__(self, over: str = "all") -> None:
        super().__init__()
        self.kernel = nn.Linear(8, 8 * 8 * 9)
        self.over = over

    def forward(self, x: Tensor) -> Tensor:
        seen = x.mean((2, 3)) if self.over == "all" else x[:, :, 0, 0]
        return functional.conv2d(x, self.kernel(seen).reshape(8, 8, 3, 3), padding=1)


class Conditional(nn.Module):
    """Mixes expert kernels by weights that depend on the image (CondConv)."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.Parameter(torch.randn(3, 8, 8, 3, 3) * 0.1)
        self.route = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        shares = self.route(x.mean((2, 3))).sigmoid()
        kernels = torch.einsum("ne,eoihw->noihw", shares, self.experts).flatten(0, 1)
        n, c, h, w = x.shape
        out = functional.conv2d(x.reshape(1, n * c, h, w), kernels, padding=1, groups=n)
        return out.reshape(n, -1, h, w)


class Branch(nn.Module):
    """Decides by a value what to do."""

    def __init__(self, decide: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.one, self.other = (nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.decide = decide

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.one(x), self.other(x)
        return one if self.decide(x) else other


class Warped(nn.Module):
    """A spatial transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Linear(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        theta = self.theta(x.mean((2, 3))).reshape(-1, 2, 3) * 0.1 + torch.eye(2, 3)
        grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
        return functional.grid_sample(x, grid, align_corners=False)


class Deformed(nn.Module):
    """A deformable convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Conv2d(8, 18, 3, padding=1)
        self.weight = nn.Parameter(torch.randn(8, 8, 3, 3) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        from torchvision.ops import deform_conv2d

        return deform_conv2d(x, 5 * self.offset(x), self.weight, padding=1)


def _as_numpy(x: Tensor) -> Tensor:
    scale = float(np.abs(x.detach().numpy()).max())
    return x / torch.tensor(scale)


def _kept(x: Tensor) -> Tensor:
    """Keep the tokens with the largest values, the others are zero."""
    tokens = x.flatten(2)
    kept = tokens.sum(1).topk(20, dim=1).indices
    return torch.zeros_like(tokens).index_copy(2, kept[0], tokens[:, :, kept[0]]).reshape(x.shape)


GLOBAL: dict[str, Callable[[], nn.Module]] = {
    "kernel from the image": lambda: Between(DynamicConvolution()),
    "conditional convolution": lambda: Between(Conditional()),
    "computed bias": lambda: Between(
        lambda x: functional.conv2d(x, torch.ones(8, 8, 1, 1), x.mean((0, 2, 3)))
    ),
    "squeeze and excitation": lambda: Between(lambda x: x * x.mean((2, 3), True).sigmoid()),
    "instance norm": lambda: Between(nn.InstanceNorm2d(8)),
    "group norm": lambda: Between(nn.GroupNorm(2, 8)),
    "batch statistics": lambda: Between(nn.BatchNorm2d(8, track_running_stats=False)),
    "branch on the mean": lambda: Between(Branch(lambda x: x.mean() > 0)),
    "branch on a count": lambda: Between(Branch(lambda x: len((x > 0.5).nonzero()) % 2)),
    "branch in numpy": lambda: Between(Branch(lambda x: x.detach().cpu().numpy().sum() > 0)),
    "scaled by numpy": lambda: Between(_as_numpy),
    "chosen by where": lambda: Between(lambda x: torch.where(x.mean() > 0, x, x.roll(4, 3))),
    "warped": lambda: Between(Warped()),
    "deformed": lambda: Between(Deformed()),
    "kept by topk": lambda: Between(_kept),
    "Fourier": lambda: Between(lambda x: torch.fft.irfft2(torch.fft.rfft2(x) * 0.5 + 1)),
    "attention": lambda: Between(
        lambda x: (
            (x.flatten(2).transpose(1, 2) @ x.flatten(2)).softmax(-1)[:, :8].reshape(1, 8, 20, 18)
            * x
        )
    ),
    "recurrent over rows": lambda: Between(_Recurrent()),
}


class _Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.over = nn.GRU(8, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.over(x.flatten(2).transpose(1, 2))[0].transpose(1, 2).reshape(x.shape)
