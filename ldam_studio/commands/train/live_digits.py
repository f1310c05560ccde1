"""The digits for the training and the tests of ``ldam-studio train live``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.errors import StudioError
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.data import Digits, find_mnist, load_digits_sheet, load_mnist

TESTED = 1000  # number of test digits for each checkpoint's accuracy
HELD_OUT = 50  # number of shipped digits of each class that are used for tests
SHEET_EPOCHS = 40


@dataclass(frozen=True)
class LiveDigits:
    """The digits of a live training.

    Attributes
    ----------
    train, test
        Digits for training, and digits for testing checkpoints.
    epochs
        Number of passes through the training digits.
    notice
        A sentence about the data; empty for MNIST.
    """

    train: Digits
    test: Digits
    epochs: int
    notice: str = ""

    @classmethod
    def find(cls, data: Path | None, download: bool) -> LiveDigits:
        """Return MNIST, or the shipped digits if MNIST is not found and was not requested.

        Raises
        ------
        StudioError
            If MNIST is missing in the given folder, cannot be downloaded, or is damaged.
        """
        try:
            find_mnist(data)
        except StudioError:
            if data is None and not download:
                return cls.shipped()
        test = load_mnist(data, "test", download)
        part = Digits(test.images[:TESTED], test.labels[:TESTED])
        return cls(load_mnist(data, "train", download), part, recipes.LENET_RECIPE.epochs)

    @classmethod
    def shipped(cls) -> LiveDigits:
        """Return the digits that ship with the program; some of each class are kept for testing."""
        sheet = load_digits_sheet()
        number = torch.arange(len(sheet)) % (len(sheet) // int(sheet.labels.max() + 1))
        learned = number >= HELD_OUT
        train, test = (Digits(sheet.images[m], sheet.labels[m]) for m in (learned, ~learned))
        return cls(
            train,
            test,
            SHEET_EPOCHS,
            f"MNIST is not on this computer, so {len(train):,} digits that ship with the program "
            "are used; ldam-studio train mnist --download downloads all of MNIST (11 MB).",
        )
