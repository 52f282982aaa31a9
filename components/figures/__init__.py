"""Figures as plain dictionaries, coloured in the browser by theme.js."""

from components.figures.base import message_figure, typed_array, waiting_figure
from components.figures.classes import bars_per_class_figure, confusion_figure
from components.figures.curves import DIRECT_LABELS, Mark, curves_figure, most_labels
from components.figures.heatmap import heatmap_figure
from components.figures.sparkline import sparkline
from components.figures.traces import Curve

__all__ = [
    "DIRECT_LABELS",
    "Curve",
    "Mark",
    "bars_per_class_figure",
    "confusion_figure",
    "curves_figure",
    "heatmap_figure",
    "message_figure",
    "most_labels",
    "sparkline",
    "typed_array",
    "waiting_figure",
]
