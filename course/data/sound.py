"""Sound as a sequence: a log-mel spectrogram, one row of numbers for every fiftieth of a second."""

import torch
from jaxtyping import Float
from torch import Tensor


def mel(hertz: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The pitch that ears give to a frequency: even steps below 1,000 Hz or so, even ratios above.

    Source: O'Shaughnessy 1987, 2595 · log₁₀(1 + f / 700).
    """
    return 2595 * torch.log10(1 + hertz / 700)


def mel_filters(bands: int, bins: int, rate: int, lowest: float = 80.0) -> Float[Tensor, "bands bins"]:
    """Triangles, evenly spaced in mel, that gather a spectrum's bins into bands.

    Band b rises from the peak of the band below and falls to the peak of the band above; at its own peak it
    counts in full.

    Args:
        bins: of the spectrum, from 0 Hz to half the rate.
        rate: samples a second.
        lowest: where the first band begins, in Hz.
    """
    hertz = torch.linspace(0, rate / 2, bins)
    ends = mel(torch.tensor([lowest, rate / 2]))
    edge = torch.linspace(ends[0], ends[1], bands + 2)[:, None]  # [bands + 2, 1]
    at = mel(hertz)
    rise = (at - edge[:-2]) / (edge[1:-1] - edge[:-2])
    fall = (edge[2:] - at) / (edge[2:] - edge[1:-1])
    return torch.minimum(rise, fall).clamp(min=0)


def log_mel(
    samples: Float[Tensor, "sample"], rate: int, bands: int = 24, step: float = 0.02, width: float = 0.032
) -> Float[Tensor, "frame bands"]:
    """How loud each band is in each frame, as a logarithm of its power.

    Args:
        samples: the sound's pressure, from -1 to 1.
        rate: samples a second.
        step: seconds from one frame to the next.
        width: seconds that a frame looks at, fading in and out (Hann's window).
    """
    n, hop = round(width * rate), round(step * rate)
    spectrum = torch.stft(samples, n, hop, window=torch.hann_window(n), center=True, return_complex=True)
    power = spectrum.abs().square().mT  # [frame, bins]
    return (power @ mel_filters(bands, power.shape[-1], rate).mT + 1e-6).log10()
