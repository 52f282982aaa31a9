"""All of them, in the order in which the document tells them."""

from api.v1 import about, experiments, metrics

ALL = (about.blueprint, experiments.blueprint, metrics.blueprint)
