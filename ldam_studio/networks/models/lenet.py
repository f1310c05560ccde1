"""LeNet-5, the network of the paper's first experiments.

Two convolutions with 5x5 kernels and three fully connected layers (LeCun et al. 1998, in the form
of Jiang et al., arXiv 1812.04604, section 4). As in 1998, the 28x28 digits lie in a field of 32x32
pixels; the border of two pixels is the first convolution's zero padding.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

MEAN = 0.1307
"""Mean of the pixels of MNIST's training images; the network's input is ``(x - MEAN) / STD``."""

STD = 0.3081
"""Standard deviation of the pixels of MNIST's training images."""

LABELS = tuple("0123456789")
"""Names of the ten class neurons, in the order of the last layer."""


class LeNet5(nn.Sequential):
    """LeNet-5 with max pooling and rectified linear units; 61,706 parameters.

    Takes images ``(n, 1, 28, 28)`` normalised with ``MEAN`` and ``STD``, and returns logits
    ``(n, 10)``. The layers have names, so that a neuron's address is, for example, ``fc3:4``.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv2d(1, 6, 5, padding=2),
            pool1=nn.MaxPool2d(2),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(6, 16, 5),
            pool2=nn.MaxPool2d(2),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(16 * 5 * 5, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            fc3=nn.Linear(84, classes),
        )
        super().__init__(layers)


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """Turn pixels (0 = black, 1 = white, any shape) into LeNet's input."""
    return (pixels - MEAN) / STD
