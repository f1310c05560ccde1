"""Which function or class of a person's file is suggested as the network."""

from __future__ import annotations

import textwrap

import pytest

from ldam_studio.gui.network_dialog.factories import functions_in
from ldam_studio.networks.sources.own_code import own_code_source

FILES = {
    "a network after its parts": (
        "UNet",
        """
        def cbr(cin, cout):
            return nn.Sequential(nn.Conv2d(cin, cout, 3), nn.ReLU())

        class Down(nn.Module):
            def __init__(self, cin=3):
                super().__init__()

        class UNet(nn.Module):
            def __init__(self, classes=5, *, width=8):
                super().__init__()
                self.first = cbr(3, width)
        """,
    ),
    "a function that is called a network": (
        "build_model",
        """
        class Net(nn.Module):
            pass

        def build_model(width=8):
            return Net()

        class Later(nn.Module):
            pass
        """,
    ),
    "the name for one that needs arguments": (
        "Small",
        """
        def model(width):
            return nn.Conv2d(3, width, 3)

        class Small(nn.Module):
            pass

        def get_model(*, width):
            return model(width)
        """,
    ),
    "a loss and data after the network": (
        "Segmenter",
        """
        class Segmenter(nn.Module):
            def forward(self, x):
                return x

        class DiceLoss(nn.Module):
            def forward(self, given, wanted):
                return (given - wanted).sum()

        class Photographs:
            pass
        """,
    ),
    "a base class that needs arguments": (
        "tiny",
        """
        class Base(nn.Module):
            def __init__(self, width):
                super().__init__()

        class Derived(Base):
            pass

        def main():
            tiny()

        def tiny():
            return Derived(4)
        """,
    ),
    "a class by its base in the file": (
        "Derived",
        """
        class Base(nn.Module):
            pass

        class Derived(Base):
            pass

        class Settings:
            pass

        def main():
            print(Derived())
        """,
    ),
    "a record that needs values": (
        "Network",
        """
        @dataclass
        class Model:
            width: int

        class Network(nn.Module):
            pass
        """,
    ),
    "nothing but what needs arguments": ("cbr", "def cbr(cin, cout):\n    return nn.ReLU()\n"),
    "only hidden ones": (None, "def _model():\n    return nn.ReLU()\n"),
    "what cannot be read": (None, "def model(:\n"),
}


@pytest.mark.parametrize(("first", "text"), FILES.values(), ids=FILES)
def test_the_likeliest_network_comes_first(tmp_path, first, text):
    path = tmp_path / "mine.py"
    begin = "from dataclasses import dataclass\nfrom torch import nn\n"
    path.write_text(begin + textwrap.dedent(text))
    assert next(iter(functions_in(path)), None) == first
    if first not in (None, "cbr"):
        assert own_code_source(f"{path}:{first}").build(None) is not None
