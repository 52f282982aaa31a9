"""Train models in the background."""

from functools import partial
from typing import Any

from jobs.lease import Lease
from services import training
from services.experiments import lifecycle


def run(payload: dict[str, Any], lease: Lease) -> None:
    """Train an experiment, an epoch a transaction; cancelled or deleted, it stops after the epoch at hand."""
    experiment_id = int(payload["experiment_id"])
    plan = lease.step(partial(training.begin, experiment_id=experiment_id))
    if plan is None:
        return
    results, class_names = training.train(plan)
    for result in results:
        if not lease.goes_on():
            return
        if result.epoch <= plan.epochs_recorded:
            continue  # repeated after a crash, to have the model where it was
        recorded = lease.step(
            partial(training.record, experiment_id=experiment_id, result=result, class_names=class_names)
        )
        if not recorded:
            return
    lease.step(partial(lifecycle.complete, experiment_id=experiment_id))
