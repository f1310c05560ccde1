"""Tiny networks whose forward passes are special: each is a function of a body's layers."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ldam_studio.networks.pixels import PixelSpec

PIXELS = PixelSpec(3, 12, 12, (0.5,) * 3, (0.25,) * 3)

Forward = Callable[[Any, Tensor], Tensor]


class Body(nn.Module):
    """Two convolutions and a head, with what `more` adds, and a forward pass of its own."""

    def __init__(self, forward: Forward, more: Callable[[Any], object] | None = None) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)
        if more is not None:
            more(self)
        self.give = forward

    def features(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(functional.relu(self.first(x)))).mean((2, 3))

    def maps(self, x: Tensor) -> Tensor:
        return self.second(functional.relu(self.first(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.give(self, x)


def build(kinds: dict[str, tuple[Any, ...]], name: str) -> Body:
    """Build a network, the same at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Body(*kinds[name])


def _set(**values: Callable[[], Any]) -> Callable[[Any], None]:
    def more(body: Any) -> None:
        for name, make in values.items():
            setattr(body, name, make())

    return more


def _buffers(**values: Callable[[], Tensor]) -> Callable[[Any], None]:
    def more(body: Any) -> None:
        for name, make in values.items():
            body.register_buffer(name, make())

    return more


# Networks that draw random numbers in evaluation mode


def _training_dropout(b: Any, x: Tensor) -> Tensor:
    return b.head(b.drop.train()(b.features(x)))


def _noisy(b: Any, x: Tensor) -> Tensor:
    mean, log_variance = b.features(x).chunk(2, 1)
    z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    return torch.cat([z, z * z], 1)


def _dropped_path(b: Any, x: Tensor) -> Tensor:
    y = functional.relu(b.first(x))
    keep = torch.empty(len(x), 1, 1, 1).bernoulli_(0.5)
    return b.head((b.second(y) * keep / 0.5 + y.mean(1, True)).mean((2, 3)))


def _scaled(draw: Callable[[Any, Tensor], Any]) -> Forward:
    return lambda b, x: b.head(b.features(x) * draw(b, x))


def _patches(b: Any, x: Tensor) -> Tensor:
    tokens = b.maps(x).flatten(2)
    return b.head(tokens[:, :, torch.randperm(144)[:40]].mean(2))


RANDOM: dict[str, tuple[Any, ...]] = {
    "functional dropout": (lambda b, x: b.head(functional.dropout(b.features(x), 0.5, True)),),
    "dropout put to train": (_training_dropout, _set(drop=lambda: nn.Dropout(0.4))),
    "channels dropped": (
        lambda b, x: b.head(functional.dropout2d(b.maps(x), 0.5, True).mean((2, 3))),
    ),
    "alpha dropout": (lambda b, x: b.head(functional.alpha_dropout(b.features(x), 0.3, True)),),
    "variational": (_noisy,),
    "stochastic depth": (_dropped_path,),
    "numpy": (_scaled(lambda b, x: float(np.random.rand()) + 0.5),),
    "python": (_scaled(lambda b, x: random.random() + 0.5),),
    "own generator": (
        _scaled(lambda b, x: torch.rand(8, generator=b.rng)),
        _set(rng=lambda: torch.Generator().manual_seed(1)),
    ),
    "own generator of numpy": (
        _scaled(lambda b, x: b.rng.random() + 0.5),
        _set(rng=lambda: np.random.default_rng(1)),
    ),
    "own generator of python": (
        _scaled(lambda b, x: b.rng.random() + 0.5),
        _set(rng=lambda: random.Random(1)),
    ),
    "noise on the image": (lambda b, x: b.head(b.features(x + 0.1 * torch.randn(x.shape))),),
    "rrelu": (lambda b, x: b.head(functional.rrelu(b.maps(x), training=True).mean((2, 3))),),
    "gumbel": (lambda b, x: functional.gumbel_softmax(b.head(b.features(x))),),
    "some patches": (_patches,),
    "choice": (_scaled(lambda b, x: torch.multinomial(torch.ones(8), 8).float()),),
    "which branch": (
        lambda b, x: b.head(b.features(x)) if torch.rand(()) < 0.5 else b.head(b.features(-x)),
    ),
}

# Networks that mix the images of a batch


def _contrastive(b: Any, x: Tensor) -> Tensor:
    z = functional.normalize(b.features(x), dim=1)
    return b.head(b.features(x)) - (z @ z.T).logsumexp(1, keepdim=True)


def _attention(b: Any, x: Tensor) -> Tensor:
    tokens = b.maps(x).flatten(2).transpose(1, 2)  # the layer wants the images second
    return b.head(b.attention(tokens, tokens, tokens)[0].mean(1))


def _recurrent(b: Any, x: Tensor) -> Tensor:
    return b.head(b.lstm(b.maps(x).mean(2).transpose(1, 2))[0][:, -1])


def _deviation(b: Any, x: Tensor) -> Tensor:
    y = b.features(x)
    return b.head(y) + y.std(0, unbiased=False).mean()


def _clipped(b: Any, x: Tensor) -> Tensor:
    limit = 3 if x.abs().max() > 6 else 1  # only where an image is far out
    return b.head(b.features(x) * limit)


def _mixed_up(b: Any, x: Tensor) -> Tensor:
    return b.head(b.features(0.7 * x + 0.3 * x[torch.randperm(len(x))]))


def _of_many(b: Any, x: Tensor) -> Tensor:
    y = b.features(x)
    return b.head(y - y.mean(0) if len(x) > 2 else y)


def _in_gradient(b: Any, x: Tensor) -> Tensor:
    y = b.features(x)
    mean = y.mean(0)
    return b.head(y + mean - mean.detach())


MIXING: dict[str, tuple[Any, ...]] = {
    "batch norm without statistics": (
        lambda b, x: b.head(b.norm(b.maps(x)).relu().mean((2, 3))),
        _set(norm=lambda: nn.BatchNorm2d(8, track_running_stats=False)),
    ),
    "batch norm put to train": (
        lambda b, x: b.head(b.norm.train()(b.maps(x)).relu().mean((2, 3))),
        _set(norm=lambda: nn.BatchNorm2d(8)),
    ),
    "functional batch norm": (
        lambda b, x: b.head(
            functional.batch_norm(b.maps(x), None, None, training=True).relu().mean((2, 3))
        ),
    ),
    "centred": (lambda b, x: b.head(b.features(x - x.mean(0, keepdim=True) / 2)),),
    "largest": (lambda b, x: b.head(b.features(x) / b.features(x).amax()),),
    "norm of all": (lambda b, x: b.head(b.features(x / x.norm())),),
    "softmax over images": (lambda b, x: b.head(b.features(x) * b.features(x).softmax(0)),),
    "contrastive": (_contrastive,),
    "attention over images": (
        _attention,
        _set(attention=lambda: nn.MultiheadAttention(8, 2)),
    ),
    "recurrent over images": (_recurrent, _set(lstm=lambda: nn.LSTM(8, 8))),
    "deviation": (_deviation,),
    "sums": (lambda b, x: b.head(b.features(x).cumsum(0)),),
    "the one before": (lambda b, x: b.head(b.features(x) + b.features(x).roll(1, 0)),),
    "only loud ones": (_clipped,),
    "in the gradient": (_in_gradient,),
    "mixed up": (_mixed_up,),
    "from three on": (_of_many,),
    "divided by their number": (lambda b, x: b.head(b.features(x)) / len(x),),
}

# Networks that keep something from one pass to the next


def _hidden(b: Any, x: Tensor) -> Tensor:
    h = b.features(x)
    b.hidden = h.mean(0) if b.hidden is None else h.mean(0) + b.hidden / 2
    return b.head(h + b.hidden.detach() - h.mean(0).detach())


def _buffer(b: Any, x: Tensor) -> Tensor:
    out = b.head(b.features(x)) + b.mean
    b.mean.mul_(0.5).add_(0.3)
    return out


def _counted(b: Any, x: Tensor) -> Tensor:
    b.calls += 1
    return b.head(b.features(x)) * b.calls


def _every_second(b: Any, x: Tensor) -> Tensor:
    b.calls += 1
    return b.head(b.features(x)) * (1 + b.calls % 2)


def _queued(b: Any, x: Tensor) -> Tensor:
    b.queue.append(float(x.mean()))
    return b.head(b.features(x)) + sum(b.queue)


def _listed(b: Any, x: Tensor) -> Tensor:
    b.seen.append(x.detach().mean())
    return b.head(b.features(x)) + torch.stack(b.seen).max()


def _in_object(b: Any, x: Tensor) -> Tensor:
    y = b.head(b.features(x))
    out = y + b.cache.last
    b.cache.last = float(y.detach().abs().max())
    return out


def _in_dictionary(b: Any, x: Tensor) -> Tensor:
    y = b.head(b.features(x))
    out = y + b.cache.get("last", 0)
    b.cache["last"] = y.detach().mean()
    return out


def _in_itself(b: Any, x: Tensor) -> Tensor:
    out = b.head(b.features(x)) + b.ring[0][0][1]["calls"]
    b.ring[1]["calls"] += 1
    return out


def _ring() -> list[Any]:
    ring: list[Any] = [None, {"calls": 0}]
    ring[0] = ring[1]["ring"] = ring
    return ring


def _in_array(b: Any, x: Tensor) -> Tensor:
    b.kept[0] += 1
    return b.head(b.features(x)) * float(b.kept[0])


def _parameter(b: Any, x: Tensor) -> Tensor:
    out = b.head(b.features(x)) + b.bias
    with torch.no_grad():
        b.bias.copy_(0.9 * b.bias + 0.1 * out.detach().mean(0))
    return out


def _weights(b: Any, x: Tensor) -> Tensor:
    b.first.weight.data.mul_(0.9)
    return b.head(b.features(x))


def _once(b: Any, x: Tensor) -> Tensor:
    if not b.ready:  # as data-dependent initialisation
        b.shift, b.ready = b.features(x).detach().mean(0), True
    return b.head(b.features(x) - b.shift)


REMEMBERING: dict[str, tuple[Any, ...]] = {
    "hidden state": (_hidden, _set(hidden=lambda: None)),
    "buffer": (_buffer, _buffers(mean=lambda: torch.zeros(5))),
    "calls": (_counted, _set(calls=lambda: 0)),
    "every second call": (_every_second, _set(calls=lambda: 0)),
    "queue": (_queued, _set(queue=lambda: deque([0.0], maxlen=3))),
    "list": (_listed, _set(seen=list)),
    "object": (_in_object, _set(cache=lambda: SimpleNamespace(last=0.0))),
    "dictionary": (_in_dictionary, _set(cache=dict)),
    "list in itself": (_in_itself, _set(ring=_ring)),
    "array": (_in_array, _set(kept=lambda: np.zeros(2))),
    "parameter": (_parameter, _set(bias=lambda: nn.Parameter(torch.zeros(5)))),
    "weights": (_weights,),
    "first image": (_once, _set(ready=lambda: False)),
}

# Networks whose code asks for a memory layout or for types


def _strided(b: Any, x: Tensor) -> Tensor:
    y = b.maps(x)
    n, c, h, w = y.shape
    return b.head(torch.as_strided(y, (n, c, h * w), (c * h * w, h * w, 1)).mean(2).relu())


def _volume(b: Any, x: Tensor) -> Tensor:
    return b.head(b.solid(x[:, None]).relu().mean((3, 4)).flatten(1)[:, :8])


def _last(b: Any, x: Tensor) -> Tensor:
    y = functional.relu(b.first(x)).permute(0, 2, 3, 1).contiguous()  # (n, H, W, C)
    return b.head(b.dense(b.norm(y)).view(len(x), 144, 8).mean(1))


def _spectrum(b: Any, x: Tensor) -> Tensor:
    return b.head(torch.fft.ifft2(torch.fft.fft2(b.maps(x)) * b.filter).real.relu().mean((2, 3)))


def _indexed(b: Any, x: Tensor) -> Tensor:
    return b.head(b.maps(x).view(len(x), 8, -1)[:, :, b.places].mean(2))


def _in_double(b: Any, x: Tensor) -> Tensor:
    y = b.features(x).double()
    return (y @ b.table).float()


def _positions(b: Any, x: Tensor) -> Tensor:
    return b.head((b.maps(x) * b.position).reshape(len(x), 8, 144).amax(2) + b.position.view(-1)[0])


LAYOUTS: dict[str, tuple[Any, ...]] = {
    "view": (
        lambda b, x: b.wide(functional.max_pool2d(b.maps(x).relu(), 3).view(x.size(0), -1)),
        _set(wide=lambda: nn.Linear(8 * 16, 5)),
    ),
    "view of tokens": (lambda b, x: b.head(b.maps(x).view(len(x), 8, 144).mean(2)),),
    "strides": (_strided,),
    "volume": (_volume, _set(solid=lambda: nn.Conv3d(1, 4, 3, padding=1))),
    "rows": (
        lambda b, x: b.head(b.line(b.maps(x).mean(2)).mean(2)),
        _set(line=lambda: nn.Conv1d(8, 8, 3)),
    ),
    "channels last in the code": (
        _last,
        _set(dense=lambda: nn.Linear(6, 8), norm=lambda: nn.LayerNorm(6)),
    ),
    "complex parameter": (
        _spectrum,
        _set(filter=lambda: nn.Parameter(torch.randn(8, 12, 12, dtype=torch.complex64))),
    ),
    "integer buffer": (_indexed, _buffers(places=lambda: torch.arange(0, 144, 5))),
    "bfloat16 buffer": (
        lambda b, x: b.head(b.features(x) * b.scale),
        _buffers(scale=lambda: torch.linspace(0.5, 2, 8, dtype=torch.bfloat16)),
    ),
    "float16 buffer": (
        lambda b, x: b.head(b.features(x) * b.scale.float()),
        _buffers(scale=lambda: torch.linspace(0.5, 2, 8, dtype=torch.float16)),
    ),
    "float64 buffer": (
        _in_double,
        _buffers(table=lambda: torch.linspace(-1, 1, 40, dtype=torch.float64).reshape(8, 5)),
    ),
    "bool buffer": (
        lambda b, x: b.head(b.features(x).masked_fill(b.mask, 0)),
        _buffers(mask=lambda: torch.arange(8) % 3 == 0),
    ),
    "position in four dimensions": (
        _positions,
        _set(position=lambda: nn.Parameter(torch.rand(1, 8, 12, 12))),
    ),
    "frames": (
        lambda b, x: b.head(
            b.frames(x.view(len(x), 1, 3, 12, 12).transpose(1, 2)).flatten(2).mean(2)
        ),
        _set(frames=lambda: nn.Conv3d(3, 8, (1, 3, 3))),
    ),
    "its strides": (lambda b, x: b.head(b.features(x) * (1 if b.maps(x).is_contiguous() else 3)),),
    "contiguous weights": (
        lambda b, x: b.head(
            functional.conv2d(x, b.first.weight.view(6, 3, 3, 3)).mean((2, 3)) @ b.up
        ),
        _buffers(up=lambda: torch.ones(6, 8)),
    ),
    "weights as a matrix": (
        lambda b, x: b.head(
            (b.second.weight.view(8, -1) @ functional.unfold(b.first(x), 3)).mean(2)
        ),
    ),
}
