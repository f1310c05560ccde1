"""Small networks that return what networks of other people return, with what plain torch says.

Each function is opened like a person's own code. `truth` takes the module and its input, and gives
what the class neurons are, (n, classes).
"""

from __future__ import annotations

import collections
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization
from torch.nn.utils.rnn import pack_padded_sequence

PIXELS = {"channels": 3, "height": 12, "width": 10, "mean": [0.5] * 3, "std": [0.25] * 3}
CLASSES = 5

Truth = Callable[[nn.Module, Tensor], Tensor]


@dataclass(frozen=True)
class Odd:
    """A kind of network: how it is made, what its class neurons are, and its labelled output."""

    make: Callable[[], nn.Module]
    truth: Truth
    class_layer: str
    labels: int = 0  # of a labels file, if one chooses the output


KINDS: dict[str, Odd] = {}


def odd(class_layer: str, truth: Truth, labels: int = 0) -> Callable[[Any], Any]:
    def note(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        def seeded() -> nn.Module:
            torch.manual_seed(11)
            module = make()
            module.pixels = {**PIXELS, "rest": 0.5}  # type: ignore[assignment]
            return module

        seeded.__name__ = make.__name__
        KINDS[make.__name__] = Odd(seeded, truth, class_layer, labels)
        return seeded

    return note


class Body(nn.Module):
    """Two convolutions, and a head on their means; `give` makes what is returned of both."""

    def __init__(self, give: Callable[[Tensor, Tensor], Any] = lambda logits, h: logits) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.fc = nn.Linear(8, CLASSES)
        self.give = give

    def features(self, x: Tensor) -> Tensor:
        return self.relu(self.conv2(self.relu(self.conv1(x)))).mean((2, 3))

    def forward(self, x: Tensor) -> Any:
        h = self.features(x)
        return self.give(self.fc(h), h)


def logits(module: nn.Module, x: Tensor) -> Tensor:
    return module.fc(module.features(x))


def of_body(give: Callable[[Tensor, Tensor], Any]) -> Callable[[], nn.Module]:
    return lambda: Body(give)


# What forward returns


@dataclass
class Out:
    loss: Tensor | None = None
    scores: Tensor | None = None
    hidden: tuple[Tensor, ...] | None = None


@odd("fc", logits)
def dataclass_with_none():
    return Body(lambda scores, h: Out(None, scores, (h,)))


@odd("fc", logits)
def namespace():
    return Body(lambda scores, h: SimpleNamespace(name="cat", scores=scores, loss=scores.sum()))


class Named(NamedTuple):
    features: Tensor
    logits: Tensor


@odd("fc", logits)
def named_tuple_with_logits():
    return Body(lambda scores, h: Named(F.normalize(h, dim=1), scores))


@odd("fc", logits)
def nested_dictionaries():
    return Body(lambda scores, h: {"ids": torch.arange(3), "out": {"scale": 2, "main": [scores]}})


class ModelOutput(collections.OrderedDict):
    """As in Hugging Face's library: a dictionary with attributes, without what is None."""

    def __init__(self, **entries: Any) -> None:
        super().__init__({k: v for k, v in entries.items() if v is not None})
        self.__dict__.update(entries)


@odd("fc", logits)
def model_output():
    return Body(lambda scores, h: ModelOutput(loss=None, hidden_states=(h, h * 2), logits=scores))


class Slotted:
    __slots__ = ("_scores", "note")

    def __init__(self, scores: Tensor) -> None:
        self._scores, self.note = scores, "made"


@odd("output[_scores]", lambda m, x: logits(m, x).softmax(1))
def object_with_slots():
    return Body(lambda scores, h: Slotted(scores.softmax(1)))


@odd("output[0][logits]", lambda m, x: logits(m, x).log_softmax(1))
def distribution_and_value():
    return Body(lambda scores, h: (torch.distributions.Categorical(logits=scores), h.sum(1)))


@odd("fc", logits)
def nothing():
    return Body(lambda scores, h: None)


@odd("fc", logits)
def a_loss():
    return Body(lambda scores, h: scores.logsumexp(1).mean())


@odd("fc", logits)
def words():
    return Body(lambda scores, h: [f"class {i}" for i in scores.argmax(1).tolist()])


@odd("fc", logits)
def squeezed():
    return Body(lambda scores, h: scores.squeeze())


@odd("output", lambda m, x: logits(m, x).max(1, keepdim=True).values)
def one_number_an_image():
    return Body(lambda scores, h: scores.max(1).values)


class ExitsFirst(Body):
    """Gives (exits, n, classes); a class neuron is the mean over the exits."""

    def forward(self, x: Tensor) -> Tensor:
        scores = self.fc(self.features(x))
        return torch.stack([2 * scores, 4 * scores])


@odd("output", lambda m, x: 3 * logits(m, x))
def exits_before_images():
    return ExitsFirst()


def boxes_of(scores: Tensor, h: Tensor) -> list[dict[str, Tensor]]:
    found = []
    for row in scores:
        kept = row > row.median()
        found.append({"boxes": row[kept, None] * torch.ones(4), "labels": kept.nonzero()[:, 0]})
    return found


@odd("fc", logits)
def detections():
    return Body(boxes_of)


def no_boxes(scores: Tensor, h: Tensor) -> Any:
    kept = scores[0][scores[0] > 99]
    return [{"boxes": (kept[:, None] * torch.ones(4)).exp().cumsum(0), "any": len(kept) > 0}]


@odd("fc", logits)
def detections_of_nothing():
    return Body(no_boxes)


class Patches(Body):
    """Four parts of each image in one batch."""

    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        parts = x.unfold(2, 6, 6).unfold(3, 5, 5).flatten(2, 3).transpose(1, 2).flatten(0, 1)
        return self.fc(self.conv1(parts).relu().mean((2, 3)).repeat(1, 2)[:, :8]).view(n, 4, -1)


@odd("output", lambda m, x: m(x).mean(1))
def parts_in_the_batch():
    return Patches()


@odd("fc", logits)
def packed_and_sparse_and_complex():
    def give(scores: Tensor, h: Tensor) -> Any:
        packed = pack_padded_sequence(h[:, :, None], [8] * len(h), batch_first=True)
        return packed, h.to_sparse(), torch.complex(h, h), scores

    return Body(give)


@odd("fc", logits, labels=CLASSES)
def features_and_logits():
    return Body(lambda scores, h: (F.normalize(h, dim=1), scores))


@odd("output[1]", lambda m, x: logits(m, x).softmax(1), labels=CLASSES)
def features_and_probabilities():
    return Body(lambda scores, h: [h * 2, scores.softmax(1)])


@odd("output", lambda m, x: logits(m, x).relu())
def changed_in_place_at_the_end():
    return Body(lambda scores, h: scores.relu_())


# How modules are called, and what they are


class Again(Body):
    """The last module is called three times."""

    def forward(self, x: Tensor) -> Tensor:
        h = self.features(x)
        for _ in range(2):
            h = h + self.fc(h).mean(1, keepdim=True)
        return self.fc(h)


@odd("fc#3", lambda m, x: m(x))
def last_module_three_times():
    return Again()


class Colon(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        names = ("a:b@mean", "the second#2", "-größe 层")
        self.blocks = nn.ModuleDict({name: nn.Conv2d(3, 3, 3) for name in names})
        self.output = nn.Linear(3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks.values():
            x = F.relu(block(x))
        return self.output(x.mean((2, 3))).softmax(1)


@odd("result", lambda m, x: m(x))
def a_module_called_output():
    return Colon()


class Lines(nn.Module):
    """A recurrent network over the lines of an image, which returns what such modules return."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = nn.GRU(30, 7, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return self.lines(x.permute(0, 2, 1, 3).flatten(2))


@odd("lines", lambda m, x: m(x)[0].mean(1))
def tuple_of_a_recurrent_network():
    return Lines()


class Loop(Body):
    """Each image by itself, as code does that has never seen two."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([super(Loop, self).forward(image[None])[0] for image in x])


@odd("output", lambda m, x: m(x))
def image_by_image():
    return Loop()


class Swallowing(Body):
    """Catches whatever goes wrong in a part."""

    def forward(self, x: Tensor) -> Tensor:
        try:
            return self.fc(self.features(x))
        except Exception:
            return x.new_zeros(len(x), CLASSES)


@odd("fc", lambda m, x: m(x))
def errors_are_caught():
    return Swallowing()


@odd("fc", logits)
def compiled():
    return torch.compile(Body())


@odd("1", lambda m, x: m(x))
def compiled_inside():
    return nn.Sequential(torch.compile(nn.Conv2d(3, 6, 3)), torch.compile(Mean(6)))


class Mean(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))


class CompiledMethod(Body):
    @torch.compile
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


@odd("fc", logits)
def compiled_method():
    return CompiledMethod()


@odd("fc", logits)
def compiled_in_place():
    body = Body()
    body.compile()
    return body


def scripted(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module)


@odd("2", lambda m, x: m(x))
def scripted_parts():
    part = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
    return nn.Sequential(scripted(part), nn.Conv2d(6, 6, 3), Mean(6))


@odd("output", lambda m, x: m(x))
def scripted_whole():
    return scripted(nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), Mean(6)).eval())


@odd("output", lambda m, x: m(x))
def traced_whole():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), Mean(6)).eval()
        return torch.jit.trace(net, torch.rand(2, 3, 12, 10))


@odd("2.fc", lambda m, x: m(x))
def graph_module():
    return symbolic_trace(nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), Mean(6)))


@odd("module", lambda m, x: m(x))
def data_parallel():
    return nn.DataParallel(Body())


@odd("module", lambda m, x: m(x))
def averaged():
    return torch.optim.swa_utils.AveragedModel(Body())


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


@odd("2", lambda m, x: m(x))
def lazy_and_parametrised():
    conv = nn.Conv2d(3, 6, 3)
    register_parametrization(conv, "weight", Doubled())
    return nn.Sequential(conv, nn.Flatten(), nn.LazyLinear(CLASSES))


class Twice(nn.Module):
    """One module under two names, and one that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 3, 3, padding=1)
        self.other, self.unused = self.one, nn.Linear(3, 3)
        self.fc = nn.Linear(3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.other(self.one(x).relu()).mean((2, 3)))


@odd("fc", lambda m, x: m(x))
def shared_and_unused():
    return Twice()


class Back(Body):
    def forward(self, x: Tensor) -> Tensor:
        self.fc(self.features(x))
        return x


@odd("output", lambda m, x: x[:, :, 6, 5])
def the_image_itself():
    return Back()


globals().update({name: kind.make for name, kind in KINDS.items()})
