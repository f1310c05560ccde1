"""``ldam-studio train digits-sheet``: makes the sample of real digits that is shipped."""

from __future__ import annotations

import argparse
import hashlib
import io

from ldam_studio.commands.shared.flags import add_data, add_out
from ldam_studio.commands.train.flags import MNIST
from ldam_studio.files import write_bytes
from ldam_studio.training.data import load_mnist, make_digits_sheet

STORY = """# digits.png

5,000 training digits of MNIST, the first 500 of each class in the order of the training set, as a
grid of 50 rows and 100 columns of 28x28 grey pixels; class c fills the rows 5c to 5c + 4. The
discriminator learns from them where no other data is at hand.

| | |
|---|---|
| Source | MNIST, `train-images-idx3-ubyte.gz`, by Yann LeCun and Corinna Cortes |
| Licence | Creative Commons Attribution-ShareAlike 3.0 (CC BY-SA 3.0) |
| Changes | chosen and laid out as said above; no pixel is changed |
| Command | `ldam-studio train digits-sheet --out resources` |
| SHA-256 | `{sha256}` |
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_data(parser, MNIST, "MNIST")
    add_out(parser, "out", "output folder")


def run(args: argparse.Namespace) -> int:
    """Write ``digits.png`` and ``digits.md``; return the exit code.

    Raises
    ------
    StudioError
        If the data is missing or damaged, or the folder cannot be written.
    """
    content = io.BytesIO()
    sheet = make_digits_sheet(load_mnist(args.data, "train", args.download))
    sheet.save(content, "PNG", optimize=True)
    write_bytes(args.out / "digits.png", content.getvalue())
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    write_bytes(args.out / "digits.md", STORY.format(sha256=sha256).encode())
    print(args.out / "digits.png")
    return 0
