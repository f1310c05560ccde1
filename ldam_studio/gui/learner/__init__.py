"""The discriminator that goes on learning: its switch, its numbers and its way back."""
