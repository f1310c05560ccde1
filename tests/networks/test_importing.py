"""A person's file is imported as in a program of its own, and the program stays as it was."""

from __future__ import annotations

import builtins
import importlib
import logging
import os
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.copying import copied
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources import own_errors
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.surroundings import surroundings

PIXELS = "dict(channels=1, height=8, width=8, mean=[0.5], std=[0.5], rest=0.5)"
BLOCKS = "from torch import nn\n\ndef conv(width):\n    return nn.Conv2d(1, width, 3)\n"
HEAD = "import torch\nfrom torch import nn\n"
MODEL = f"""
def model():
    torch.manual_seed(7)
    net = nn.Sequential(conv(3), nn.Flatten(), nn.Linear(108, 4))
    net.pixels = {PIXELS}
    return net
"""
PLAIN = f"{HEAD}from torch.nn import Conv2d\n\ndef conv(width):\n    return Conv2d(1, width, 3)\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def as_by_itself(folder: Path, module: str) -> torch.nn.Module:
    """Make the network as a program in the folder would: with plain Python and torch."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        with torch.random.fork_rng(devices=[]):
            return importlib.import_module(module).model().eval()
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            if str(folder) in str(getattr(sys.modules[name], "__path__", sys.modules[name])):
                del sys.modules[name]


# Packages and siblings

RELATIVE = f"{HEAD}from .blocks import conv\n{MODEL}"
LAYOUTS = {
    "siblings": ({"net.py": f"{HEAD}from blocks import conv\n{MODEL}", "blocks.py": BLOCKS}, ""),
    "a package": (
        {"mypkg/__init__.py": "", "mypkg/net.py": RELATIVE, "mypkg/blocks.py": BLOCKS},
        "mypkg.net",
    ),
    "a nested package": (
        {
            "top/__init__.py": "",
            "top/parts/__init__.py": "",
            "top/parts/blocks.py": BLOCKS,
            "top/nets/__init__.py": "from . import net",
            "top/nets/net.py": f"{HEAD}from ..parts.blocks import conv\n{MODEL}",
        },
        "top.nets.net",
    ),
    "a package without __init__.py": (
        {"pkg/net.py": RELATIVE, "pkg/blocks.py": BLOCKS},
        "pkg.net",
    ),
    "two packages without __init__.py": (
        {
            "my-project/nets/net.py": f"{HEAD}from ..parts.blocks import conv\n{MODEL}",
            "my-project/parts/blocks.py": "from .inner import conv",
            "my-project/parts/inner.py": BLOCKS,
        },
        "",
    ),
    "its own full name": (
        {
            "mypkg/__init__.py": "",
            "mypkg/net.py": f"{HEAD}from mypkg.blocks import conv\n{MODEL}",
            "mypkg/blocks.py": BLOCKS,
        },
        "mypkg.net",
    ),
    "its full name, without __init__.py": (
        {
            "src/models/net.py": f"{HEAD}from src.common.blocks import conv\n{MODEL}",
            "src/common/blocks.py": BLOCKS,
        },
        "src.models.net",
    ),
    "a package that needs what is not installed": (
        {
            "mypkg/__init__.py": "import a_library_that_nobody_has",
            "mypkg/net.py": f"{HEAD}from blocks import conv\n{MODEL}",
            "mypkg/blocks.py": BLOCKS,
        },
        "",
    ),
    "a sibling as a script would import it, inside a package": (
        {
            "mypkg/__init__.py": "",
            "mypkg/net.py": f"{HEAD}from blocks import conv\n{MODEL}",
            "mypkg/blocks.py": BLOCKS,
        },
        "",
    ),
    "a folder with the name of a module of Python's": (
        {"code/net.py": RELATIVE, "code/blocks.py": BLOCKS},
        "",
    ),
    "a folder that the file adds": (
        {
            "scripts/net.py": f"{HEAD}import sys\nsys.path.append('LIB')\n"
            f"from blocks import conv\n{MODEL}",
            "lib/blocks.py": BLOCKS,
        },
        "",
    ),
    "a file that is named as none may be": (
        {"my-net.v2.py": f"{HEAD}from blocks import conv\n{MODEL}", "blocks.py": BLOCKS},
        "",
    ),
    "an import in the function": (
        {
            "net.py": f"{HEAD}{MODEL}".replace(
                "    torch.m", "    from blocks import conv\n    torch.m"
            ),
            "blocks.py": BLOCKS,
        },
        "net",
    ),
    "a circle": (
        {
            "net.py": f"{HEAD}WIDTH = 3\nfrom blocks import conv\n{MODEL}",
            "blocks.py": f"from net import WIDTH\n{BLOCKS}",
        },
        "net",
    ),
    "the package's own file": (
        {"mypkg/__init__.py": RELATIVE, "mypkg/blocks.py": BLOCKS},
        "mypkg",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_imports_are_those_of_a_program_in_that_folder(tmp_path, layout):
    files, module = LAYOUTS[layout]
    write(tmp_path, {n: t.replace("LIB", f"{tmp_path}/lib") for n, t in files.items()})
    path = next(tmp_path / name for name in files if "def model" in files[name])
    before = set(sys.modules), sys.path[:]
    network = open_network(f"{path}:model")
    write(tmp_path / "plain", {"net.py": f"{PLAIN}{MODEL}"})
    plain = as_by_itself(tmp_path / "plain", "net")
    if module:
        plain = as_by_itself(tmp_path, module)
    x = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(network.output(x, "2"), plain((x - 0.5) / 0.5))
    with pytest.raises(StudioError, match="No module named 'blocks'"):
        write(tmp_path / "alone", {"other.py": f"import blocks\n{PLAIN}{MODEL}"})
        open_network(f"{tmp_path}/alone/other.py:model")
    assert sys.path == before[1]
    assert not list(tmp_path.rglob("__pycache__")) or module  # Python's own copies


def test_files_of_the_same_name_do_not_mix_even_if_they_import_late(tmp_path):
    late = f"""{HEAD}
class Late(nn.Module):
    pixels = {PIXELS}
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(1, 2, 3)
    def forward(self, x):
        from blocks import FACTOR
        import inner.deep
        return self.c(x).mean((2, 3)) * FACTOR * inner.deep.ONE

def model():
    torch.manual_seed(3)
    return Late()
"""
    for name, factor in (("one", 1.0), ("two", -5.0)):
        files = {"net.py": late, "blocks.py": f"FACTOR = {factor}", "inner/deep.py": "ONE = 1"}
        write(tmp_path / name, files)
    one = open_network(f"{tmp_path}/one/net.py:model")
    two = open_network(f"{tmp_path}/two/net.py:model")
    x = torch.rand(2, 1, 8, 8)
    for network, factor in ((one, 1.0), (two, -5.0), (one, 1.0)):
        plain = network.module.c((x - 0.5) / 0.5).mean((2, 3)) * factor
        torch.testing.assert_close(network.output(x, "output"), plain)


def test_a_late_import_finds_what_was_not_imported_before(tmp_path):
    write(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/later.py": "FACTOR = 2.0",
            "pkg/net.py": f"""{HEAD}
class Late(nn.Module):
    pixels = {PIXELS}
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(1, 2, 3)
        self.late = False
    def forward(self, x):
        if self.late:
            from .later import FACTOR
            x = x * FACTOR
        return self.c(x).mean((2, 3))
model = Late
""",
        },
    )
    network = open_network(f"{tmp_path}/pkg/net.py:model")
    network.module.late = True
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(network.module(x), network.module.c(2 * x).mean((2, 3)))


def test_what_looks_a_module_up_by_its_name_finds_it_while_the_network_runs(tmp_path):
    text = f"""from __future__ import annotations
import dataclasses, enum, typing
{HEAD}
class Kind(enum.Enum):
    SUM = 1

@dataclasses.dataclass
class Config:
    kind: Kind = Kind.SUM

class Net(nn.Module):
    pixels = {PIXELS}
    def __init__(self):
        super().__init__()
        self.c, self.config = nn.Conv2d(1, 2, 3), Config()
    def forward(self, x):
        assert typing.get_type_hints(Config)["kind"] is type(self.config.kind)
        return self.c(x).mean((2, 3))
"""
    for name in ("one", "two"):
        write(tmp_path / name, {"net_of_a_person.py": text})
    network = open_network(f"{tmp_path}/one/net_of_a_person.py:Net")
    x = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(copied(network.module)(x), network.module(x))
    again = open_network(f"{tmp_path}/two/net_of_a_person.py:Net")
    assert again.output(x, "c").shape == (2, 2, 6, 6)


def test_an_edited_file_and_its_edited_siblings_are_read_again(tmp_path):
    write(tmp_path, {"net.py": f"{HEAD}from blocks import conv\n{MODEL}", "blocks.py": BLOCKS})
    assert open_network(f"{tmp_path}/net.py:model").layer("0").neurons == 3
    date = (tmp_path / "blocks.py").stat()
    # The same size and date, as after two quick edits.
    write(tmp_path, {"blocks.py": BLOCKS.replace("width, 3", "width, 1")})
    os.utime(tmp_path / "blocks.py", ns=(date.st_atime_ns, date.st_mtime_ns))
    with pytest.raises(StudioError, match="cannot be multiplied"):
        open_network(f"{tmp_path}/net.py:model")
    write(tmp_path, {"net.py": f"{HEAD}from newer import conv\n{MODEL}", "newer.py": BLOCKS})
    assert open_network(f"{tmp_path}/net.py:model").layer("0").shape == (3, 6, 6)


def test_a_person_s_module_replaces_an_installed_one_for_their_code_only(tmp_path):
    import rich

    write(
        tmp_path,
        {
            "net.py": f"{HEAD}from rich import conv\nfrom rich.deep import ONE\n{MODEL}",
            "rich/__init__.py": BLOCKS,
            "rich/deep.py": "ONE = 1",
        },
    )
    assert open_network(f"{tmp_path}/net.py:model").layers[-1].neurons == 4
    assert sys.modules["rich"] is rich
    assert "rich.deep" not in sys.modules


# What code changes for the whole program

CHANGES = {
    "argv": "import sys; sys.argv.append('--more')",
    "path": "import sys; sys.path.insert(0, '/nowhere')",
    "folder": "import os, tempfile; os.chdir(tempfile.gettempdir())",
    "environment": "import os; os.environ['CUDA_VISIBLE_DEVICES'] = '5'; os.environ.pop('HOME')",
    "output": "import sys, io; sys.stdout = io.StringIO()",
    "errors": "import sys, io; sys.stderr = io.StringIO()",
    "hook": "import sys; sys.excepthook = print",
    "recursion": "import sys; sys.setrecursionlimit(5000)",
    "logging": "import logging; logging.basicConfig(level=10, force=True); logging.disable(50)",
    "other loggers": "import logging, logging.config\n"
    "logging.config.dictConfig(dict(version=1, disable_existing_loggers=True))",
    "warnings": "import warnings; warnings.simplefilter('ignore'); warnings.showwarning = print",
    "processes": "import multiprocessing as m; m.set_start_method('spawn')",
    "signals": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "precision": "torch.set_default_dtype(torch.float64)",
    "device": "torch.set_default_device('meta'); torch.set_default_device('cpu')",
    "threads": "torch.set_num_threads(3)",
    "gradients": "torch.set_grad_enabled(False)",
    "kernels": "torch.backends.cudnn.benchmark = True; torch.autograd.set_detect_anomaly(True)\n"
    "torch.set_float32_matmul_precision('medium'); torch.use_deterministic_algorithms(True)",
    "torch": "torch.manual_seed(1); torch.rand(3)",
    "random": "import random; random.seed(1)",
    "numpy": "import numpy; numpy.random.seed(1)",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("where", ["in the file", "in the function"])
def test_the_program_is_as_it_was_whatever_code_does(tmp_path, change, where):
    logging.getLogger("one of the program's").disabled = False
    lines = CHANGES[change]
    own = f"{HEAD}\nfrom torch.nn import Conv2d\ndef conv(width):\n    return Conv2d(1, width, 3)\n"
    if where == "in the file":
        text = f"{own}{lines}\n{MODEL}"
    else:
        inside = "".join(f"    {line}\n" for line in lines.splitlines())
        text = f"{own}{MODEL}".replace("def model():\n", f"def model():\n{inside}")
    write(tmp_path, {"net.py": text})
    before = surroundings()
    draws = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    network = open_network(f"{tmp_path}/net.py:model")
    assert network.layers[-1].neurons == 4
    after = surroundings()
    known = before["logging"][3]
    after["logging"] = (*after["logging"][:3], {n: after["logging"][3][n] for n in known})
    for name in after.keys() - {"torch", "random", "numpy"}:
        assert after[name] == before[name], name
    assert not torch.overrides._get_current_function_mode_stack()  # each would slow all operations
    assert torch.equal(torch.get_rng_state(), draws[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == draws[1:]


def test_what_code_sets_for_itself_holds_in_its_function(tmp_path):
    text = f"""{HEAD}
import os, sys
torch.set_default_dtype(torch.float64)
torch.manual_seed(5)
os.chdir({str(tmp_path)!r})
sys.path.append('lib')

def model():
    from blocks import conv
    assert os.path.isfile('width.txt') and torch.rand(1).dtype == torch.float64
    net = nn.Sequential(conv(3), nn.Flatten(), nn.Linear(108, 4))
    net.pixels = {PIXELS}
    return net
"""
    write(tmp_path, {"net.py": text, "width.txt": "3", "lib/blocks.py": BLOCKS})
    network = open_network(f"{tmp_path}/net.py:model")
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            torch.rand(1)
            first = torch.nn.Conv2d(1, 3, 3)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(network.module[0].weight, first.weight.detach().float())


PROFILES = {
    "guarded": "try:\n    profile\nexcept NameError:\n    profile = lambda function: function\n",
    "set": "import builtins\nbuiltins.profile = lambda function: function\n",
    "set if it is missing": """
import builtins as b
if not hasattr(b, "profile"):
    b.profile = lambda function: function
""",
    "set elsewhere": "from tools import started\n",
}
PROFILED = f"""
@profile
def made():
    return Net()

class Net(nn.Module):
    pixels = {PIXELS}
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 4)
    @profile
    def forward(self, x):
        return profile(self.head)(x.flatten(1))
"""


@pytest.mark.parametrize("kind", PROFILES)
def test_code_may_set_names_of_its_own_for_all_of_its_files(tmp_path, kind):
    tools = f"{PROFILES['set']}started = True\n"
    write(tmp_path, {"net.py": f"{HEAD}{PROFILES[kind]}{PROFILED}", "tools.py": tools})
    network = open_network(f"{tmp_path}/net.py:made")
    assert network.activation(torch.rand(2, 1, 8, 8), network.units([Neuron("head", 1)])).ndim == 1
    assert not hasattr(builtins, "profile")


def test_code_finds_what_a_library_puts_into_builtins_for_it(tmp_path, monkeypatch):
    monkeypatch.setitem(vars(builtins), "_", None)
    monkeypatch.delitem(vars(builtins), "_")  # at the end it is as before
    start = (
        "import gettext\ngettext.install('app')\nfrom words import word\nfrom blocks import conv\n"
    )
    model = MODEL.replace("return net", "net.word = word()\n    return net")
    write(tmp_path, {"words.py": "def word():\n    return _('bird')\n"})
    write(tmp_path, {"net.py": f"{HEAD}{start}{model}", "blocks.py": BLOCKS})
    assert open_network(f"{tmp_path}/net.py:model").module.word == "bird"


def test_weights_that_stay_random_are_the_same_each_time(tmp_path):
    text = f"{HEAD}from blocks import conv\n{MODEL}".replace("    torch.manual_seed(7)\n", "")
    write(tmp_path, {"net.py": text, "blocks.py": BLOCKS})
    torch.rand(5)
    one = open_network(f"{tmp_path}/net.py:model")
    torch.rand(7)
    assert one.sha256 == open_network(f"{tmp_path}/net.py:model").sha256
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert torch.equal(one.module[0].weight, torch.nn.Conv2d(1, 3, 3).weight)


def test_prints_and_warnings_of_code_do_not_become_output(tmp_path, capsys):
    text = f"print('loading')\nimport warnings\nwarnings.warn('old')\n{PLAIN}{MODEL}"
    write(tmp_path, {"net.py": text})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        open_network(f"{tmp_path}/net.py:model")
    said = capsys.readouterr()
    assert said.out == "" and "loading" in said.err


# What cannot be imported, in one sentence

ENDINGS = {
    "sys.exit(3)": r"net.py cannot be imported \(SystemExit: 3\); see line 2 of net.py",
    "exit()": r"cannot be imported \(SystemExit: None\); see line 2 of net.py",
    "input('name? ')": r"cannot be imported \(EOFError.*; see line 2 of net.py",
    "1 / 0": r"cannot be imported \(ZeroDivisionError: division by zero\); see line 2 of net.py",
    "def model(:": r"cannot be imported \(SyntaxError: invalid syntax.*; see line 2 of net.py",
    "import a_library_that_nobody_has": r"No module named 'a_library.*; see line 2 of net.py",
    "import blocks": r"\(ZeroDivisionError.*; see line 1 of blocks.py",
    "open('data/train.csv')": r"FileNotFoundError.*train.csv.*; see line 2 of net.py",
    "from ............ import nothing": "attempted relative import beyond top-level package",
    "raise KeyError": r"\(KeyError\); see line 2 of net.py",
}


@pytest.mark.parametrize("line", ENDINGS)
def test_code_that_cannot_be_imported_is_told_with_its_line(tmp_path, line):
    write(tmp_path, {"net.py": f"import sys\n{line}\n{PLAIN}{MODEL}", "blocks.py": "1 / 0"})
    before = sys.argv[:], sys.path[:], sys.stdin
    with pytest.raises(StudioError, match=ENDINGS[line]):
        open_network(f"{tmp_path}/net.py:model")
    assert (sys.argv[:], sys.path[:], sys.stdin) == before


def test_what_a_command_line_lacks_is_said(tmp_path):
    text = (
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--data', required=True)\nargs = parser.parse_args()\n"
    )
    write(tmp_path, {"net.py": f"{text}{PLAIN}{MODEL}"})
    with pytest.raises(
        StudioError, match=r"reads a command line, and there is none \(the foll.*--da"
    ):
        open_network(f"{tmp_path}/net.py:model")


TRAINING = f"""{PLAIN}{MODEL}
net = model()
steps = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(STEPS):
    net(torch.rand(2, 1, 8, 8)).sum().backward()
    steps.step()
def trained():
    return net
"""


def test_a_file_that_trains_is_stopped_after_a_while(tmp_path, monkeypatch):
    write(tmp_path, {"net.py": TRAINING.replace("STEPS", "3")})
    trained = open_network(f"{tmp_path}/net.py:trained")
    assert not torch.equal(
        trained.module[0].weight, open_network(f"{tmp_path}/net.py:model").module[0].weight
    )
    monkeypatch.setattr(own_errors, "LONGEST_TRAINING_S", 0.0)
    with pytest.raises(StudioError, match=r"trains a network while .* line \d+ of net.py, .*--wei"):
        open_network(f"{tmp_path}/net.py:trained")


# What a function may be, and what it may return

GIVEN = {
    "net": "net = made()",
    "Net": f"class Net(nn.Sequential):\n    pixels = {PIXELS}\n"
    "    def __init__(self, width=4):\n        super().__init__(*made())",
    "pair": "def pair():\n    return made(), lambda image: image",
    "triple": "def triple():\n    return 'resnet', made(), None",
    "named": "def named():\n    return dict(cfg=1, model=made())",
    "described": "def described():\n    net = made()\n    del net.pixels\n"
    f"    return [net, {PIXELS}]",
    "Makers.small": "class Makers:\n    small = staticmethod(made)",
    "partial": "import functools\ndef some(width): return made()\n"
    "partial = functools.partial(some, width=3)",
    "Callable": "class Maker:\n    def __call__(self): return made()\nCallable = Maker()",
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_may_be_named(tmp_path, name):
    text = f"{PLAIN}{MODEL.replace('def model', 'def made')}\n{GIVEN[name]}\n"
    write(tmp_path, {"net.py": text})
    network = open_network(f"{tmp_path}/net.py:{name}")
    plain = open_network(f"{tmp_path}/net.py:made")
    assert torch.equal(network.module[2].weight, plain.module[2].weight)
    assert network.pixels == plain.pixels


TRANSFORMS = {
    "composed": """
class Compose:
    def __init__(self, transforms): self.transforms = transforms
class Resize:
    size = 256
class CenterCrop:
    size = (8, 8)
class Normalize:
    mean, std = torch.tensor([0.25]), (0.5,)
def model():
    return made(), Compose([Resize(), Compose([CenterCrop()]), Normalize()])
""",
    "a preset": """
class ImageClassification:
    crop_size, resize_size, mean, std = [8], [256], [0.25], [0.5]
def model():
    return made(), ImageClassification()
""",
}


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_transforms_that_are_returned_describe_the_input(tmp_path, kind):
    made = """
def made():
    return nn.Sequential(conv(3), nn.Flatten(), nn.Linear(108, 4))
"""
    write(tmp_path, {"net.py": f"{PLAIN}{made}{TRANSFORMS[kind]}"})
    pixels = open_network(f"{tmp_path}/net.py:model").pixels
    assert (pixels.shape, pixels.mean, pixels.std) == ((1, 8, 8), (0.25,), (0.5,))


def test_what_a_file_offers_is_listed(tmp_path):
    write(tmp_path, {"net.py": f"{PLAIN}{MODEL}"})
    with pytest.raises(StudioError, match=r"has no function 'network'; it has conv, model\."):
        open_network(f"{tmp_path}/net.py:network")
    write(tmp_path, {"net.py": "def build(classes, *, width, depth=2):\n    pass"})
    with pytest.raises(
        StudioError,
        match=r"needs the arguments classes and width, .* return build\(classes=..., width=...\)",
    ):
        open_network(f"{tmp_path}/net.py:build")
