"""How a network behaves when it is run: randomness, images that act on each other, memory."""
