"""Digits of the LeNet that ships with LDAM Studio; cells begin with ``# %%``, as in notebooks."""

# %% A run: two chains for each of two neurons
import numpy as np

import ldam_studio as ldam

lenet = ldam.open_network("lenet")
run = ldam.sample(lenet, "fc3:3-4", steps=200, preset="clean", chains=4, seed=1)
print(run.average.shape)  # (4, 1, 28, 28): chains, channels, height, width
print(run.activation[-1], run.settled)
run  # noqa: B018 - a notebook shows raw samples, averages and settings

# %% Kept with its recipe, and replayed to the same pixels
run.save("digits.png", zoom=4)
run.save("digits.npz")
print(ldam.replay("digits.png").identical)

# %% A loop over settings: how far images spread at each temperature
for temperature in (0.001, 0.1):
    hot = ldam.sample(lenet, 7, steps=50, chains=3, temperature=temperature)
    print(temperature, np.std(hot.samples, axis=0).mean())

# %% Frames while chains run, until the average stands still
before = np.zeros((1, 1, 28, 28), np.float32)
for frame in ldam.stream(lenet, "fc3:4", every=20, preset="clean"):
    if np.abs(frame.average - before).max() < 0.05 or frame.steps >= 400:
        break
    before = frame.average
