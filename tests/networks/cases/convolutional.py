"""Convolutional networks that classify, segment or describe."""

import torch
import torch.nn.functional as F
from opens import RGB, SMALL, opens
from torch import nn


def conv(inputs, outputs, kernel=3, stride=1, groups=1):
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = conv(3, 6), conv(6, 12)
        self.middle = conv(12, 12)
        self.rise = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.up = conv(12, 6)
        self.classes = nn.Conv2d(6, 2, 1)

    def forward(self, x):
        wide = self.down1(x)
        narrow = self.middle(F.max_pool2d(self.down2(wide), 2))
        return self.classes(self.up(torch.cat([wide, self.rise(narrow)], dim=1)))


@opens(RGB, {"down1.0": 6, "rise": 6, "up.2": 6, "classes": 2})
def unet():
    return UNet()


class ConvNeXtBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, x):
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.gamma * self.narrow(F.gelu(self.widen(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.blocks = nn.Sequential(ConvNeXtBlock(8), ConvNeXtBlock(8))
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x)).mean([-2, -1])))


@opens(RGB, {"blocks.0.depthwise": 8, "blocks.0.norm": 8, "blocks.1.widen": 32, "head": 5})
def convnext():
    return ConvNeXt()


class DenseBlock(nn.Module):
    def __init__(self, width, growth, layers):
        super().__init__()
        self.layers = nn.ModuleList(conv(width + i * growth, growth) for i in range(layers))

    def forward(self, x):
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)))
        return torch.cat(found, 1)


@opens(RGB, {"block.layers.2": 4, "block": 20, "narrow": 10, "head": 5})
def densenet():
    class DenseNet(nn.Sequential):
        pass

    net = DenseNet()
    net.add_module("stem", conv(3, 8, stride=2))
    net.add_module("block", DenseBlock(8, 4, 3))
    net.add_module("narrow", nn.Conv2d(20, 10, 1))
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", nn.Flatten())
    net.add_module("head", nn.Linear(10, 5))
    return net


class Inception(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branch1 = conv(inputs, 4, 1)
        self.branch3 = nn.Sequential(conv(inputs, 3, 1), conv(3, 6, 3))
        self.branch5 = nn.Sequential(conv(inputs, 2, 1), conv(2, 4, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv(inputs, 2, 1))

    def forward(self, x):
        branches = (self.branch1, self.branch3, self.branch5, self.pooled)
        return torch.cat([branch(x) for branch in branches], 1)


class Inceptions(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.first, self.second = conv(3, 8, 7, 2), Inception(8), Inception(16)
        self.drop, self.fc = nn.Dropout(0.4), nn.Linear(16, 7)

    def forward(self, x):
        x = F.max_pool2d(self.first(self.stem(x)), 3, 2, ceil_mode=True)
        return self.fc(self.drop(torch.flatten(F.adaptive_avg_pool2d(self.second(x), 1), 1)))


@opens(RGB, {"first": 16, "first.branch5.1": 4, "second.pooled": 2, "fc": 7})
def inception():
    return Inceptions()


class InvertedResidual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(width, 4 * width, 1), nn.BatchNorm2d(4 * width))
        self.depthwise = nn.Conv2d(4 * width, 4 * width, 5, padding=2, groups=4 * width)
        self.squeeze, self.excite = nn.Conv2d(4 * width, 4, 1), nn.Conv2d(4, 4 * width, 1)
        self.project = nn.Conv2d(4 * width, width, 1)

    def forward(self, x):
        y = self.depthwise(F.hardswish(self.expand(x), inplace=True))
        scale = F.relu6(self.squeeze(y.mean((2, 3), keepdim=True)))
        return x + self.project(F.hardswish(y * F.hardsigmoid(self.excite(scale))))


@opens(RGB, {"1.expand": 24, "1.squeeze": 4, "2": 6, "5": 4})
def mobilenet_with_squeeze_and_excitation():
    blocks = InvertedResidual(6), InvertedResidual(6)
    return nn.Sequential(
        conv(3, 6, stride=2), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    )


class Ghost(nn.Module):
    """Half of the channels are cheap copies of the others, and what is too much is cut off."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.outputs = outputs
        half = -(-outputs // 2)
        self.primary, self.cheap = conv(inputs, half, 1), conv(half, half, 3, groups=half)

    def forward(self, x):
        first = self.primary(x)
        return torch.cat([first, self.cheap(first)], dim=1)[:, : self.outputs, :, :]


@opens(RGB, {"0": 7, "0.cheap": 4, "2": 9, "5": 4})
def ghostnet():
    pool = nn.AvgPool2d(2)
    return nn.Sequential(
        Ghost(3, 7), pool, Ghost(7, 9), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 4)
    )


class ResNeXtBlock(nn.Module):
    def __init__(self, width, stride=1):
        super().__init__()
        self.conv1, self.conv2 = conv(width, 2 * width, 1), conv(2 * width, 2 * width, 3, stride, 4)
        self.conv3 = nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.BatchNorm2d(width))
        self.shortcut = nn.Sequential() if stride == 1 else nn.AvgPool2d(2, ceil_mode=True)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv3(self.conv2(self.conv1(x)))
        y += self.shortcut(x)
        return self.relu(y)


@opens(RGB, {"layer1.conv2": 16, "layer2": 8, "layer2.shortcut": 8, "fc": 6})
def resnext():
    class ResNeXt(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = conv(3, 8)
            self.layer1, self.layer2 = ResNeXtBlock(8), ResNeXtBlock(8, 2)
            self.fc = nn.Linear(8, 6)

        def forward(self, x):
            x = self.layer2(self.layer1(self.stem(x)))
            return self.fc(torch.flatten(F.avg_pool2d(x, x.size()[2:]), 1))

    return ResNeXt()


class ShuffleUnit(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.branch = nn.Sequential(conv(width // 2, width // 2, 1), conv(width // 2, width // 2))

    def forward(self, x):
        kept, changed = x.chunk(2, dim=1)
        x = torch.cat((kept, self.branch(changed)), dim=1)
        n, c, h, w = x.size()
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


@opens(SMALL, {"1": 8, "1.branch.1": 4, "6": 3})
def shufflenet():
    units = ShuffleUnit(8), nn.MaxPool2d(2), ShuffleUnit(8)
    return nn.Sequential(conv(3, 8), *units, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


class StandardisedConv(nn.Conv2d):
    def forward(self, x):
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        std = self.weight.std((1, 2, 3), keepdim=True)
        weight = (self.weight - mean) / (std + 1e-5)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


@opens(RGB, {"0": 8, "1": 8, "3": 12, "8": 5})
def weight_standardised_with_group_norm():
    return nn.Sequential(
        *(StandardisedConv(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(inplace=True)),
        *(StandardisedConv(8, 12, 3, 2, 1), nn.GroupNorm(3, 12), nn.Mish(inplace=True)),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(12, 5)),
    )


@opens(SMALL, {"pool": 4, "unpool": 4, "classes": 3})
def pooling_with_indices():
    class SegNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool = (
                nn.Conv2d(3, 4, 3, padding=1),
                nn.MaxPool2d(2, return_indices=True),
            )
            self.unpool, self.classes = nn.MaxUnpool2d(2), nn.Conv2d(4, 3, 3, padding=1)

        def forward(self, x):
            x = torch.tanh(self.conv(x))
            y, where = self.pool(x)
            return self.classes(self.unpool(y, where, output_size=x.size()))

    return SegNet()


@opens(SMALL, {"0": 4, "1": 4, "3": 6, "5": 6, "8": 3})
def layers_of_older_networks():
    return nn.Sequential(
        *(nn.Conv2d(3, 4, (3, 5), padding="same"), nn.LocalResponseNorm(3), nn.Softmax2d()),
        *(nn.Conv2d(4, 6, 3, dilation=2), nn.Hardtanh(), nn.LPPool2d(2, 2)),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 3)),
    )


@opens(SMALL, {"a": 4, "b": 5, "bilinear": 6, "fc": 3})
def bilinear_pooling():
    class Bilinear(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 5, 3)
            self.bilinear, self.fc = nn.Bilinear(4, 5, 6), nn.Linear(26, 3)

        def forward(self, x):
            a, b = torch.relu(self.a(x)), torch.relu(self.b(x))
            both = self.bilinear(a.mean((2, 3)), b.mean((2, 3)))
            outer = torch.einsum("nchw,ndhw->ncd", a, b).flatten(1) / a[0, 0].numel()
            outer = torch.sign(outer) * torch.sqrt(outer.abs() + 1e-5)
            return self.fc(torch.cat([both, F.normalize(outer)], 1))

    return Bilinear()
