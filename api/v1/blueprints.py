"""All of them, in the order in which the document tells them."""

from api.v1 import about, admin, campaigns, datasets, experiments, metrics, own, saved_searches, webhooks

ALL = tuple(
    part.blueprint for part in (experiments, metrics, datasets, campaigns, saved_searches, webhooks, own, admin, about)
)
