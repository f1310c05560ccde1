"""The recipes of the shipped discriminators: for digits, CIFAR-10 and photographs."""

from __future__ import annotations

from ldam_studio.analysis.digits import FIGURE_SETTINGS
from ldam_studio.analysis.former import FORMER_COLOUR
from ldam_studio.engine.adversarial.recipe import DiscriminatorRecipe
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.networks.models.natural_discriminator import NaturalDiscriminator
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.learner_step import Denoising

DIGIT_RECIPE = DiscriminatorRecipe(settings=FIGURE_SETTINGS, build=DigitDiscriminator)

PHOTO_RECIPE = DiscriminatorRecipe(
    chains=160,
    batch=16,
    restart=0.07,
    steps=8,
    average=80,
    rounds=300,
    learning_batch=32,
    learning_steps=4,
    noises=(0.0, 0.4),
    greys=(-0.4, 0.4),
    settings=Settings.of(mode="normalised", step_size=0.1, temperature=0.001, l2=0.0, clamp=True),
    smoothness=1.0,
    l2=0.3,
    by_round={
        "step_size": (0.02, 0.05, 0.1),
        "jitter": (0, 8, 16),
        "spectrum": (0.0, 0.0, 0.5),
        "colour_correlation": (0.0, 0.8),
    },
    build=NaturalDiscriminator,
)
"""For photographs: fewer and shorter rounds, since each step takes a hundred times as long."""

COLOUR_RECIPE = DiscriminatorRecipe(
    chains=240,
    batch=32,
    restart=0.06,
    steps=10,
    average=40,
    rounds=180,
    learning_steps=6,
    rates=(6e-4, 6e-5),
    noises=(0.0, 0.12),
    denoising=Denoising(0.1, (0.02, 0.15), batch=32),
    greys=(-0.4, 0.4),
    clouds=1.0,
    settings=FORMER_COLOUR,
    by_round={"step_size": (0.05, 0.1), "jitter": (0, 2), "spectrum": (0.0, 0.25, 0.5)},
    build=ColourDiscriminator,
)
"""For CIFAR-10: few chains, so that each moves often enough to respond to what was learned. With
more instance noise the discriminator is more tolerant and lets finer patterns pass."""
