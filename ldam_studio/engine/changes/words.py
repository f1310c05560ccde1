"""Words for the traces about changes of some chains, which are counted from 1 as in the window."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.chosen import Heated


def heated_words(heated: Heated) -> str:
    """Return that some chains are heated or cooled."""
    done = "cooled" if heated.heat == 1 else f"heat × {heated.heat:g}"
    return some_words(heated.chains, done)


def some_words(chains: Sequence[int], done: str) -> str:
    """Return what is done to some chains."""
    if len(chains) > 3:
        return f"{len(chains)} chains: {done}"
    noun = "chain" if len(chains) == 1 else "chains"
    return f"{noun} {', '.join(str(chain + 1) for chain in chains)}: {done}"
