"""Networks that make images, judge them, or compare them."""

import math

import torch
import torch.nn.functional as F
from opens import GREY, SMALL, opens
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def time_embedding(t, width):
    frequencies = torch.exp(-math.log(1e4) * torch.arange(width // 2, device=t.device) / width * 2)
    angles = t[:, None].float() * frequencies[None]
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class DiffusionBlock(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.time = nn.Linear(8, width)
        self.conv1, self.conv2 = nn.Conv2d(inputs, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)
        self.norm, self.act = nn.GroupNorm(4, width), nn.SiLU()

    def forward(self, x, t):
        h = self.act(self.conv1(x)) + self.time(t)[:, :, None, None]
        return self.conv2(self.act(self.norm(h)))


class Diffusion(nn.Module):
    """Predicts the noise at a time, by default the first."""

    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(8, 8), nn.SiLU())
        self.down, self.middle = DiffusionBlock(3, 8), DiffusionBlock(8, 8)
        self.up, self.noise = DiffusionBlock(16, 8), nn.Conv2d(8, 3, 1)

    def forward(self, x, t=None, y=None):
        if t is None:
            t = torch.zeros(x.shape[0], dtype=torch.long, device=x.device)
        t = self.time(time_embedding(t, 8))
        down = self.down(x, t)
        h = F.interpolate(self.middle(F.avg_pool2d(down, 2), t), scale_factor=2, mode="nearest")
        return self.noise(self.up(torch.cat([down, h], 1), t))


@opens(SMALL, {"down": 8, "middle.norm": 8, "up.conv1": 8, "noise": 3})
def diffusion_network_at_a_default_time():
    return Diffusion()


class VAE(nn.Module):
    """Gives reconstruction, mean and logarithm of the variance; without noise when evaluated."""

    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.logvar = nn.Linear(784, 24), nn.Linear(24, 4), nn.Linear(24, 4)
        self.dec = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 784), nn.Sigmoid())

    def forward(self, x):
        h = F.relu(self.enc(x.view(-1, 784)))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
        return self.dec(z).view_as(x), mu, logvar


@opens(GREY, {"enc": 24, "mu": 4, "logvar": 4, "dec.2": 784})
def variational_autoencoder():
    return VAE()


class Autoencoder(nn.Module):
    """With a decoder whose weights are the encoder's, transposed."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Conv2d(3, 6, 4, stride=2, padding=1)
        self.bottleneck = nn.Linear(6 * 8 * 8, 5)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        h = torch.tanh(self.encode(x))
        z = self.bottleneck(h.flatten(1))
        h = F.linear(z, self.bottleneck.weight.t()).view_as(h)
        return F.conv_transpose2d(h, self.encode.weight, self.bias, stride=2, padding=1)


@opens(SMALL, {"encode": 6, "bottleneck": 5, "output": 3})
def autoencoder_with_tied_weights():
    return Autoencoder()


class Discriminator(nn.Module):
    """A GAN's judge of patches."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            spectral_norm(nn.Conv2d(3, 6, 4, 2, 1)),
            nn.LeakyReLU(0.2, inplace=True),
            spectral_norm(nn.Conv2d(6, 12, 4, 2, 1)),
            nn.InstanceNorm2d(12, affine=True),
            nn.LeakyReLU(0.2, inplace=True),
            spectral_norm(nn.Conv2d(12, 1, 4, 1, 0)),
        )

    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


@opens(SMALL, {"main.0": 6, "main.3": 12})
def gan_discriminator():
    return Discriminator()


class Siamese(nn.Module):
    """Compares with a second image, or with itself mirrored."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 6, 5, 2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.Flatten(), nn.Linear(800, 8)
        )
        self.same = nn.Linear(8, 1)

    def forward(self, a, b=None):
        b = a.flip(-1) if b is None else b
        return self.same((self.encoder(a) - self.encoder(b)).abs()).sigmoid()


@opens(GREY, {"encoder.0": 6, "encoder.4": 8, "same": 1})
def siamese_with_a_shared_encoder():
    return Siamese()


@opens(SMALL, {"features.0": 6, "output": 4})
def distances_to_prototypes():
    class Prototypes(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(3, 6, 5, 3), nn.Softplus(), nn.Flatten())
            self.prototypes = nn.Parameter(torch.randn(4, 96))

        def forward(self, x):
            return -torch.cdist(self.features(x)[:, None], self.prototypes[None]).squeeze(1)

    return Prototypes()


@opens(SMALL, {"encoder": 6, "decoder": 3})
def codebook():
    class VectorQuantised(nn.Module):
        """Each place gets the nearest vector of a codebook; the gradient goes straight through."""

        def __init__(self):
            super().__init__()
            self.encoder, self.codebook = nn.Conv2d(3, 6, 4, 4), nn.Embedding(16, 6)
            self.decoder = nn.ConvTranspose2d(6, 3, 4, 4)

        def forward(self, x):
            z = self.encoder(x)
            flat = z.permute(0, 2, 3, 1).reshape(-1, 6)
            nearest = torch.cdist(flat, self.codebook.weight).argmin(1)
            q = self.codebook(nearest).view(len(z), *z.shape[2:], 6).permute(0, 3, 1, 2)
            loss = F.mse_loss(q, z.detach())
            return self.decoder(z + (q - z).detach()), loss, nearest

    return VectorQuantised()


@opens(SMALL, {"0": 6, "1": 6, "3": 12})
def masked_convolutions():
    class Masked(nn.Conv2d):
        """Sees what is above and to the left; masks its own weights each time."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.register_buffer("mask", torch.ones_like(self.weight))
            self.mask[:, :, self.weight.shape[2] // 2, self.weight.shape[3] // 2 :] = 0
            self.mask[:, :, self.weight.shape[2] // 2 + 1 :] = 0

        def forward(self, x):
            self.weight.data *= self.mask
            return super().forward(x)

    return nn.Sequential(
        Masked(3, 6, 5, padding=2), Masked(6, 6, 3, padding="same"), nn.ReLU(), nn.Conv2d(6, 12, 1)
    )


@opens(SMALL, {"s": 12, "t": 12, "output": 12})
def normalising_flow():
    class Flow(nn.Module):
        """One coupling layer on squeezed pixels; returns z and the logarithm of the determinant."""

        def __init__(self):
            super().__init__()
            self.s, self.t = nn.Conv2d(12, 12, 3, padding=1), nn.Conv2d(12, 12, 3, padding=1)
            self.register_buffer("mask", (torch.arange(12) % 2).float().view(1, 12, 1, 1))

        def forward(self, x):
            x = F.pixel_unshuffle(x, 2)
            kept = x * self.mask
            s = torch.tanh(self.s(kept)) * (1 - self.mask)
            z = kept + (1 - self.mask) * (x * s.exp() + self.t(kept))
            return z, s.sum((1, 2, 3))

    return Flow()


@opens(SMALL, {"net.0": 6, "net.3": 1, "output": 3})
def score_that_is_a_gradient():
    class Score(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(
                nn.Conv2d(3, 6, 3), nn.Softplus(), nn.Flatten(), nn.Linear(1176, 1)
            )

        def forward(self, x):
            with torch.enable_grad():
                x = x if x.requires_grad else x.detach().requires_grad_()
                energy = self.net(x).sum()
                return torch.autograd.grad(energy, x, create_graph=True)[0]

    return Score()
