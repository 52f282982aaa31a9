"""The dashboard: settings, server, pages, seal. `python app.py` serves the web part alone, with hot reload."""

from pathlib import Path

import dash
import dash_bootstrap_components as dbc  # noqa: F401 - its bundle must be known before the first page
from dash import Dash, html
from flask import Flask

from api.mlflow import blueprints as mlflow
from api.v1 import blueprints as v1
from components import clientside
from components.index_template import ASSETS_PATH_IGNORE, index_string
from config.settings import settings
from jobs import announcing
from pages import _frame
from web import api_drain, callbacks, statuses
from web.seal import seal
from web.server import create_server
from web.tracing import configure_logging

HERE = Path(__file__).resolve().parent


def create_app() -> Dash:
    """Build the app; it refuses to start when a route, page or callback declares no permission."""
    settings().prepare_data_dir()
    server = create_server()
    for blueprint in (*v1.ALL, *mlflow.ALL):
        server.register_blueprint(blueprint)
    app = Dash(
        "pfd",
        server=server,  # type: ignore[arg-type]
        use_pages=True,
        pages_folder=str(HERE / "pages"),
        assets_folder=str(HERE / "assets"),
        assets_path_ignore=ASSETS_PATH_IGNORE,
        index_string=index_string(),
        title="PFD",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,  # else the layouts of all pages stand in the index page
        include_pages_meta=False,
        enable_mcp=False,
        on_error=callbacks.on_error,
    )
    app.layout = html.Div(dash.page_container)
    clientside.register(app)
    statuses.register(server)
    seal(server, app)
    app.layout = _frame.frame  # only now: Dash's set-up calls the layout while nobody is signed in
    announcing.announce_to_celery()
    return app


def create_wsgi() -> Flask:
    """What gunicorn serves."""
    configure_logging()
    server: Flask = create_app().server
    return server


if __name__ == "__main__":
    from cli.database import prepare
    from config.errors import ConfigurationError

    try:
        prepare()
    except ConfigurationError as error:
        raise SystemExit(f"Error: {error}") from error
    configure_logging()
    api_drain.begin()
    create_app().run(
        host=settings().host,
        port=settings().port,
        debug=True,
        dev_tools_disable_version_check=True,  # it would ask an address outside
    )
