"""The first version of ResNet-50, whose stages stride in their first convolution: a judge."""

from torch import nn
from torchvision.models import resnet50

from ldam_studio.networks.pixels import IMAGENET_MEAN, IMAGENET_STD, PixelSpec


def resnet50_v1() -> nn.Module:
    """Return the network without weights."""
    network = resnet50()
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    network.pixels = PixelSpec(3, 224, 224, IMAGENET_MEAN, IMAGENET_STD, rest=0.5)
    return network
