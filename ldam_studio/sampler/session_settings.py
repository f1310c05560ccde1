"""The settings of a whole session; those of its chains are in `settings.Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import Setting

SESSION_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "Chains",
        10,
        "How many chains run at once, each from its own start.",
        scale="count",
        bounds=(1, 1_024),
        slider=(1, 100),
        name="chains",
    ),
    Setting(
        "Most steps per second",
        0,
        "Slows the sampler down, so that you can follow it or spare a battery. 0 means as fast as "
        "possible.",
        scale="count",
        bounds=(0, 100_000),
        slider=(0, 500),
        unit="steps/s",
        window_only=True,
        name="max_rate",
    ),
    Setting(
        "Keep learning every",
        0,
        "The discriminator keeps learning to tell the chains from real images, once in this many "
        "steps. 0 leaves it as it is.",
        scale="count",
        bounds=(0, 100_000),
        slider=(0, 100),
        unit="steps",
        group="learner",
        teaches=True,
        name="learn_every",
    ),
    Setting(
        "Rounds per checkpoint",
        0,
        "How many rounds the discriminator learns after each new checkpoint of a watched training, "
        "one round in every fourth step, so that it knows the images of the changed network. 0 "
        "leaves it as it is.",
        scale="count",
        bounds=(0, 1_000),
        slider=(0, 100),
        unit="rounds",
        group="watching",
        teaches=True,
        name="discriminator_rounds",
    ),
)
"""Their descriptions, in the order in which the user sees them."""
