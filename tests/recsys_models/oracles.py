"""The witnesses' cells and weights, under the name that tests of this folder know them by."""

from witness.cells import *  # noqa: F403
from witness.weights import arrays  # noqa: F401
