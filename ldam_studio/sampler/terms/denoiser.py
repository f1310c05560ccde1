"""The learned prior of photographs."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.terms.term import Term


class Denoiser(Term):
    """4 w s E log p_s(A x + s n) and a normal prior of the finest details; see `sampler.prior`.

    The gradient is w (D - x) / s, where D is the denoised image and s the noise level. It is about
    as large as w times what D takes for noise, in units of s, so that a weight means the same at
    every noise level. B is 4 A^T for even sides, except at the image's border, hence the 4: the
    number of pixels for each one of the halved image. (It is 1 for images that are not halved.)

    The denoiser may be left out of most steps and count more in the others: the gradient is then
    also random in time.

    A preconditioned step takes the gradient as it is, as if the term were such that P times its
    gradient is this. P would amplify the random part at low frequencies many times: it then draws
    clouds of its own. The step still goes to the denoised image at most.

    The density itself is unknown, and a trained denoiser is only approximately the gradient of a
    function.
    """

    name = "denoiser"
    setting = "denoiser_weight"
    preconditioned = True
    has_value = False

    def factor(self, weight: Tensor) -> Tensor:
        """Return w."""
        return weight

    def is_in(self, density: Density) -> bool:
        """Return whether the denoiser takes part in this step."""
        return density.prior is not None

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Raise TypeError: the density of photographs is unknown."""
        raise TypeError("a denoiser gives no log-density")

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return (D - x) / s, as `Prior.gradient` does."""
        assert density.prior is not None
        return density.prior.gradient(x)
