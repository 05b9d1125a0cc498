"""What the papers print, for docs/papers.md: means, deviations, epochs."""

from __future__ import annotations

from typing import NamedTuple


class Proben1(NamedTuple):
    """A row of table 10 of TR 21/94: mean and deviation over 60 runs; epochs are total and relevant."""

    hidden: str
    test: tuple[float, float]
    wrong: tuple[float, float] | None
    epochs: tuple[int, int | None]


PROBEN1 = {
    "cancer1": Proben1("4+2", (1.32, 0.13), (1.38, 0.49), (116, 95)),
    "cancer2": Proben1("8+4", (3.47, 0.28), (4.77, 0.94), (54, 44)),
    "cancer3": Proben1("16+8", (2.60, 0.22), (3.70, 0.52), (54, 41)),
    "diabetes1": Proben1("32", (16.99, 0.91), (24.10, 1.91), (201, 117)),
    "diabetes2": Proben1("16+8", (18.43, 1.00), (26.42, 2.26), (102, 70)),
    "diabetes3": Proben1("32", (16.48, 1.16), (22.59, 2.23), (251, 164)),
    "gene1": Proben1("4+2", (8.66, 1.28), (16.67, 3.75), (124, 101)),
    "gene2": Proben1("4+2 s", (9.54, 1.91), (18.41, 6.93), (321, 250)),
    "gene3": Proben1("4+2 s", (10.84, 1.93), (21.82, 7.53), (262, 199)),
    "soybean1": Proben1("16+8", (2.10, 0.07), (29.40, 2.50), (219, 159)),
    "soybean2": Proben1("32", (0.79, 0.22), (5.14, 1.05), (417, 362)),
    "soybean3": Proben1("16", (1.25, 0.15), (11.54, 2.32), (450, 382)),
    "thyroid1": Proben1("16+8", (1.28, 0.12), (2.38, 0.35), (377, 341)),
    "thyroid2": Proben1("8+4", (1.02, 0.11), (1.91, 0.24), (421, 388)),
    "thyroid3": Proben1("16+8", (1.26, 0.14), (2.27, 0.32), (324, 298)),
    "building1": Proben1("16", (1.36, 0.63), None, (307, None)),
    "building2": Proben1("16+8", (0.28, 0.20), None, (1074, None)),
    "building3": Proben1("16+8 s", (0.26, 0.01), None, (1380, None)),
    "hearta1": Proben1("32", (4.55, 0.41), None, (47, None)),
    "hearta2": Proben1("16", (4.33, 0.15), None, (54, None)),
    "hearta3": Proben1("32", (4.89, 0.91), None, (46, None)),
}

# Riedmiller and Braun 1993: mean epochs; quoted from memory, the text could not be opened.
ENCODERS = {
    ("10-5-10", "BP"): "121*",
    ("10-5-10", "Quickprop"): "21*",
    ("10-5-10", "RPROP"): "19*",
    ("10-5-10", "RPROP, usual"): "30*",
    ("12-2-12", "BP"): "> 15,000*",
    ("12-2-12", "Quickprop"): "405*",
    ("12-2-12", "RPROP"): "322*",
    ("12-2-12", "RPROP, usual"): "367*",
}
