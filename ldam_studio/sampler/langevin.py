r"""One Langevin step on many chains at once.

With activation a, rest colour r, probability D that an image is real, and per-chain temperature T,
step size eps, L2 weight lam, discriminator weight w and smoothness beta (this program's addition, 0
by default; TV is the total variation):

    U(x) = (1 - w) a(x) - lam |x - r|^2 + w log D(x) - beta TV(x)
    x'   = x + (eps/2) grad U(x) + sqrt(eps T) xi,        xi ~ N(0, 1)

whose stationary law tends to exp(U / T) as eps -> 0 (Jiang, Chan, Zhang, Canny, arXiv 1812.04604,
section 3; Welling and Teh 2011 for the discretisation). For a linear neuron a(x) = v.x, unclamped
and with eps lam < 2, the chain's mean is r + (1-w) v / (2 lam) and its variance
T / (2 lam) / (1 - eps lam / 2) per pixel, exactly, at every step size.

With a spectrum or a correlation of colours the step is preconditioned, which leaves that law as it
is (see `sampler.spectrum`).

Modes differ in what stands for the two gradients:

exact
    grad a and grad log D themselves.
normalised
    each divided by its own root-mean-square, one scalar per chain (over the neuron's receptive
    field for a, over the image for D), so that its direction is untouched. In a preconditioned step
    it is that of the gradient in the coordinates in which the noise is white: the other would let
    a gradient of broad features, which go far in such a step, throw the chain about.
reference
    BIDMach's rule: each pixel divided by the root of its own running mean square (.9 / .1), and
    the whole step, noise included, smoothed by a momentum of .9. Noise is scaled so that without
    momentum it would be that of the exact chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.sampler.preconditioner import precondition, strength
from ldam_studio.sampler.settings import PerChain, Settings
from ldam_studio.sampler.smoothness import total_variation_gradient

ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Maps x (chains, C, H, W) to a value per chain (chains,) and its gradient, shaped like x."""

SMALLEST_RMS = 1e-8
DECAY = 0.9  # of the mean square and of the momentum in reference mode


@dataclass(frozen=True)
class Moments:
    """What reference mode remembers, each shaped like x."""

    activation_square: Tensor
    discriminator_square: Tensor
    momentum: Tensor


@dataclass(frozen=True)
class State:
    """The chains: x of shape (chains, C, H, W) in pixel units; moments in reference mode only."""

    x: Tensor
    moments: Moments | None = None


@dataclass(frozen=True)
class Info:
    """What a step saw at the x from which it started, each of shape (chains,).

    `real_probability` is None where the discriminator was not asked.
    `gradient_rms` is that of the activation's gradient over the receptive field.
    """

    activation: Tensor
    real_probability: Tensor | None
    gradient_rms: Tensor


@dataclass(frozen=True)
class Parameters:
    """The numbers of a step, made once per change; tensors have shape (chains, 1, 1, 1).

    A step is a sum of terms, and these are what multiplies them: `ascent` = (eps/2) (1 - w) the
    activation's gradient, `realness` = (eps/2) w that of log D, `decay` = eps lam the distance from
    rest, `smoothing` = (eps/2) beta the gradient of the total variation, `noise` = sqrt(eps T) the
    noise.
    """

    temperature: Tensor
    step_size: Tensor
    l2: Tensor
    discriminator_weight: Tensor
    ascent: Tensor
    realness: Tensor
    decay: Tensor
    smoothing: Tensor
    noise: Tensor
    mode: str
    asks_discriminator: bool
    decays: bool
    smooths: bool
    spectrum: float
    colour_correlation: float

    @classmethod
    def of(
        cls, settings: Settings, chains: int, device: torch.device | str = "cpu", heat: float = 1.0
    ) -> Parameters:
        """Spread `settings` over `chains` chains; `heat` multiplies the temperature (melting)."""

        def column(value: PerChain) -> Tensor:
            numbers = torch.tensor(value, dtype=torch.float32, device=device)
            return numbers.expand(chains).reshape(chains, 1, 1, 1).clone()

        temperature = column(settings.temperature) * heat
        step_size, l2 = column(settings.step_size), column(settings.l2)
        weight, smoothness = column(settings.discriminator_weight), column(settings.smoothness)
        return cls(
            temperature=temperature,
            step_size=step_size,
            l2=l2,
            discriminator_weight=weight,
            ascent=step_size / 2 * (1 - weight),
            realness=step_size / 2 * weight,
            decay=step_size * l2,
            smoothing=step_size / 2 * smoothness,
            noise=(step_size * temperature).sqrt(),
            mode=settings.mode,
            asks_discriminator=bool((weight > 0).any()),
            decays=bool((l2 > 0).any()),
            smooths=bool((smoothness > 0).any()),
            spectrum=settings.spectrum,
            colour_correlation=settings.colour_correlation,
        )


def init(start: Tensor, bounds: tuple[float, float] | None = None) -> State:
    """Begin chains at `start` (chains, C, H, W), inside `bounds` if given."""
    return State(start if bounds is None else start.clamp(*bounds))


def step(
    state: State,
    noise: Tensor,
    parameters: Parameters,
    activation: ValueAndGradient,
    log_real: ValueAndGradient | None = None,
    *,
    rest: float | Tensor = 0.0,
    field_size: int | Tensor | None = None,
    bounds: tuple[float, float] | None = None,
) -> tuple[State, Info]:
    """Move every chain by one step.

    Parameters
    ----------
    state
        The chains; not changed.
    noise
        N(0, 1), shaped like `state.x`. It is handed in, so that the step is a pure function.
    parameters
        Temperature, step size and weights of each chain, and the mode.
    activation, log_real
        a and log D with their gradients. Without `log_real` the discriminator's term is 0.
    rest
        The colour that L2 pulls towards, in pixel units.
    field_size
        Number of pixel values in the neurons' receptive field, (chains,) where it differs; the
        whole image if None.
    bounds
        Clamp pixels to this range after the step.

    Returns
    -------
    The new chains, and what was seen at the old ones.
    """
    x, p = state.x, parameters
    value, gradient = activation(x)
    whole = x[0].numel()
    preconditioned = p.spectrum > 0 or p.colour_correlation > 0

    def rms_of(gradient: Tensor, size: int | Tensor) -> Tensor:
        if not preconditioned or p.mode != "normalised":
            return _rms(gradient, size)
        return strength(gradient, p.spectrum, p.colour_correlation) / size**0.5

    rms = rms_of(gradient, whole if field_size is None else field_size)

    real_probability, pull = None, None
    if log_real is not None and p.asks_discriminator:
        log_probability, pull = log_real(x)
        real_probability = log_probability.exp()

    # Dividing the number per chain is dividing the gradient, for much less work.
    ascent, realness, moments = p.ascent, p.realness, None
    if p.mode == "normalised":
        ascent = ascent / _column(rms)
        if pull is not None:
            realness = realness / _column(rms_of(pull, whole))
    elif p.mode == "reference":
        gradient, pull, moments = _by_pixel(gradient, pull, state.moments or _no_moments(x))

    stir = noise * p.noise
    move = torch.zeros_like(stir) if preconditioned else stir
    move.addcmul_(gradient, ascent)
    if pull is not None:
        move.addcmul_(pull, realness)
    if p.decays:
        move.addcmul_(x - rest, p.decay, value=-1)
    if p.smooths:
        move.addcmul_(total_variation_gradient(x), p.smoothing, value=-1)
    if preconditioned:
        move = precondition(move, stir, p.spectrum, p.colour_correlation)
    if moments is not None:
        move = DECAY * moments.momentum + (1 - DECAY) * move
        moments = replace(moments, momentum=move)

    moved = x + move
    if bounds is not None:
        moved.clamp_(*bounds)
    return State(moved, moments), Info(value, real_probability, rms)


def value_and_gradient(
    function: Callable[[Tensor], Tensor], between: Callable[[], None] = lambda: None
) -> ValueAndGradient:
    """Turn a differentiable `function` (chains, C, H, W) -> (chains,) into a `ValueAndGradient`.

    Chains are independent, so the gradient of the sum holds each chain's own. `between` is called
    when the value is known and the gradient is not; what it raises ends the evaluation.
    """

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            value = function(leaf)
            between()
            (gradient,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), gradient

    return evaluate


def _rms(gradient: Tensor, size: int | Tensor) -> Tensor:
    """Root-mean-square per chain over `size` values (those outside the field are 0 anyway)."""
    rms: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3)) / size**0.5
    return rms


def _column(rms: Tensor) -> Tensor:
    """Shape a divisor per chain for (chains, C, H, W); a zero gradient stays zero."""
    return rms.clamp_min(SMALLEST_RMS).reshape(-1, 1, 1, 1)


def _no_moments(x: Tensor) -> Moments:
    return Moments(torch.zeros_like(x), torch.zeros_like(x), torch.zeros_like(x))


def _by_pixel(
    gradient: Tensor, pull: Tensor | None, moments: Moments
) -> tuple[Tensor, Tensor | None, Moments]:
    """Divide each pixel's gradients by the root of their running mean squares."""
    a = DECAY * moments.activation_square + (1 - DECAY) * gradient.square()
    d = moments.discriminator_square
    if pull is not None:
        d = DECAY * d + (1 - DECAY) * pull.square()
        pull = pull / (d + SMALLEST_RMS).sqrt()
    return (
        gradient / (a + SMALLEST_RMS).sqrt(),
        pull,
        replace(moments, activation_square=a, discriminator_square=d),
    )
