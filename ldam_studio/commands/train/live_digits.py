"""The digits that ``ldam-studio train live`` learns from and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.errors import StudioError
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.data import Digits, find_mnist, load_digits_sheet, load_mnist

TESTED = 1000  # test digits on which each checkpoint's accuracy is measured
HELD_OUT = 50  # shipped digits of each class that are tested instead of learned
SHEET_EPOCHS = 40


@dataclass(frozen=True)
class LiveDigits:
    """The digits of a live training.

    Attributes
    ----------
    train, test
        Digits to learn from, and those on which checkpoints are tested.
    epochs
        How often it goes through the former.
    notice
        A sentence about the data; empty if it is MNIST as usual.
    """

    train: Digits
    test: Digits
    epochs: int
    notice: str = ""

    @classmethod
    def find(cls, data: Path | None, download: bool) -> LiveDigits:
        """Return MNIST, or the shipped digits if it is nowhere and was not asked for.

        Raises
        ------
        StudioError
            MNIST is not in the folder that was named, cannot be downloaded, or is damaged.
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
        """Return the digits that come with the program, some of each class kept for testing."""
        sheet = load_digits_sheet()
        number = torch.arange(len(sheet)) % (len(sheet) // int(sheet.labels.max() + 1))
        learned = number >= HELD_OUT
        train, test = (Digits(sheet.images[m], sheet.labels[m]) for m in (learned, ~learned))
        return cls(
            train,
            test,
            SHEET_EPOCHS,
            f"MNIST is not on this computer, so it learns from {len(train):,} digits that come "
            "with the program; ldam-studio train mnist --download fetches all of it (11 MB).",
        )
