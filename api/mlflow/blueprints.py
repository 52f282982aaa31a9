"""All routes of MLflow's protocol."""

from api.mlflow import artifacts, experiments, logging, metrics, models, runs, server_info

ALL = (
    experiments.blueprint,
    runs.blueprint,
    logging.blueprint,
    metrics.blueprint,
    models.blueprint,
    artifacts.blueprint,
    server_info.blueprint,
)
