"""What a script has to say to log to an experiment, ready to be copied: with MLflow, with curl, with Lightning."""

import json
from dataclasses import dataclass

KEY_VARIABLE = "PFD_KEY"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines of a script; the key is read from the environment."""

    title: str
    text: str


def snippets(base: str, number: int, run_id: str, *, is_reported: bool) -> list[Snippet]:
    """The ways to log to a run at a server; Lightning ends the run, which only a program may that has begun it."""
    lightning = [Snippet("Lightning", _lightning(base, run_id))] if is_reported else []
    return [Snippet("MLflow", _mlflow(base, run_id, is_reported)), *lightning, Snippet("curl", _curl(base, number))]


def export_line(key: str) -> str:
    """What makes the key known to the scripts of a terminal."""
    return f"export {KEY_VARIABLE}={key}"


def _token() -> str:
    return f'environ["MLFLOW_TRACKING_TOKEN"] = environ["{KEY_VARIABLE}"]'


def _mlflow(base: str, run_id: str, is_reported: bool) -> str:
    lines = ["from os import environ", "import mlflow", "", _token(), f"mlflow.set_tracking_uri({json.dumps(base)})"]
    begun = f'with mlflow.start_run(run_id="{run_id}"):' if is_reported else f'run = "{run_id}"'
    named, indent = ("", "    ") if is_reported else (", run_id=run", "")
    loop = [
        "for epoch in range(1, 11):",
        f'    mlflow.log_metrics({{"train_loss": 1 / epoch}}, step=epoch{named})',
    ]
    return "\n".join([*lines, begun, *(indent + line for line in loop)])


def _curl(base: str, number: int) -> str:
    body = json.dumps({"points": [{"metric": "train_loss", "step": 1, "value": 0.5}]})
    return " \\\n  ".join(
        (
            f'curl "{base}/api/v1/experiments/{number}/metrics"',
            f'-H "Authorization: Bearer ${KEY_VARIABLE}"',
            '-H "Content-Type: application/json"',
            f"-d '{body}'",
        )
    )


def _lightning(base: str, run_id: str) -> str:
    lines = [
        "from os import environ",
        "from lightning.pytorch import Trainer",
        "from lightning.pytorch.loggers import MLFlowLogger",
    ]
    lines += ["", _token()]
    lines += ["logger = MLFlowLogger(", f"    tracking_uri={json.dumps(base)},", f'    run_id="{run_id}",', ")"]
    return "\n".join([*lines, "trainer = Trainer(logger=logger)  # and what else yours takes"])
