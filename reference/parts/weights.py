"""The weights of a fitted network in float64."""

from __future__ import annotations

import numpy as np
from torch import nn


def arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """The float64 copies of a network's weights by name."""
    return {name: weight.detach().double().cpu().numpy() for name, weight in network.named_parameters()}
