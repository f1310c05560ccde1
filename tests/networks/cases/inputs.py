"""How networks preprocess what they are given, and in which layout and precision they compute."""

import torch
import torch.nn.functional as F
from opens import GREY, RGB, SMALL, Body, opens, pixels
from torch import nn

BYTES = {**pixels(3, 24, 0.0, 1.0), "minimum": 0.0, "maximum": 255.0, "rest": 128.0}


PLAIN = pixels(3, 24, 0.0, 1.0)


def body(channels=3, width=6, classes=5):
    return nn.Sequential(
        *(nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, classes)),
    )


class Before(nn.Module):
    """Does something to the images first."""

    def __init__(self, does, net=None):
        super().__init__()
        self.does, self.net = does, net or body()

    def forward(self, x):
        return self.net(self.does(x))


NET = {"net.0": 6, "net.4": 12, "net.8": 5}


@opens(BYTES, NET)
def bytes_that_are_normalised_inside():
    return Before(lambda x: (x / 255.0 - 0.5) / 0.5)


class ImageNetNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), False)

    def forward(self, x):
        return x.sub(self.mean).div_(self.std)


@opens(PLAIN, {"0": 3, "1.0": 6, "1.8": 5})
def imagenet_normalisation_as_a_layer():
    return nn.Sequential(ImageNetNorm(), body())


@opens(PLAIN, NET)
def transforms_inside():
    from torchvision.transforms import v2

    steps = [
        *(v2.Resize(16, antialias=True), v2.CenterCrop(12)),
        v2.Normalize([0.5, 0.4, 0.3], [0.2, 0.2, 0.3]),
    ]
    return Before(v2.Compose(steps))


@opens(PLAIN, {"net.0": 6, "net.8": 5})
def grey_of_colours():
    def grey(x):
        return (x * x.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)

    return Before(grey, body(1))


@opens(BYTES, NET)
def caffes_order_of_channels():
    return Before(lambda x: x[:, [2, 1, 0]] - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1))


@opens({**pixels(3, 24, 0.0, 1.0), "minimum": -1.0, "maximum": 1.0, "rest": 0.0}, NET)
def pixels_from_minus_one():
    return Before(lambda x: x.clamp(-1, 1) * 1.2)


@opens(GREY, {"fc1": 20, "bn": 20, "fc2": 10})
def flattened_digits():
    class MLP(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.bn = nn.Linear(784, 20), nn.BatchNorm1d(20)
            self.drop, self.fc2 = nn.Dropout(0.2), nn.Linear(20, 10)

        def forward(self, x):
            return self.fc2(self.drop(F.leaky_relu(self.bn(self.fc1(x.view(x.shape[0], -1))))))

    return MLP()


class ChannelsLast(nn.Module):
    """Written for images (n, H, W, channels), as in other frameworks."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 6, 3), nn.Linear(6, 8)
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = self.norm(F.silu(self.dense(x)))
        return self.out(x.mean(dim=(1, 2)))


@opens(SMALL, {"port.conv": 6, "port.dense": 8, "port.norm": 8, "port.out": 4})
def channels_last_code():
    class Port(nn.Module):
        def __init__(self):
            super().__init__()
            self.port = ChannelsLast()

        def forward(self, x):
            return self.port(x.permute(0, 2, 3, 1).contiguous())

    return Port()


@opens(SMALL, {"conv": 6, "fc": 4})
def layout_asked_for_in_the_code():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 3, padding=1).to(memory_format=torch.channels_last)
            self.fc = nn.Linear(6 * 16 * 16, 4)

        def forward(self, x):
            x = F.relu(self.conv(x.contiguous(memory_format=torch.channels_last)))
            assert x.is_contiguous(memory_format=torch.channels_last) or x.is_contiguous()
            return self.fc(x.permute(0, 2, 3, 1).reshape(len(x), -1))

    return Net()


@opens(SMALL, {"a": 6, "b": 6, "fc": 4})
def strides_computed_by_hand():
    class Net(nn.Module):
        """Takes windows of what must be contiguous."""

        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 1)
            self.fc = nn.Linear(6 * 4, 4)

        def forward(self, x):
            x = self.b(torch.relu(self.a(x)))
            n, c, h, w = x.shape
            x = x.view(n * c, h * w)
            windows = x.as_strided((n * c, 4, 64), (h * w, 64, 1))
            return self.fc(windows.mean(2).view(n, -1))

    return Net()


@opens(PLAIN, {"net.0": 6, "net.8": 5})
def double_precision():
    return Before(lambda x: x.double(), body().double())


class InHalf(nn.Module):
    """Takes and returns float32, computes in the precision of its weights."""

    def __init__(self, dtype):
        super().__init__()
        self.net = body().to(dtype)

    def forward(self, x):
        return self.net(x.to(self.net[0].weight.dtype)).float()


@opens(PLAIN, {"net.0": 6, "net.4": 12})
def half_precision_weights():
    return InHalf(torch.float16)


@opens(PLAIN, {"net.0": 6, "net.4": 12})
def bfloat16_weights():
    return InHalf(torch.bfloat16)


@opens(PLAIN, {"net.0": 6, "net.8": 5})
def autocast_that_is_off_on_the_processor():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = body()

        def forward(self, x):
            with torch.autocast("cuda", enabled=torch.cuda.is_available()):
                return self.net(x)

    return Net()


@opens(RGB, {"0": 6, "5": 4})
def padded_by_reflection():
    return nn.Sequential(
        *(nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 6, 5)), nn.ReLU()),
        *(nn.Conv2d(6, 6, 3, padding=1, padding_mode="circular"), nn.AdaptiveAvgPool2d((1, 1))),
        *(nn.Flatten(start_dim=1), nn.Linear(6, 4)),
    )


@opens(SMALL, NET)
def checks_of_what_it_is_given():
    def checked(x):
        if x.dim() == 3:
            x = x.unsqueeze(0)
        assert x.dtype == torch.float32 and x.shape[1:] == (3, 16, 16), "expected 3 x 16 x 16"
        if not torch.isfinite(x).all():
            raise ValueError("the images are not finite")
        return x

    return Before(checked)


@opens({**pixels(6, 16), "shown": [0, 1, 2]}, {"net.0": 6, "net.8": 5})
def difference_of_two_frames():
    return Before(lambda x: torch.cat([x[:, :3], x[:, 3:] - x[:, :3]], 1), body(6))


@opens({**pixels(3, 20), "height": 18, "width": 30}, NET)
def oblong_images_that_are_made_square():
    def square(x):
        return F.pad(x, (0, 0, 6, 6), value=0.0).contiguous()

    return Before(square)


@opens(SMALL, {"0": 192, "2": 6, "6": 4})
def patches_by_unshuffling():
    return nn.Sequential(
        *(nn.PixelUnshuffle(8), nn.LeakyReLU(), nn.Conv2d(192, 6, 1), nn.ReLU6()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
    )


@opens(SMALL, {"net.conv1": 6, "net.fc": 5})
def autocast_to_bfloat16():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Body()

        @torch.autocast("cpu", dtype=torch.bfloat16)
        def forward(self, x):
            return self.net(x)

    return Net()


@opens({**SMALL, "mean": [0.0] * 3, "std": [1.0] * 3}, {"conv": 6, "fc": 3})
def bytes_or_not():
    class Guess(nn.Module):
        """Takes pixels from 0 to 1 as well as from 0 to 255."""

        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, 3)

        def forward(self, x):
            if x.max() > 1.5:
                x = x / 255
            return self.fc(torch.relu(self.conv(x - 0.5)).mean((2, 3)))

    return Guess()
