"""Images read as sequences, volumes and spectra."""

import torch
import torch.nn.functional as F
from opens import GREY, SMALL, opens, pixels
from torch import nn


class RowLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 12, num_layers=2, batch_first=True, dropout=0.3)
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = x.reshape(-1, 28, 28)
        state = torch.zeros(2, x.size(0), 12).to(x.device)
        out, _ = self.lstm(x, (state, state.clone()))
        return self.fc(out[:, -1, :])


@opens(GREY, {"lstm": 12, "fc": 10})
def lstm_over_the_rows():
    return RowLSTM()


class Reader(nn.Module):
    """Reads a line of text: a convolution, two directions, and log-probabilities for CTC."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 6, 3, 1, 1), nn.ReLU(True), nn.MaxPool2d((4, 2)))
        self.rnn = nn.GRU(6 * 4, 7, bidirectional=True)
        self.letters = nn.Linear(14, 11)

    def forward(self, x):
        x = self.cnn(x)
        n, c, h, w = x.size()
        x = x.permute(3, 0, 1, 2).reshape(w, n, c * h)
        x, _ = self.rnn(x)
        return F.log_softmax(self.letters(x), dim=2)


@opens({**GREY, "height": 16, "width": 32}, {"cnn.0": 6, "rnn": 14, "letters": 11})
def reader_of_text():
    return Reader()


@opens(GREY, {"1": 784, "3": 4, "6": 6, "10": 10})
def one_dimensional_convolutions():
    return nn.Sequential(
        *(nn.Flatten(), nn.Unflatten(1, (1, 784)), nn.AvgPool1d(2), nn.Conv1d(1, 4, 9, stride=2)),
        *(nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 6, 5, dilation=2), nn.ReLU()),
        *(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 10)),
    )


@opens(pixels(5, 20), {"frames": 4, "norm": 4, "fc": 3})
def three_dimensional_convolution():
    class Video(nn.Module):
        def __init__(self):
            super().__init__()
            self.frames = nn.Conv3d(1, 4, (3, 5, 5), padding=(1, 2, 2))
            self.norm, self.pool = nn.BatchNorm3d(4), nn.MaxPool3d(2)
            self.fc = nn.Linear(4, 3)

        def forward(self, x):
            x = self.pool(F.relu(self.norm(self.frames(x.unsqueeze(1)))))
            return self.fc(x.mean(dim=(2, 3, 4)))

    return Video()


class SpectralGate(nn.Module):
    """Complex weights, and products in the frequency domain."""

    def __init__(self, width, side):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, side, side // 2 + 1, dtype=torch.cfloat))

    def forward(self, x):
        spectrum = torch.fft.rfft2(x, norm="ortho") * self.weight
        return torch.fft.irfft2(spectrum, s=x.shape[-2:], norm="ortho")


@opens(SMALL, {"0": 6, "1": 6, "2": 6, "5": 3})
def fourier_layers():
    gate = SpectralGate(6, 16)
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, 6, 1), gate, nn.GELU(), *pool, nn.Linear(6, 3))


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.real, self.imaginary = nn.Conv2d(1, 5, 3), nn.Conv2d(1, 5, 3)
        self.fc = nn.Linear(5, 4)

    def forward(self, x):
        z = torch.complex(self.real(x), self.imaginary(x))
        z = z * torch.exp(1j * z.angle().mean((2, 3), keepdim=True))
        return self.fc(z.abs().mean((2, 3)) + torch.view_as_real(z.sum((2, 3))).norm(dim=-1) / 50)


@opens(GREY, {"real": 5, "imaginary": 5, "fc": 4})
def complex_numbers_inside():
    return Complex()
