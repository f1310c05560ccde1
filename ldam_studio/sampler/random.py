"""Named random sources: each kind of random number has its own generator.

Because no two share one, switching a source off (or adding a chain) does not change any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

ON_THE_HOST = ("jitter", "views", "size")
"""Sources that are drawn on the CPU, because the host needs the numbers without waiting."""

UNIFORM = ("accept", "swap")
"""Sources that return one number in [0, 1) for each chain."""


def seed_for(seed: int, name: str) -> int:
    """Return a 63-bit seed for the source `name` of a session with `seed`."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Generators:
    """The session's generators by name ("start/0", "noise/0", "noise/1", ...).

    Each is created on first use.

    Parameters
    ----------
    seed
        The session's seed; the seed of every source is derived from it and the source's name.
    device
        Where the numbers are drawn, except for those of `ON_THE_HOST`. CPU and CUDA draw different
        numbers from one seed.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self._by_name: dict[str, torch.Generator] = {}

    def __getitem__(self, name: str) -> torch.Generator:
        """Return the generator called `name`; it is seeded on first use."""
        if name not in self._by_name:
            generator = torch.Generator("cpu" if name.split("/")[0] in ON_THE_HOST else self.device)
            self._by_name[name] = generator.manual_seed(seed_for(self.seed, name))
        return self._by_name[name]

    def normal(
        self, source: str, shape: tuple[int, ...], chains: Sequence[int] | None = None
    ) -> Tensor:
        """Draw N(0, 1) of `shape` = (chains, ...); chain i has the generator "source/i".

        `chains` are the numbers of these chains; None for the first ones.
        """
        return self._fill(torch.empty(shape, device=self.device), source, chains)

    def _fill(self, out: Tensor, source: str, chains: Sequence[int] | None = None) -> Tensor:
        for i, row in zip(range(len(out)) if chains is None else chains, out, strict=True):
            row.normal_(generator=self[f"{source}/{i}"])
        return out

    def draw(self, source: str, like: Tensor) -> Tensor:
        """Draw the numbers of a kernel's source; chain i has the generator "source/i".

        The result is N(0, 1) shaped like `like` (chains, C, H, W), or, for the sources in
        `UNIFORM`, one number in [0, 1) per chain, (chains,).
        """
        if source not in UNIFORM:
            # The numbers depend on the memory layout, so it must be that of the chains, which is
            # different for chains that started from clouds. Otherwise pictures exported by version
            # 0.1.0 would not replay to the same pixels.
            return self._fill(torch.empty_like(like), source)
        out = torch.empty(len(like), device=self.device)
        for i in range(len(like)):
            out[i : i + 1].uniform_(generator=self[f"{source}/{i}"])
        return out

    def state(self) -> dict[str, Tensor]:
        """Return the state of every generator in use, as byte tensors."""
        return {name: generator.get_state() for name, generator in self._by_name.items()}

    @classmethod
    def restore(
        cls, seed: int, device: torch.device | str, state: Mapping[str, Tensor]
    ) -> Generators:
        """Return generators that continue from `state`."""
        generators = cls(seed, device)
        for name, value in state.items():
            generators[name].set_state(value)
        return generators

    def clone(self) -> Generators:
        """Return independent generators in the same state."""
        return self.restore(self.seed, self.device, self.state())


class Alike(Generators):
    """Generators of several sessions with one seed that are joined: the chains of each draw alike.

    Chain i draws what chain i modulo `each` does.

    Parameters
    ----------
    each
        Number of chains of each session.
    """

    def __init__(self, seed: int, device: torch.device | str, each: int) -> None:
        super().__init__(seed, device)
        self._each = each

    @classmethod
    def of(cls, generators: Generators, each: int) -> Alike:
        """Return generators for sessions that are all in the state of one."""
        found = cls(generators.seed, generators.device, each)
        for name, value in generators.state().items():
            found[name].set_state(value)
        return found

    def alone(self) -> Generators:
        """Return the generators of one of the sessions, which are in the state of all."""
        return Generators.restore(self.seed, self.device, self.state())

    def clone(self) -> Generators:
        """Return independent generators in the same state."""
        return self.of(self, self._each)

    def __getitem__(self, name: str) -> torch.Generator:
        """Return the generator called `name`; that of a chain is shared by all that draw alike."""
        source, _, number = name.partition("/")
        if number and source not in ON_THE_HOST:
            name = f"{source}/{int(number) % self._each}"
        return super().__getitem__(name)

    def normal(
        self, source: str, shape: tuple[int, ...], chains: Sequence[int] | None = None
    ) -> Tensor:
        """Draw N(0, 1) of `shape` = (chains, ...), see `Generators.normal`."""
        chains = None if chains is None else chains[: self._each]
        own = super().normal(source, (self._each, *shape[1:]), chains)
        return self._for_all(own, shape[0])

    def draw(self, source: str, like: Tensor) -> Tensor:
        """Draw the numbers of a kernel's source, see `Generators.draw`."""
        return self._for_all(super().draw(source, like[: self._each]), len(like))

    def _for_all(self, own: Tensor, chains: int) -> Tensor:
        return own.repeat(chains // self._each, *(1,) * (own.dim() - 1))
