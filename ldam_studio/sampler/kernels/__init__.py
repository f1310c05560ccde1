"""The kernels, which move every chain by one step; each has its own file."""

from __future__ import annotations

from ldam_studio.sampler.kernels.bidmach import BIDMach
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State, begin
from ldam_studio.sampler.kernels.langevin import Langevin
from ldam_studio.sampler.kernels.mala import MALA
from ldam_studio.sampler.kernels.parameters import Parameters
from ldam_studio.sampler.kernels.underdamped import Underdamped

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (Langevin(), Underdamped(), MALA(), BIDMach())
}
"""All kernels by name, in the order in which the setting `kernel` offers them."""

__all__ = ["KERNELS", "Info", "Kernel", "Parameters", "State", "begin"]
