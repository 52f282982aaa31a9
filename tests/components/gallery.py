"""Every component with ordinary, hostile and empty values: `PYTHONPATH=. python tests/components/gallery.py [port]`."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dash
import dash_bootstrap_components as dbc
import flask
import numpy as np
from dash import Input, Output, html

from components import clientside, grid
from components.config_tree import config_tree
from components.feedback import (
    STATUS_ICONS,
    confirm_dialog,
    empty_state,
    error_state,
    notice,
    preview_list,
    skeleton,
    status_badge,
)
from components.figures import (
    Curve,
    Mark,
    bars_per_class_figure,
    confusion_figure,
    curves_figure,
    message_figure,
    sparkline,
)
from components.graph import chart, chart_panel, panel_grid, visible_panels
from components.icons import icon
from components.index_template import ASSETS_PATH_IGNORE, index_string
from components.shell import NavEntry, NavGroup, UserBadge, page_header, section, shell
from components.still import still
from components.toasts import TOASTS_ID, toast
from components.values import duration_text, key_value_list, number, progress, stat, stat_row, tag_list, time_tag

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC)
HOSTILE = "<img src=x onerror=alert(1)> & a name that goes on and on without any end because somebody pasted a path"
CLASSES = [
    "Healthy",
    "Misalignment",
    "Imbalance",
    "Bearing Clearance",
    "Lubrication Issue",
    "Cavitation",
    "Wear",
    "Oil Whirl",
    "Misalignment + Imbalance",
    "Wear + Lubrication",
    "Cavitation + Clearance",
]
CSP = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)


def falling(seed: int, count: int, end: float) -> Any:
    """A loss-like course."""
    noise = np.random.default_rng(seed).normal(0, 0.02, count)
    return np.exp(-np.linspace(0, 4, count)) * 1.6 + end + noise


def panels() -> list[Any]:
    """Chart panels with one to fourteen curves."""
    epochs = np.arange(1, 401)
    train, val = falling(1, 400, 0.08), falling(2, 400, 0.21)
    smooth = np.convolve(np.pad(val, 8, mode="edge"), np.ones(17) / 17, "valid")
    loss = curves_figure(
        [
            Curve("train", epochs, train, 0, raw=None),
            Curve("val", epochs, smooth, 1, raw=(epochs, val), best=(311, float(smooth[310]))),
        ],
        x_title="epoch",
        marks=[Mark(311, "best epoch 311")],
        points=(400, 12_400),
    )
    broken = falling(3, 120, 0.1)
    broken[60:66] = np.nan
    broken[90] = np.inf
    broken[95] = -np.inf
    nan = curves_figure([Curve("train_loss", np.arange(120), broken, 3)], x_title="step", points=(120, 120))
    many = curves_figure(
        [Curve(f"{HOSTILE[:20]} seed {i}", np.arange(200), falling(i, 200, i / 20), i) for i in range(14)],
        x_title="step",
        points=(2800, 1_400_000),
        height=340,
    )
    six = curves_figure(
        [Curve(f"cnn-lstm-attention-{i}", np.arange(100), falling(i, 100, 0.2 + i / 200), i) for i in range(6)],
        x_title="epoch",
        log_y=True,
        points=(600, 600),
    )
    wall = np.datetime64("2026-01-05T10:00") + np.arange(60).astype("timedelta64[m]")
    dates = curves_figure(
        [Curve("lr", wall, np.linspace(1e-3, 1e-5, 60), 2)], x_title="time (UTC)", dates=True, points=(60, 60)
    )
    return [
        chart_panel("loss", "Loss", figure=loss),
        chart_panel("nan", "Loss that blew up", unit="nats", figure=nan),
        chart_panel("six", "Six models", figure=six, subtitle="logarithmic"),
        chart_panel("lr", "Learning rate over wall time", figure=dates, linked=False),
        chart_panel("many", f"Fourteen runs {HOSTILE}", figure=many, height=340),
        chart_panel("one", "First epoch", figure=curves_figure([Curve("val_f1", [1], [0.42], 4)], x_title="epoch")),
        chart_panel("waiting", "Still loading"),
        chart_panel("none", "No data", figure=message_figure("This run recorded no such metric")),
    ]


def classes() -> Any:
    """Confusion matrix and scores per class."""
    random = np.random.default_rng(5)
    matrix = random.poisson(1.2, (11, 11)) + np.diag(random.integers(60, 320, 11))
    precision, recall = random.uniform(0.82, 1, 11), random.uniform(0.75, 1, 11)
    return panel_grid(
        [
            chart_panel(
                "confusion", "Confusion matrix", figure=confusion_figure(matrix, CLASSES), height=600, linked=False
            ),
            chart_panel(
                "scores",
                "Scores per class",
                figure=bars_per_class_figure(
                    CLASSES,
                    {"Precision": list(precision), "Recall": list(recall), "F1": list((precision + recall) / 2)},
                ),
                height=600,
                linked=False,
            ),
        ],
        large=True,
    )


def row(index: int) -> dict[str, Any]:
    """One row of the grid; every seventh is hostile or empty."""
    random = np.random.default_rng(index)
    status = list(STATUS_ICONS)[index % 6]
    odd = index % 7 == 3
    return {
        "id": str(index),
        "name": HOSTILE if odd else f"cnn-lstm-{index:05d}",
        "href": "javascript:alert(1)" if odd else f"/experiments/{index}",
        "status": status,
        "tags": [] if odd else ["baseline", f"seed-{index % 5}", "long-tag-name-for-a-sweep"][: index % 4],
        "accuracy": None if odd else float(random.uniform(0.7, 0.999)),
        "loss": "NaN" if index % 11 == 5 else float(random.uniform(1e-6, 0.5)),
        "course": [float(v) for v in falling(index, 30, 0.1)],
        "duration": float(random.uniform(0.2, 90_000)),
        "created": (NOW - timedelta(hours=index * 3.3)).isoformat(),
    }


COLUMNS = [
    grid.status_column(),
    grid.link_column("name", "Name"),
    grid.tags_column(),
    grid.number_column("accuracy", "Accuracy"),
    grid.number_column("loss", "Loss"),
    grid.sparkline_column("course", "Course"),
    grid.duration_column("duration"),
    grid.time_column("created", "Created"),
    grid.actions_column(
        [
            grid.RowAction("open", "Open", "arrow-right"),
            grid.RowAction("cancel", "Cancel", "stop-circle", when=["running", "pending"]),
            grid.RowAction("delete", "Delete", "trash", danger=True),
        ]
    ),
]
CONFIG = {
    "model": {"name": "CNN-LSTM", "layers": [64, 128], "dropout": 0.3, "attention": {"heads": 8, "bias": False}},
    "optimizer": {"name": "adamw", "lr": 0.0003, "betas": [0.9, 0.999], "schedule": None},
    "seed": 42,
    HOSTILE: HOSTILE * 2,
    "stages": [{"epochs": 10}, {"epochs": 90}],
}


def content(*, charts: bool, rows: bool) -> list[Any]:
    """The page; its charts and its grid are most of the work of a browser."""
    buttons = [
        dbc.Button(kind.capitalize(), id=f"toast-{kind}", color="secondary", outline=True, size="sm")
        for kind in ("info", "success", "warning", "error")
    ]
    return [
        page_header(
            "cnn-lstm-00042",
            breadcrumbs=[("Experiments", "/experiments"), ("Baselines", "/experiments?tag=baseline")],
            badge=status_badge("running"),
            subtitle=["Started ", time_tag(NOW - timedelta(minutes=12)), " by Ada on bearing-signals-v3"],
            actions=[
                dbc.Button([icon("layout-split"), "Compare"], color="secondary", outline=True),
                dbc.Button([icon("trash"), "Delete"], id="ask", color="danger", outline=True),
                dbc.Button([icon("plus-lg"), "New experiment"], color="primary"),
            ],
        ),
        stat_row(
            [
                stat("Best val accuracy", number(0.98421), hint="epoch 311"),
                stat("Progress", "311 / 400", hint=progress(311, 400, label="Epochs done")),
                stat("Elapsed", duration_text(754), hint=f"about {duration_text(210)} left"),
                stat("Parameters", number(1_204_331), hint="CNN-LSTM"),
                stat("Last loss", number(float("nan")), hint=sparkline([*falling(4, 40, 0.1)], label="Loss")),
            ]
        ),
        visible_panels("gallery-visible"),
        *([_curves(), html.Div(id="visible-now", className="muted"), section("Classes", classes())] if charts else []),
        *([_experiments()] if rows else []),
        section(
            "Status", html.Div([status_badge(status) for status in [*STATUS_ICONS, "strange_one"]], className="toolbar")
        ),
        section("Toasts", html.Div(buttons, className="toolbar")),
        section(
            "Form",
            html.Div(
                [
                    html.Div(
                        [dbc.Label("Smoothing", html_for="f1"), dbc.Input(id="f1", placeholder="0.6", type="number")]
                    ),
                    html.Div(
                        [
                            dbc.Label("Axis", html_for="f2"),
                            dbc.Select(id="f2", options=["step", "epoch", "wall time"], value="step"),
                        ]
                    ),
                    dbc.Switch(id="f3", label="Logarithmic", value=True),
                    dbc.Checkbox(id="f4", label="Only differences"),
                ],
                className="toolbar",
            ),
        ),
        section("Details", key_value_list([("Dataset", "bearing-signals-v3"), ("Owner", HOSTILE), ("Notes", None)])),
        section("Tags", tag_list(["baseline", "seed-1", HOSTILE])),
        section("Configuration", config_tree(CONFIG, id="config")),
        section(
            "Messages",
            [
                notice(
                    "This is demo data, trained on your machine.", action=dbc.Button("Remove", size="sm", color="link")
                ),
                notice("Two of 40 runs could not be read.", kind="warning"),
                notice(HOSTILE, kind="error"),
            ],
        ),
        section("Empty", empty_state("No experiments yet", "Import runs, or start one.", action=dbc.Button("Import"))),
        section("Error", error_state("The curves could not be read", "Try again in a moment.", request_id="req-8f2c")),
        section("Loading", [skeleton("stats"), skeleton("chart"), skeleton("table")]),
        section("A chart alone", chart("alone", label="Alone", figure=message_figure("Nothing yet"), height=120)),
        confirm_dialog(
            "confirm",
            "Delete 12 experiments?",
            body=["Their curves and notes go along.", preview_list([HOSTILE, "run-2", "run-3"], total=12)],
            confirm_label="Delete 12",
            danger=True,
        ),
    ]


def _curves() -> Any:
    return section(
        "Curves", panel_grid(panels(), visible_store="gallery-visible"), hint="linked cursor over all panels"
    )


def _experiments() -> Any:
    return section(
        "Experiments",
        grid.data_grid("grid", COLUMNS, label="Experiments", selectable=True, height="medium"),
        actions=html.Div([dbc.Button("Tag", size="sm", color="secondary", outline=True)]),
    )


# What a test does not look at, a browser need not draw: most of the work are the charts and the grid.
PARTS = {
    "charts": {"charts": True, "rows": False},
    "rows": {"charts": False, "rows": True},
    "neither": {"charts": False, "rows": False},
    "element-by-element": {"charts": False, "rows": False},
}
PART = "part"  # the cookie that names one; without it all is shown


def create_app() -> dash.Dash:
    """The gallery with the product's content security policy, sent as the product's pages are or by the element."""
    server = flask.Flask("gallery")
    app = dash.Dash(
        "gallery",
        server=server,
        assets_folder=str(ROOT / "assets"),
        assets_path_ignore=ASSETS_PATH_IGNORE,
        index_string=index_string(),
        suppress_callback_exceptions=True,
        enable_mcp=False,
        title="Gallery",
        update_title="",
    )
    clientside.register(app)
    navigation = [
        NavGroup(None, [NavEntry("Home", "/", "house")]),
        NavGroup(
            "Experiments",
            [NavEntry("Experiments", "/experiments", "graph-up"), NavEntry("Compare", "/compare", "layout-split")],
        ),
        NavGroup("Data", []),
        NavGroup("Admin", [NavEntry("Users", "/admin/users", "people"), NavEntry("Audit log", "/admin/audit", "list")]),
    ]

    def layout() -> Any:
        part = flask.request.cookies.get(PART, "")
        made = shell(
            navigation=navigation,
            user=UserBadge("Ada Lovelace", "Operator", "ada@example.org"),
            page_container=html.Div(content(**PARTS.get(part, {"charts": True, "rows": True}))),
            csrf_token="token",
            account_entries=[NavEntry("Account", "/account", "person")],
        )
        return made if part == "element-by-element" else still(made)

    app.layout = layout

    @app.callback(Output("grid", "getRowsResponse"), Input("grid", "getRowsRequest"), prevent_initial_call=True)
    def asked(request: dict[str, Any]) -> dict[str, Any]:
        return {"rowData": [row(i) for i in range(request["startRow"], request["endRow"])], "rowCount": 5000}

    @app.callback(Output("visible-now", "children"), Input("gallery-visible", "data"))
    def seen(keys: list[str]) -> str:
        return "visible: " + ", ".join(keys)

    for kind in ("info", "success", "warning", "error"):

        @app.callback(Input(f"toast-{kind}", "n_clicks"), prevent_initial_call=True)
        def push(_clicks: int, kind: Any = kind) -> None:
            undo = ("undo", {"id": 1}) if kind == "success" else None
            dash.set_props(TOASTS_ID, {"data": toast(kind, f"A message: {HOSTILE}", undo=undo, detail="Request r-1")})

    @app.callback(Output("confirm", "is_open"), Input("ask", "n_clicks"), prevent_initial_call=True)
    def ask(_clicks: int) -> bool:
        return True

    @server.get("/search/experiments")
    def search() -> dict[str, Any]:
        query = flask.request.args.get("q", "")
        found = [row(i) for i in range(3)]
        return {
            "results": [
                {"id": r["id"], "name": f"{query} {r['name']}", "status": r["status"], "href": "/experiments/1"}
                for r in found
            ]
        }

    @server.get("/plain/<name>")
    def plain(name: str) -> str:
        return PLAIN_LOGIN if name == "login" else PLAIN_ERROR

    @server.after_request
    def policy(response: flask.Response) -> flask.Response:
        hashes = " ".join(app.csp_hashes())
        response.headers["Content-Security-Policy"] = CSP.format(hashes=hashes)
        return response

    return app


_HEAD = """<!DOCTYPE html><html lang="en" data-bs-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><script src="/assets/boot/theme-boot.js"></script>
<title>Plain</title><link rel="stylesheet" href="/assets/00-bootstrap.min.css">
<link rel="stylesheet" href="/assets/10-tokens.css">
<link rel="stylesheet" href="/assets/15-icons.css"><link rel="stylesheet" href="/assets/20-bridge.css">
<link rel="stylesheet" href="/assets/40-components.css"><link rel="stylesheet" href="/assets/50-forms.css"></head>"""
PLAIN_LOGIN = f"""{_HEAD}<body class="auth-page"><main class="auth-card">
<div class="auth-brand"><span class="auth-mark" aria-hidden="true"></span>PFD</div>
<h1 class="auth-title">Sign in</h1><p class="auth-lead">Experiments in fault diagnosis of bearings.</p>
<div class="form-alert" role="alert"><span class="icon icon-exclamation-circle" aria-hidden="true"></span>
Name or password is wrong.</div><form method="post" class="auth-form">
<div class="form-field"><label class="form-label" for="username">Username</label>
<input class="form-control" id="username" name="username" autocomplete="username" required></div>
<div class="form-field"><label class="form-label" for="password">Password</label>
<input class="form-control" id="password" name="password" type="password"
 aria-invalid="true" aria-describedby="e" required>
<div class="form-hint">At least twelve characters.</div><div class="form-error" id="e">Too short.</div></div>
<button class="btn btn-primary auth-submit" type="submit">Sign in</button></form>
<p class="auth-foot">Forgotten? Ask an administrator.</p></main></body></html>"""
PLAIN_ERROR = f"""{_HEAD}<body class="error-page"><main class="error-card"><div class="error-code">404</div>
<h1 class="auth-title">This page does not exist</h1>
<p class="auth-lead">It may have been removed, or the address is wrong.</p>
<p class="error-request">Request <code>req-8f2c11</code></p>
<div class="error-actions"><a class="btn btn-primary" href="/">Home</a></div></main></body></html>"""


if __name__ == "__main__":
    create_app().run(host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8077, debug=False)
