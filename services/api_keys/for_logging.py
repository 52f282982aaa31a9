"""A key for a script that logs to one experiment: what it must be allowed, and nothing else."""

from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.permissions import Permission
from services.actor import Actor
from services.api_keys import keys
from services.experiments import reporting

# The clients read the run before they write to it.
SCOPES = (Permission.VIEW_EXPERIMENTS, Permission.RUN_EXPERIMENTS)


def scopes(actor: Actor, *, is_own: bool) -> tuple[Permission, ...]:
    """What the key needs; nothing where the actor may not make such a key."""
    wanted = SCOPES if is_own else (*SCOPES, Permission.DELETE_ANY_EXPERIMENT)
    allowed = all(actor.may(scope) for scope in (*wanted, Permission.MANAGE_OWN_ACCOUNT))
    return wanted if allowed else ()


def create(session: Session, actor: Actor, experiment_id: int) -> str:
    """Make the key of an experiment that the actor may write to, and return its text, which is never shown again."""
    experiment: Experiment = reporting.target(session, actor, experiment_id)
    wanted = scopes(actor, is_own=experiment.created_by == actor.user_id)
    return keys.create(session, actor, name=f"log to experiment {experiment_id}", scopes=wanted)
