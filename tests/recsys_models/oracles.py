"""The witnesses' cells and weights, under the name that tests of this folder know them by."""

from reference.cells import *  # noqa: F403
from reference.weights import arrays  # noqa: F401
