"""All of them."""

from api.v1 import (
    about,
    admin,
    alert_rules,
    campaigns,
    datasets,
    experiments,
    metrics,
    own,
    saved_searches,
    stream,
    users,
    webhooks,
)

_PARTS = (
    experiments,
    metrics,
    stream,
    datasets,
    campaigns,
    saved_searches,
    webhooks,
    own,
    users,
    alert_rules,
    admin,
    about,
)
ALL = tuple(part.blueprint for part in _PARTS)
