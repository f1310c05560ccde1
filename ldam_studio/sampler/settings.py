"""One description of each setting, from which sliders, flags, recipes and tables are made.

`SETTINGS` describes (name, default, range, scale, unit, help); `Settings` holds the values that
the sampler reads. A change is validated in one place, `Settings.change`, whoever asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ldam_studio.errors import StudioError

Scale = Literal["linear", "log", "count", "choice", "flag"]
PerChain = float | tuple[float, ...]

PER_CHAIN = ("temperature", "step_size", "l2", "discriminator_weight", "smoothness")
"""Settings of which each chain may have its own value."""


@dataclass(frozen=True)
class Setting:
    """What a person may turn, in the words that the window and the command line show.

    `minimum` and `maximum` bound what is accepted; `slider_minimum` and `slider_maximum` what a
    slider offers. On a log slider with `zero`, the left end means exactly 0. `auto` settings
    accept the word "auto" beside numbers.
    """

    name: str
    label: str
    default: Any
    help: str
    scale: Scale = "linear"
    minimum: float = 0.0
    maximum: float = 1.0
    slider_minimum: float = 0.0
    slider_maximum: float = 1.0
    zero: bool = False
    unit: str = ""
    group: Literal["main", "average", "more"] = "main"
    choices: tuple[str, ...] = ()
    auto: bool = False

    def check(self, value: Any) -> Any:
        """Return `value` in this setting's type, or raise `StudioError` in one sentence."""
        if self.auto and value == "auto":
            return "auto"
        if self.scale == "flag":
            return self._flag(value)
        if self.scale == "choice":
            if value not in self.choices:
                raise StudioError(
                    f"{self.label} is one of {', '.join(self.choices)}, not {str(value)!r}."
                )
            return value
        return self._number(value)

    def parse(self, text: str) -> Any:
        """Read a value as a person types it ("0.1", "on", "auto", "exact")."""
        text = text.strip()
        return self.check(text.lower() if self.scale in ("flag", "choice") or self.auto else text)

    def _flag(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        words = {"on": True, "true": True, "yes": True, "1": True}
        words |= {"off": False, "false": False, "no": False, "0": False}
        if str(value) not in words:
            raise StudioError(f"{self.label} is on or off, not {str(value)!r}.")
        return words[str(value)]

    def _number(self, value: Any) -> float | int:
        whole = self.scale == "count"
        kind = "a whole number" if whole else "a number"
        or_auto = ' or "auto"' if self.auto else ""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or (whole and number % 1):
            raise StudioError(f"{self.label} must be {kind}{or_auto}, not {str(value)!r}.")
        if not self.minimum <= number <= self.maximum:
            raise StudioError(
                f"{self.label} must lie between {_plain(self.minimum)} and {_plain(self.maximum)}"
                f"{or_auto}, not {_plain(number)}."
            )
        return int(number) if whole else number


def _plain(number: float) -> str:
    """Return a number without powers of ten, where it is not too long for that."""
    return f"{number:,.10g}"


def _table(*settings: Setting) -> dict[str, Setting]:
    return {setting.name: setting for setting in settings}


SETTINGS: dict[str, Setting] = _table(
    Setting(
        "temperature",
        "Temperature",
        0.01,
        "How much noise each step adds. Raise it and the picture melts; lower it and it settles "
        "into one of the images that the neuron likes. 0 is plain gradient ascent.",
        scale="log",
        maximum=1000.0,
        slider_minimum=1e-4,
        slider_maximum=10.0,
        zero=True,
    ),
    Setting(
        "step_size",
        "Step size",
        0.1,
        "How far one step goes. Large steps move fast and blur the law that is sampled; very "
        "large ones blow up.",
        scale="log",
        minimum=1e-6,
        maximum=10.0,
        slider_minimum=1e-3,
        slider_maximum=1.0,
    ),
    Setting(
        "l2",
        "L2 weight",
        0.5,
        "How strongly every pixel is pulled back to the rest colour. It keeps pixels that the "
        "neuron does not care about quiet.",
        scale="log",
        maximum=1000.0,
        slider_minimum=1e-3,
        slider_maximum=10.0,
        zero=True,
    ),
    Setting(
        "discriminator_weight",
        "Discriminator weight",
        0.0,
        "How much a second network's idea of a real image counts against the neuron's wish: "
        "0 listens to the neuron alone, 1 to the discriminator alone.",
    ),
    Setting(
        "smoothness",
        "Smoothness",
        0.0,
        "How strongly neighbouring pixels are pulled together (total variation). It takes away the "
        "fine noise that networks for photographs respond to.",
        scale="log",
        maximum=1000.0,
        slider_minimum=1e-3,
        slider_maximum=10.0,
        zero=True,
        group="more",
    ),
    Setting(
        "spectrum",
        "Broad features first",
        0.0,
        "How much further a step carries broad features than fine ones: 0 treats all alike, 1 as "
        "they are in photographs. It changes the way, not the law that an exact chain samples.",
        maximum=2.0,
        slider_maximum=1.0,
        group="more",
    ),
    Setting(
        "colour_correlation",
        "Brightness before hue",
        0.0,
        "How much further a step carries brightness than hue: 0 treats the channels alike; in "
        "photographs they go together. It changes the way, not the law of an exact chain.",
        maximum=0.99,
        slider_maximum=0.99,
        group="more",
    ),
    Setting(
        "jitter",
        "Jitter",
        0,
        "The network sees the image moved by up to so many pixels, anew in each step. What it "
        "likes must then be liked wherever it stands.",
        scale="count",
        maximum=1024,
        slider_maximum=32,
        unit="pixels",
        group="more",
    ),
    Setting(
        "window",
        "Averaging window",
        0,
        "How many samples the running average remembers. 0 averages everything since burn-in.",
        scale="count",
        maximum=1_000_000,
        slider_maximum=1000,
        unit="samples",
        group="average",
    ),
    Setting(
        "thin",
        "Thinning",
        1,
        "One sample enters the average every so many steps. Successive steps look alike, so "
        "skipping some loses little.",
        scale="count",
        minimum=1,
        maximum=10_000,
        slider_minimum=1,
        slider_maximum=50,
        unit="steps",
        group="average",
    ),
    Setting(
        "burn_in",
        "Burn-in",
        "auto",
        "Steps before samples are averaged, so that the start does not count. auto waits until "
        "the neuron is excited and its activation has become steady.",
        scale="count",
        maximum=10_000_000,
        slider_maximum=1000,
        unit="steps",
        group="average",
        auto=True,
    ),
    Setting(
        "clamp",
        "Clamp to valid pixels",
        False,
        "Keeps every pixel between black and white. The discriminator has only ever seen such "
        "images.",
        scale="flag",
        group="more",
    ),
    Setting(
        "mode",
        "Mode",
        "normalised",
        "normalised: gradients are scaled to unit size, so sliders mean the same on every "
        "network. exact: true gradients, a true Langevin chain. reference: the update rule of "
        "the paper's own program, BIDMach.",
        scale="choice",
        choices=("normalised", "exact", "reference"),
        group="more",
    ),
    Setting(
        "average_over",
        "Average over",
        "time",
        "time: each chain's own past. chains: all chains of the same neuron at this moment. "
        "both: all chains of the same neuron and their past.",
        scale="choice",
        choices=("time", "chains", "both"),
        group="average",
    ),
    Setting(
        "threshold",
        "Burn-in threshold",
        "auto",
        "The activation that a chain must pass before its samples count. auto: what 99 of 100 "
        "noise images do not reach.",
        scale="linear",
        minimum=-1e9,
        maximum=1e9,
        group="more",
        auto=True,
    ),
    Setting(
        "start_spread",
        "Start spread",
        0.1,
        "How noisy the first image is: the standard deviation of its pixels around the rest "
        "colour. Takes effect at the next restart.",
        maximum=10.0,
        group="more",
    ),
    Setting(
        "start_spectrum",
        "Start spectrum",
        0.0,
        "How cloudy the first image is: its noise falls off as frequency to this power, as "
        "photographs do at 1, and its hues are as alike as the colour correlation says; 0 is the "
        "paper's even noise. Chains from unlike clouds end in less alike images. Takes effect at "
        "the next restart.",
        scale="linear",
        maximum=2.0,
        group="more",
    ),
    Setting(
        "chains",
        "Chains",
        10,
        "How many chains run at once, each from a start of its own.",
        scale="count",
        minimum=1,
        maximum=1024,
        slider_minimum=1,
        slider_maximum=100,
        group="more",
    ),
    Setting(
        "max_rate",
        "Most steps per second",
        0,
        "Holds the sampler back, to watch it slowly or to spare a battery. 0 is as fast as it "
        "goes.",
        scale="count",
        maximum=100_000,
        slider_maximum=500,
        unit="steps/s",
        group="more",
    ),
    Setting(
        "learn_every",
        "Keep learning every",
        0,
        "The discriminator goes on learning to tell the chains from real images, once every so "
        "many steps. 0 leaves it as it is.",
        scale="count",
        maximum=100_000,
        slider_maximum=100,
        unit="steps",
        group="more",
    ),
    Setting(
        "discriminator_rounds",
        "Rounds per checkpoint",
        0,
        "How many rounds the discriminator learns when later weights are put into a network that "
        "is watched, one every fourth step: it has to know what the changed network's chains draw. "
        "0 leaves it as it is.",
        scale="count",
        maximum=1000,
        slider_maximum=100,
        unit="rounds",
        group="more",
    ),
)
"""Every setting by name, in the order in which a person meets them."""


def describe(name: str) -> Setting:
    """Return the description of a setting; `StudioError` if there is none of that name."""
    if name not in SETTINGS:
        raise StudioError(f"There is no setting {name!r}; there are {', '.join(SETTINGS)}.")
    return SETTINGS[name]


def parse(name: str, text: str) -> Any:
    """Read the value of setting `name` as a person types it; `StudioError` says what is wrong."""
    return describe(name).parse(text)


@dataclass(frozen=True)
class Settings:
    """The values that steer sampling and averaging (see `SETTINGS` for their meaning).

    Those in `PER_CHAIN` are one number for all chains or a tuple with one number per chain.
    """

    temperature: PerChain = SETTINGS["temperature"].default
    step_size: PerChain = SETTINGS["step_size"].default
    l2: PerChain = SETTINGS["l2"].default
    discriminator_weight: PerChain = SETTINGS["discriminator_weight"].default
    smoothness: PerChain = SETTINGS["smoothness"].default
    spectrum: float = SETTINGS["spectrum"].default
    colour_correlation: float = SETTINGS["colour_correlation"].default
    jitter: int = SETTINGS["jitter"].default
    window: int = SETTINGS["window"].default
    thin: int = SETTINGS["thin"].default
    burn_in: int | str = SETTINGS["burn_in"].default
    clamp: bool = SETTINGS["clamp"].default
    mode: str = SETTINGS["mode"].default
    average_over: str = SETTINGS["average_over"].default
    threshold: float | str = SETTINGS["threshold"].default
    start_spread: float = SETTINGS["start_spread"].default
    start_spectrum: float = SETTINGS["start_spectrum"].default

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """Build from the defaults and `values`, each of them checked."""
        settings = cls()
        for name, value in values.items():
            settings = settings.change(name, value)
        return settings

    def change(self, name: str, value: Any) -> Settings:
        """Return a copy in which `name` is `value`.

        A sequence gives each chain its own value where `name` is in `PER_CHAIN`.

        Raises
        ------
        StudioError
            If there is no such setting, or the value is of the wrong kind or out of range.
        """
        setting = describe(name)
        if not hasattr(self, name):
            raise StudioError(f"{setting.label} belongs to the session, not to its chains.")
        if isinstance(value, Sequence) and not isinstance(value, str):
            if name not in PER_CHAIN or not value:
                raise StudioError(f"{setting.label} takes one value, not a list.")
            checked: Any = tuple(setting.check(v) for v in value)
        else:
            checked = setting.check(value)
        return replace(self, **{name: checked})

    def for_chains(self, chains: int) -> Settings:
        """Return a copy whose per-chain values fit `chains` chains (repeated or cut)."""
        fitted: dict[str, Any] = {}
        for name in PER_CHAIN:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != chains:
                fitted[name] = tuple(value[i % len(value)] for i in range(chains))
        return replace(self, **fitted) if fitted else self
