"""How networks go through a batch."""

import torch
import torch.nn.functional as F
from opens import RGB, SMALL, Body, opens, pixels
from torch import nn


@opens(SMALL, {"fc": 3})
def images_one_by_one():
    class OneByOne(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, 3)

        def one(self, image):
            return torch.relu(self.conv(image)).mean((1, 2))

        def forward(self, x):
            return self.fc(torch.stack([self.one(image) for image in x]))

    return OneByOne()


@opens(SMALL, {"output": 5})
def micro_batches():
    class Micro(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Body()

        def forward(self, x):
            return torch.cat([self.net(part) for part in x.split(1)])

    return Micro()


@opens(pixels(6, 16), {"output": 5})
def frames_in_the_batch():
    class Frames(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Body()

        def forward(self, x):
            n, _, h, w = x.shape
            y = self.net(x.view(n * 2, 3, h, w))
            return y.view(n, 2, -1).mean(1)

    return Frames()


@opens(SMALL, {"output": 5})
def mirrored_and_averaged():
    class Mirrored(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Body()

        def forward(self, x):
            one, other = self.net(torch.cat([x, x.flip(-1)])).chunk(2)
            return (one + other) / 2

    return Mirrored()


@opens(SMALL, {"conv": 6, "output": 4})
def per_image_by_vmap():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.weight = nn.Conv2d(3, 6, 3), nn.Parameter(torch.randn(6, 4))

        def forward(self, x):
            h = torch.tanh(self.conv(x))
            return torch.vmap(lambda one: one.mean((1, 2)) @ self.weight)(h)

    return Net()


@opens(RGB, {"net.conv1": 6, "net.fc": 5, "output": 5})
def one_network_at_several_scales():
    class Pyramid(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Body()

        def forward(self, x):
            return sum(self.net(F.avg_pool2d(x, s) if s > 1 else x) for s in (1, 2, 4)) / 3

    return Pyramid()
