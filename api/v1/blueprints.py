"""All of them."""

from api.v1 import (
    about,
    admin,
    alert_events,
    alert_rules,
    all_keys,
    api_metrics,
    campaigns,
    datasets,
    experiments,
    explanations,
    health,
    metrics,
    own,
    request_log,
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
    explanations,
    saved_searches,
    webhooks,
    own,
    users,
    all_keys,
    api_metrics,
    request_log,
    alert_rules,
    alert_events,
    admin,
    health,
    about,
)
ALL = tuple(part.blueprint for part in _PARTS)
