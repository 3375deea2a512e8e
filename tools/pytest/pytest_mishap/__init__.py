# SPDX-License-Identifier: Apache-2.0
"""pytest under faults: the `chaos` fixture and marker, and `pytest --chaos SCENARIO`."""
from .chaos import Chaos, Fault, NotExercised

__all__ = ["Chaos", "Fault", "NotExercised"]
