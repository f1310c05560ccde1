"""Networks that warp, route, mark places or change sizes."""

import torch
import torch.nn.functional as F
from opens import GREY, SMALL, opens
from torch import nn


class Capsules(nn.Module):
    """Dynamic routing between capsules; a class is as likely as its vector is long."""

    def __init__(self):
        super().__init__()
        self.conv, self.primary = nn.Conv2d(1, 8, 9, 2), nn.Conv2d(8, 8, 5, 2)
        self.weight = nn.Parameter(0.2 * torch.randn(1, 18, 5, 6, 4))

    def forward(self, x):
        u = self.primary(F.relu(self.conv(x))).view(x.size(0), -1, 4)
        u = squash(u)[:, :, None, :, None]
        votes = (self.weight @ u).squeeze(-1)
        logits = torch.zeros(votes.shape[:3], device=x.device)
        for _ in range(3):
            routing = F.softmax(logits, dim=2)
            v = squash((routing[..., None] * votes).sum(1))
            logits = logits + (votes * v[:, None]).sum(-1)
        return v.norm(dim=-1)


def squash(s):
    square = (s**2).sum(-1, keepdim=True)
    return square / (1 + square) * s / (square.sqrt() + 1e-8)


@opens(GREY, {"conv": 8, "primary": 8, "output": 5})
def capsules():
    return Capsules()


class Deformable(nn.Module):
    def __init__(self):
        super().__init__()
        from torchvision.ops import DeformConv2d

        self.stem, self.offsets = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 18, 3, padding=1)
        self.deform, self.head = DeformConv2d(4, 6, 3, padding=1), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.tanh(self.stem(x))
        return self.head(torch.relu(self.deform(x, self.offsets(x))).amax((2, 3)))


@opens(SMALL, {"offsets": 18, "deform": 6, "head": 3})
def deformable_convolution():
    return Deformable()


class SpatialTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.localisation = nn.Sequential(
            *(nn.Conv2d(1, 4, 7), nn.MaxPool2d(2, stride=2), nn.ReLU(True)),
            *(nn.Conv2d(4, 5, 5), nn.MaxPool2d(2, stride=2), nn.ReLU(True)),
        )
        self.fc_loc = nn.Sequential(nn.Linear(5 * 3 * 3, 8), nn.ReLU(True), nn.Linear(8, 6))
        self.conv, self.fc = nn.Conv2d(1, 6, 5), nn.Linear(6 * 12 * 12, 10)

    def forward(self, x):
        theta = 0.2 * self.fc_loc(self.localisation(x).view(-1, 45)).view(-1, 2, 3)
        theta = theta + torch.eye(2, 3, device=x.device)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        x = F.relu(F.max_pool2d(self.conv(x), 2))
        return F.log_softmax(self.fc(x.view(-1, 864)), dim=1)


@opens(GREY, {"fc_loc": 6, "conv": 6, "fc": 10, "output": 10})
def spatial_transformer():
    return SpatialTransformer()


class CoordConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(5, 6, 3), nn.Linear(6, 4)

    def forward(self, x):
        n, _, h, w = x.shape
        ys = torch.linspace(-1, 1, h, device=x.device).view(1, 1, h, 1).expand(n, 1, h, w)
        xs = torch.linspace(-1, 1, w, device=x.device).view(1, 1, 1, w).expand(n, 1, h, w)
        return self.fc(F.elu(self.conv(torch.cat([x, ys, xs], 1))).flatten(2).max(2).values)


@opens(SMALL, {"conv": 6, "fc": 4})
def coordinates_as_channels():
    return CoordConv()


@opens(SMALL, {"0": 12, "1": 12, "2": 3, "3": 27})
def super_resolution():
    """Sub-pixel convolution."""
    return nn.Sequential(
        nn.Conv2d(3, 12, 5, padding=2),
        nn.Tanh(),
        nn.PixelShuffle(2),
        nn.Conv2d(3, 27, 3, padding=1),
    )


@opens(SMALL, {"fc": 3})
def equivariant_under_turns():
    class Turns(nn.Module):
        def __init__(self):
            super().__init__()
            self.lift, self.conv = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1)
            self.fc = nn.Linear(5, 3)

        def forward(self, x):
            turned = torch.cat([torch.rot90(x, k, (2, 3)) for k in range(4)])
            y = F.relu(self.conv(F.relu(self.lift(turned)))).mean((2, 3))
            return self.fc(y.view(4, len(x), -1).amax(0))

    return Turns()


@opens(SMALL, {"conv": 6, "kernels": 54, "fc": 3})
def kernels_made_from_the_image():
    class Dynamic(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.kernels = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6, 54)
            self.fc = nn.Linear(6, 3)

        def forward(self, x):
            x = torch.relu(self.conv(x))
            n, c, h, w = x.shape
            kernels = self.kernels(x.mean((2, 3))).view(n * c, 1, 3, 3)
            x = F.conv2d(x.reshape(1, n * c, h, w), kernels, padding=1, groups=n * c)
            return self.fc(x.view(n, c, h, w).amax((2, 3)))

    return Dynamic()
