"""Procedures as versioned data: states, transitions, deadlines and documents in TOML.

Public names: load_procedure, load_all, procedure (from loader); available, step, deadline,
clock_start (from engine); Facts, GUARDS (from guards); the dataclasses of model. Codes present:
SES (online reception session), PET (petition), KN1 and KN2 (first and second complaint), TC
(denunciation), BV (protection of a denouncer, beside TC), KP (recommendation, feedback).
"""

from workflows.procedures.engine import available, clock_start, deadline, step
from workflows.procedures.guards import GUARDS, Facts
from workflows.procedures.loader import load_all, load_procedure, procedure
from workflows.procedures.model import (
    Deadline,
    DeadlineRule,
    Document,
    Offer,
    Procedure,
    Standing,
    State,
    Step,
    Transition,
)

__all__ = [
    "GUARDS",
    "Deadline",
    "DeadlineRule",
    "Document",
    "Facts",
    "Offer",
    "Procedure",
    "Standing",
    "State",
    "Step",
    "Transition",
    "available",
    "clock_start",
    "deadline",
    "load_all",
    "load_procedure",
    "procedure",
    "step",
]
