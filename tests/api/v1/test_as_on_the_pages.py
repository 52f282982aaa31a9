"""Nothing that a page can do is impossible through our own API: both call the same functions of the services."""

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# What pages call and operations do not, by the reason; whoever adds a page's function adds an operation, or a reason.
OTHERWISE = {
    "words and choices of a form": """
        api_alerts.events.amount api_alerts.events.subject_of api_alerts.rules.routes api_alerts.rules.wanted
        api_alerts.rules.words_of api_keys.keys.rates api_keys.keys.scopes_for
        api_keys.keys.usual_rate api_requests.routes.shown experiments.editing.tag_name experiments.editing.tags_like
        experiments.editing.tags_of experiments.conditions.condition
        experiments.conditions.metric_of experiments.conditions.param_of mail.sending.reaches_people profile.time_zones
    """,
    "whether anything has moved, or is there": """
        api_metrics.reading.cursor compare.pulse experiments.details.cursor experiments.details.exists
        experiments.details.has_metrics experiments.options.version home.ended_part home.last_visit home.version
    """,
    "the same in the form of a page; operations have another for it": """
        api_alerts.events.lately api_alerts.rules.raised api_requests.exporting.as_csv experiments.exporting.list_as_csv
        experiments.listing.list_rows failed_jobs.failed health.overview own_data.as_json people.invite search.find
        sign_ins.as_csv trail.as_csv trail.as_json trail.one curves.growth.grows curves.growth.growth curves.panels.draw
        curves.panels.panels experiments.notes.safe_markdown
    """,
    "of many at once; a program does it for one after the other": """
        experiments.editing.add_tag experiments.editing.remove_tag experiments.editing.visible_ids
        experiments.lifecycle.cancel_many experiments.listing.ids_of
    """,
    "a part of `experiments.changing.change`": """
        experiments.editing.notes_to_edit experiments.editing.set_notes
    """,
    "`POST /api-keys` with these scopes": """
        api_keys.for_logging.create api_keys.for_logging.scopes
    """,
    "beside the person, in the browser alone": """
        second_factor.enrolment.check_app second_factor.enrolment.confirm_app second_factor.enrolment.offer_app
        second_factor.totp.address_of
    """,
    "a check by a program is none that the log remembers": """
        trail.record_verdict
    """,
}


def called(files: Iterable[Path]) -> set[str]:
    """The functions of services that files call or take."""
    found = set()
    for file in files:
        tree = ast.parse(file.read_text())
        modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "services":
                for one in node.names:
                    name = f"{node.module}.{one.name}"
                    path = ROOT.joinpath(*name.split("."))
                    if path.is_dir() or path.with_suffix(".py").is_file():
                        modules[one.asname or one.name] = name
                    elif one.name.islower():
                        found.add(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr.islower():
                found |= {f"{modules[node.value.id]}.{node.attr}"} if node.value.id in modules else set()
    return {name.removeprefix("services.") for name in found}


def test_each_function_that_a_page_calls_is_an_operation_or_has_a_reason() -> None:
    pages = called(ROOT.glob("pages/*.py"))
    shared = (ROOT / "web" / f"{name}.py" for name in ("credentials", "sudo"))
    operations = called([*ROOT.glob("api/v1/*.py"), *ROOT.glob("web/rest/*.py"), *shared])
    assert len(pages) > 100
    assert pages - operations == {name for names in OTHERWISE.values() for name in names.split()}
