"""The settings of sampling, each described where it is declared.

`Settings` holds the settings of the chains. `SETTINGS` describes these and the session's own, in
the order in which the user sees them. Every change is checked in one place, `Settings.change`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.sampler import (
    denoiser_settings,
    network_settings,
    preconditioner_settings,
    schedule_settings,
    tempering_settings,
    view_settings,
)
from ldam_studio.sampler.former_settings import FORMER, as_today
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.session_settings import SESSION_SETTINGS
from ldam_studio.sampler.setting import Setting, setting

PerChain = float | tuple[float, ...]


@dataclass(frozen=True)
class Settings:
    """The settings of sampling and averaging; `SETTINGS` describes each of them.

    A value of type `PerChain` is one number for all chains, or a tuple with one number per chain.
    """

    temperature: PerChain = setting(
        "Temperature",
        0.01,
        "How much noise each step adds. Raise it and the picture melts; lower it and it settles "
        "into one of the images that the neuron responds to. 0 is plain gradient ascent.",
        scale="log",
        bounds=(0, 1_000),
        slider=(1e-4, 10),
        zero=True,
        group="sampler",
        per_chain=True,
        unsettles=True,
    )
    step_size: PerChain = setting(
        "Step size",
        0.1,
        "How far one step goes. Large steps move fast, but sample the images less exactly; with "
        "very large steps the chain diverges.",
        scale="log",
        bounds=(schedule_settings.LEAST_STEP, 10),
        slider=(1e-3, 1),
        group="sampler",
        per_chain=True,
        unsettles=True,
    )
    l2: PerChain = setting(
        "L2 weight",
        0.5,
        "How strongly every pixel is pulled back to the rest colour. Pixels that do not matter to "
        "the neuron stay quiet.",
        scale="log",
        bounds=(0, 1_000),
        slider=(1e-3, 10),
        zero=True,
        group="sampler",
        per_chain=True,
        unsettles=True,
    )
    discriminator_weight: PerChain = setting(
        "Discriminator weight",
        0.0,
        "How much a second network, which judges how real an image is, counts against the neuron: "
        "0 uses the neuron alone, 1 the discriminator alone.",
        group="sampler",
        per_chain=True,
        unsettles=True,
    )
    denoiser_weight: PerChain = denoiser_settings.WEIGHT
    denoiser_noise: PerChain = denoiser_settings.NOISE
    denoiser_every: int = denoiser_settings.EVERY
    repulsion: PerChain = setting(
        "Repulsion",
        0.0,
        "How strongly chains are pushed away from the modes of their neuron that were kept, so "
        "that they find others. 0 is off; without kept modes it has no effect.",
        scale="log",
        bounds=(0, 1_000),
        slider=(1e-2, 100),
        zero=True,
        per_chain=True,
        unsettles=True,
        group="image",
    )
    smoothness: PerChain = setting(
        "Smoothness",
        0.0,
        "How strongly neighbouring pixels are pulled together (total variation). It removes the "
        "fine noise that networks for photographs respond to.",
        scale="log",
        bounds=(0, 1_000),
        slider=(1e-3, 10),
        zero=True,
        per_chain=True,
        unsettles=True,
        group="image",
    )
    natural_l2: PerChain = preconditioner_settings.NATURAL_L2
    spectrum: float = preconditioner_settings.SPECTRUM
    spectrum_floor: float = preconditioner_settings.FLOOR
    colour_correlation: float = preconditioner_settings.COLOUR_CORRELATION
    jitter: int = view_settings.JITTER
    view_zoom: float = view_settings.ZOOM
    view_rotation: float = view_settings.ROTATION
    view_flip: bool = view_settings.FLIP
    view_size: float = view_settings.SIZE
    views_of: str = view_settings.OF
    views: int = view_settings.COUNT
    objective: str = network_settings.OBJECTIVE
    photo_statistics: PerChain = network_settings.PHOTO_STATISTICS
    statistics_tolerance: float = network_settings.STATISTICS_TOLERANCE
    schedule_shape: str = schedule_settings.SHAPE
    schedule: int = schedule_settings.SCHEDULE
    schedule_course: str = schedule_settings.COURSE
    cycle_growth: float = schedule_settings.CYCLE_GROWTH
    cycle_sampled: float = schedule_settings.CYCLE_SAMPLED
    average_cycles: str = schedule_settings.AVERAGE_CYCLES
    step_size_start: float = schedule_settings.STEP_SIZE_START
    temperature_start: float = schedule_settings.TEMPERATURE_START
    discriminator_weight_start: float | str = schedule_settings.DISCRIMINATOR_WEIGHT_START
    denoiser_noise_start: float = schedule_settings.DENOISER_NOISE_START
    resolution: int = schedule_settings.RESOLUTION
    resolution_start: int = schedule_settings.RESOLUTION_START
    coarse_share: float = schedule_settings.COARSE_SHARE
    step_size_curve: str = schedule_settings.STEP_SIZE_CURVE
    temperature_curve: str = schedule_settings.TEMPERATURE_CURVE
    discriminator_weight_curve: str = schedule_settings.DISCRIMINATOR_WEIGHT_CURVE
    denoiser_noise_curve: str = schedule_settings.DENOISER_NOISE_CURVE
    resolution_curve: str = schedule_settings.RESOLUTION_CURVE
    window: int = setting(
        "Averaging window",
        0,
        "How many samples the running average remembers. 0 averages everything since burn-in.",
        scale="count",
        bounds=(0, 1_000_000),
        slider=(0, 1_000),
        unit="samples",
        group="average",
    )
    thin: int = setting(
        "Thinning",
        1,
        "The average takes one sample in this many steps. Successive steps look alike, so little "
        "is lost by skipping some.",
        scale="count",
        bounds=(1, 10_000),
        slider=(1, 50),
        unit="steps",
        group="average",
    )
    burn_in: int | str = setting(
        "Burn-in",
        "auto",
        "The number of steps before samples are averaged, so that the start does not count. auto "
        "waits until the neuron is excited and its activation has become steady.",
        scale="count",
        bounds=(0, 10_000_000),
        slider=(0, 1_000),
        unit="steps",
        auto=True,
        group="average",
    )
    clamp: bool = setting(
        "Clamp to valid pixels",
        False,
        "Keeps every pixel between black and white. The discriminator has seen only such images.",
        scale="flag",
        unsettles=True,
        group="image",
    )
    mode: str = setting(
        "Mode",
        "normalised",
        "normalised: gradients are scaled to unit size, so that sliders mean the same on every "
        "network. exact: gradients are not scaled, which gives a true Langevin chain.",
        scale="choice",
        choices=("normalised", "exact"),
        unsettles=True,
    )
    kernel: str = setting(
        "Kernel",
        "langevin",
        "The rule that makes a step. " + " ".join(kernel.help for kernel in KERNELS.values()),
        scale="choice",
        choices=tuple(KERNELS),
        unsettles=True,
    )
    friction: PerChain = setting(
        "Friction",
        1.0,
        "How strongly the kernel underdamped slows images down: at 0.1 they glide for a long time, "
        "at 100 they move as with the kernel langevin. Other kernels ignore it.",
        scale="log",
        bounds=(1e-3, 1_000),
        slider=(0.01, 100),
        per_chain=True,
        unsettles=True,
    )
    tempering: int = tempering_settings.TEMPERING
    average_over: str = setting(
        "Average over",
        "time",
        "time: over each chain's own past. chains: over all chains of the same neuron at this "
        "moment. both: over all chains of the same neuron and their past.",
        scale="choice",
        choices=("time", "chains", "both"),
    )
    average_group: PerChain = setting(
        "Averaging group",
        0,
        "Averages over chains are taken over those of one neuron with the same number here: over "
        "the chains of one mode, for example, apart from all others.",
        scale="count",
        bounds=(0, 999),
        slider=(0, 9),
        per_chain=True,
    )
    threshold: float | str = setting(
        "Burn-in threshold",
        "auto",
        "The activation that a chain must exceed before its samples count. auto: the value that 99 "
        "of 100 noise images do not reach.",
        bounds=(-1e9, 1e9),
        auto=True,
    )
    start_spread: float = setting(
        "Start spread",
        0.1,
        "How noisy the first image is: the standard deviation of its pixels around the rest "
        "colour. Takes effect at the next restart.",
        bounds=(0, 10),
        group="start",
    )
    start_spectrum: float = setting(
        "Start spectrum",
        0.0,
        "How cloudy the first image is: its noise falls off with this power of the frequency, at 1 "
        "as in photographs, and its colour channels vary together as Brightness before hue says. 0 "
        "is even noise, as in the paper. Chains that start from different clouds end in less "
        "similar images. Takes effect at the next restart.",
        bounds=(0, 2),
        group="start",
    )

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """Return the defaults with `values`, each of them checked; `FORMER` names are accepted."""
        return cls().with_values(values)

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """Return a copy with `values`, each of them checked; `FORMER` names are accepted.

        BIDMach's rule was a mode in 0.1.0: another mode, if no kernel is named, leaves it.

        Raises
        ------
        StudioError
            As `change` does.
        """
        today, settings = as_today(values), self
        if "mode" in today and self.kernel == "bidmach":
            today.setdefault("kernel", "langevin")
        for name, value in today.items():
            settings = settings.change(name, value)
        return settings

    def change(self, name: str, value: Any) -> Settings:
        """Return a copy in which the setting `name` has this value.

        A sequence gives each chain its own value, if the setting is `per_chain`.

        Raises
        ------
        StudioError
            If there is no such setting, or the value is of the wrong kind or out of range.
        """
        about = describe(name)
        if not about.of_chains:
            raise StudioError(f"{about.label} belongs to the session, not to its chains.")
        if isinstance(value, Sequence) and not isinstance(value, str):
            if not about.per_chain or not value:
                raise StudioError(f"{about.label} takes one value, not a list.")
            checked: Any = tuple(about.check(v) for v in value)
        else:
            checked = about.check(value)
        return replace(self, **{name: checked})

    def for_chains(self, chains: int) -> Settings:
        """Return a copy whose per-chain values are repeated or cut to fit `chains` chains."""
        return self.of_chains(range(chains))

    def of_chains(self, kept: Sequence[int]) -> Settings:
        """Return a copy with the per-chain values of some chains; missing ones are repeated."""
        fitted: dict[str, Any] = {}
        for about in fields(self):
            value = getattr(self, about.name)
            if isinstance(value, tuple) and list(kept) != list(range(len(value))):
                fitted[about.name] = tuple(value[i % len(value)] for i in kept)
        return replace(self, **fitted) if fitted else self


_OF_CHAINS = (replace(f.metadata["setting"], name=f.name, of_chains=True) for f in fields(Settings))

SETTINGS: dict[str, Setting] = {about.name: about for about in (*_OF_CHAINS, *SESSION_SETTINGS)}
"""Every setting by name, in the order in which the user sees them."""


def describe(name: str) -> Setting:
    """Return the description of a setting; `StudioError` if there is none of that name."""
    if name not in SETTINGS:
        raise StudioError(f"There is no setting {name!r}; there are {', '.join(SETTINGS)}.")
    return SETTINGS[name]


def is_of_chains(name: str) -> bool:
    """Return whether `name` is a setting of the chains, one of the fields of `Settings`."""
    return name in SETTINGS and SETTINGS[name].of_chains


def parse(name: str, text: str) -> Any:
    """Read the value of setting `name` as the user types it; `StudioError` says what is wrong."""
    former = text.strip().lower()
    return former if (name, former) in FORMER else describe(name).parse(text)
