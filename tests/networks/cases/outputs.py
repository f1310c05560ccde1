"""What forward passes return besides a batch of logits."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from opens import GREY, RGB, SMALL, opens
from torch import nn


class Trunk(nn.Module):
    """A small network whose subclasses return something of their own."""

    def __init__(self, channels=3, classes=5):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, 6, 3, 2, 1), nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, 3, 2, 1)
        self.fc = nn.Linear(8, classes)

    def maps(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return x, F.relu(self.conv2(x))

    def logits(self, x):
        return self.fc(self.maps(x)[1].mean((2, 3)))


INNER = {"conv1": 6, "bn1": 6, "conv2": 8}


@opens(RGB, {**INNER, "classifier": 3, "aux_classifier": 3})
def segmentation_in_a_dictionary():
    class Segmentation(Trunk):
        def __init__(self):
            super().__init__()
            self.classifier, self.aux_classifier = nn.Conv2d(8, 3, 1), nn.Conv2d(6, 3, 1)

        def forward(self, x):
            early, late = self.maps(x)
            found = OrderedDict()
            for name, head, y in (
                ("out", self.classifier, late),
                ("aux", self.aux_classifier, early),
            ):
                found[name] = F.interpolate(
                    head(y), size=x.shape[-2:], mode="bilinear", align_corners=False
                )
            return found

    return Segmentation()


@opens(RGB, {**INNER, "age": 1, "gender": 2, "emotion": 7})
def several_tasks_in_a_dictionary():
    class Tasks(Trunk):
        def __init__(self):
            super().__init__()
            self.age, self.gender, self.emotion = (nn.Linear(8, n) for n in (1, 2, 7))

        def forward(self, x):
            h = self.maps(x)[1].mean((2, 3))
            return {
                "age": self.age(h).squeeze(-1),
                "gender": {"logits": self.gender(h)},
                "emotion": self.emotion(h),
            }

    return Tasks()


@opens(RGB, {**INNER, "box": 4, "score": 2})
def detections_in_a_list():
    class Detector(Trunk):
        """Keeps the boxes whose score is high enough: another number for each image."""

        def __init__(self):
            super().__init__()
            self.box, self.score = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 2, 1)

        def forward(self, images):
            y = self.maps(images)[1]
            boxes = self.box(y).flatten(2).transpose(1, 2)
            scores = self.score(y).flatten(2).softmax(1).transpose(1, 2)
            found = []
            for b, s in zip(boxes, scores, strict=True):
                best, labels = s.max(-1)
                keep = best > best.mean()
                found.append({"boxes": b[keep], "scores": best[keep], "labels": labels[keep]})
            return found

    return Detector()


@dataclass
class ModelOutput(OrderedDict):
    """As in transformers: fields, keys and numbers lead to the same."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple | None = None

    def __post_init__(self):
        for name in ("loss", "logits", "hidden_states"):
            if getattr(self, name) is not None:
                OrderedDict.__setitem__(self, name, getattr(self, name))

    def to_tuple(self):
        return tuple(self.values())


@opens(RGB, {**INNER, "fc": 5})
def model_output_with_hidden_states():
    class ForImageClassification(Trunk):
        def forward(self, pixel_values=None, labels=None, output_hidden_states=None, **kwargs):
            early, late = self.maps(pixel_values)
            logits = self.fc(late.mean((2, 3)))
            loss = None if labels is None else F.cross_entropy(logits, labels)
            return ModelOutput(loss=loss, logits=logits, hidden_states=(early, late))

    return ForImageClassification()


@dataclass(frozen=True)
class Prediction:
    features: torch.Tensor
    logits: torch.Tensor
    extra: dict


@opens(RGB, {**INNER, "fc": 5})
def frozen_dataclass():
    class Net(Trunk):
        def forward(self, x):
            h = self.maps(x)[1].mean((2, 3))
            return Prediction(h, self.fc(h), {"scale": 1.0, "names": ["a", "b"]})

    return Net()


Pair = namedtuple("Pair", ["logits", "aux_logits"])


@opens(RGB, {**INNER, "fc": 5})
def named_tuple_without_its_auxiliary_part():
    class Net(Trunk):
        def forward(self, x):
            return Pair(self.logits(x), None)

    return Net()


@opens(RGB, {**INNER, "fc": 5})
def namespace_and_private_slots():
    class Slots:
        __slots__ = ("probabilities",)

        def __init__(self, probabilities):
            self.probabilities = probabilities

    class Net(Trunk):
        def forward(self, x):
            logits = self.logits(x)
            return SimpleNamespace(logits=logits, inner=Slots(logits.softmax(1)))

    return Net()


@opens(RGB, {**INNER, "lateral1": 4, "lateral2": 4})
def feature_pyramid_in_a_list():
    class Pyramid(Trunk):
        def __init__(self):
            super().__init__()
            self.lateral1, self.lateral2 = nn.Conv2d(6, 4, 1), nn.Conv2d(8, 4, 1)

        def forward(self, x):
            early, late = self.maps(x)
            top = self.lateral2(late)
            return [self.lateral1(early) + F.interpolate(top, scale_factor=2.0), top]

    return Pyramid()


@opens(RGB, {**INNER, "fc": 5})
def nothing_then_features_then_logits():
    class Net(Trunk):
        def forward(self, x, target=None):
            early, late = self.maps(x)
            return None, [early, late], self.fc(late.mean((2, 3)))

    return Net()


@opens(GREY, {**INNER, "fc": 5})
def squeezed_logits():
    class Net(Trunk):
        def forward(self, x):
            return self.fc(F.adaptive_avg_pool2d(self.maps(x)[1], 1).squeeze()).squeeze()

    return Net(1)


@opens(GREY, {**INNER, "fc": 1})
def one_logit_squeezed_and_squashed():
    class Net(Trunk):
        def forward(self, x):
            return torch.sigmoid(self.logits(x)).squeeze()

    return Net(1, 1)


@opens(GREY, {**INNER, "fc": 1, "output": 1})
def one_probability():
    class Net(Trunk):
        def forward(self, x):
            return torch.sigmoid(self.logits(x))

    return Net(1, 1)


@opens(GREY, {**INNER, "fc": 10, "output": 10})
def softmax_at_the_end():
    class Net(Trunk):
        def forward(self, x):
            return F.softmax(self.logits(x), dim=1)

    return Net(1, 10)


@opens(GREY, {**INNER, "fc": 10, "logsoftmax": 10})
def log_softmax_module_at_the_end():
    class Net(Trunk):
        def __init__(self):
            super().__init__(1, 10)
            self.logsoftmax = nn.LogSoftmax(dim=-1)

        def forward(self, x):
            return self.logsoftmax(self.logits(x))

    return Net()


@opens(RGB, {**INNER, "fc": 5, "output": 5})
def normalised_embeddings():
    class Net(Trunk):
        def forward(self, x):
            return F.normalize(self.logits(x), p=2, dim=-1)

    return Net()


@opens(RGB, {**INNER, "fc": 5, "output": 4})
def similarity_to_texts_with_a_temperature():
    class Clip(Trunk):
        """Cosines with embeddings of texts, times the exponential of a learned scale."""

        def __init__(self):
            super().__init__()
            self.register_buffer("texts", F.normalize(torch.randn(4, 5), dim=-1))
            self.logit_scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x):
            image = self.logits(x)
            image = image / image.norm(dim=-1, keepdim=True)
            return self.logit_scale.exp() * image @ self.texts.t()

    return Clip()


@opens(RGB, {**INNER, "early_exit": 5, "fc": 5})
def early_exits():
    class Exits(Trunk):
        def __init__(self):
            super().__init__()
            self.early_exit = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 5))

        def forward(self, x):
            early, late = self.maps(x)
            return torch.stack([self.early_exit(early), self.fc(late.mean((2, 3)))])

    return Exits()


@opens(SMALL, {"conv1": 6, "fc": 6})
def policy_and_value():
    class ActorCritic(Trunk):
        def __init__(self):
            super().__init__(classes=6)
            self.critic = nn.Linear(8, 1)

        def forward(self, x):
            h = self.maps(x)[1].amax((2, 3))
            return torch.distributions.Categorical(logits=self.fc(h)), self.critic(h)

    return ActorCritic()


@opens(SMALL, {**INNER, "keypoints": 3, "output": 2})
def soft_argmax_of_heat_maps():
    class Keypoints(Trunk):
        def __init__(self):
            super().__init__()
            self.keypoints = nn.Conv2d(8, 3, 1)

        def forward(self, x):
            heat = self.keypoints(self.maps(x)[1])
            n, k, h, w = heat.shape
            p = heat.flatten(2).softmax(-1).view(n, k, h, w)
            ys, xs = torch.arange(h, dtype=p.dtype), torch.arange(w, dtype=p.dtype)
            return torch.stack([(p.sum(3) * ys).sum(2), (p.sum(2) * xs).sum(2)], dim=-1)

    return Keypoints()
