"""A module of torchvision, made in this program; cells begin with ``# %%``, as in notebooks."""

# %% A module, here with random weights: it is copied, and stays as it is: mode, hooks, gradients
import torchvision

import ldam_studio as ldam

module = torchvision.models.squeezenet1_1(num_classes=10)  # nothing is downloaded
network = ldam.open_network(
    module,
    pixels={
        "channels": 3,
        "height": 64,
        "width": 64,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
    labels=[f"class {number}" for number in range(10)],
)
print([layer.name for layer in network.layers][:5])

# %% A channel of an inner layer, with a bar; Ctrl-C gives the run so far
run = ldam.sample(network, "features.3.expand1x1:5", steps=30, progress=True)
print(run.average.shape, run.neurons)

# %% A module in memory has no file: to replay its pictures, give it again
run.save("channel.png")
print(run.recipe["cannot_replay"])
print(ldam.replay("channel.png", network=network).identical)
