"""The floors: the least that any product could do, in plain SQL on the best index, and a page of bare Dash."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Engine, TextClause, text
from tsdownsample import MinMaxLTTBDownsampler

# What the list shows, in one statement; tags come in a second one, as a row may carry several.
_LIST = """
    SELECT e.id, e.name, e.given_name, e.group_name, e.status, e.model_type, e.epochs_completed, e.total_epochs,
           e.duration_seconds, e.created_at, e.started_at, e.ended_at, d.name AS dataset, u.username AS owner,
           m.max_value
    FROM metric_series m JOIN experiments e ON e.id = m.experiment_id
    LEFT JOIN datasets d ON d.id = e.dataset_id LEFT JOIN users u ON u.id = e.created_by
    WHERE m.key_id = (SELECT id FROM metric_keys WHERE name = 'val_accuracy')
      AND m.max_value IS NOT NULL AND e.deleted_at IS NULL {filtered}
    ORDER BY m.max_value DESC, m.experiment_id DESC LIMIT 101
"""
_BY_PARAM = """AND EXISTS (SELECT 1 FROM experiment_params p
                  WHERE p.experiment_id = e.id AND p.name = 'batch_size' AND p.value_number = 64)"""
FILTERED_SQL = text(_LIST.format(filtered=_BY_PARAM))
SORTED_SQL = text(_LIST.format(filtered=""))
TAGS_SQL = (
    "SELECT x.experiment_id, t.name FROM experiment_tags x JOIN tags t ON t.id = x.tag_id WHERE x.experiment_id IN "
)
ROWS_SQL = text("""
    SELECT experiment_id, epoch, val_loss FROM training_runs
    WHERE experiment_id BETWEEN 1 AND 50 ORDER BY experiment_id, epoch
""")
PACKED_SQL = text("""
    SELECT c.series_id, c.points, c."values" FROM metric_chunks c JOIN metric_series s ON s.id = c.series_id
    WHERE s.experiment_id BETWEEN :low AND :high ORDER BY c.series_id, c.start
""")

POINTS_TABLE = (
    "DROP TABLE IF EXISTS bare_points",
    "CREATE TABLE bare_points (run TEXT, step INTEGER, value FLOAT, PRIMARY KEY (run, step))",
)
POINTS_SQL = text("INSERT INTO bare_points VALUES (:run, :step, :value)")


def listed(engine: Engine, statement: TextClause) -> bytes:
    """A hundred rows of the list as JSON."""
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(statement)]
        ids = ",".join(str(row["id"]) for row in rows)
        tags = [tuple(row) for row in connection.execute(text(f"{TAGS_SQL} ({ids})"))]
    return orjson.dumps({"rows": rows[:100], "tags": tags})


def curves_from_rows(engine: Engine) -> bytes:
    """Fifty curves of 100 epochs from the epoch rows, as JSON."""
    found: dict[int, tuple[list[int], list[float]]] = {}
    with engine.connect() as connection:
        for experiment_id, epoch, value in connection.execute(ROWS_SQL):
            x, y = found.setdefault(experiment_id, ([], []))
            x.append(epoch)
            y.append(value)
    return orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS)


def long_curves_packed(engine: Engine, ids: list[int], points: int = 400) -> bytes:
    """Twenty curves of 100,000 steps from packed bytes, down-sampled, as JSON."""
    sampler = MinMaxLTTBDownsampler()  # type: ignore[no-untyped-call]
    parts: dict[int, list[np.ndarray]] = {}
    with engine.connect() as connection:
        for series_id, number, data in connection.execute(PACKED_SQL, {"low": min(ids), "high": max(ids)}):
            kind = "<f4" if len(data) == 4 * number else "<f8"
            parts.setdefault(series_id, []).append(np.frombuffer(data, dtype=kind))
    drawn = []
    for chunks in parts.values():
        values = np.concatenate(chunks)
        kept = sampler.downsample(values, n_out=points)
        drawn.append({"x": kept.astype(np.int64), "y": values[kept]})
    return orjson.dumps(drawn, option=orjson.OPT_SERIALIZE_NUMPY)


def bare_flask(url: str, port: int) -> None:
    """Serve the sorted list from a bare Flask view; runs until it is ended."""

    def build() -> Any:
        from flask import Flask

        from database.engine import build_engine

        engine, app = build_engine(url), Flask("bare")
        for path, statement in (("/", SORTED_SQL), ("/filtered", FILTERED_SQL)):
            app.add_url_rule(path, path, _view(engine, statement))
        return app

    _served(build, port)


def bare_ingest(url: str, port: int) -> None:
    """Take in points in a bare Flask view with one commit for each request; runs until it is ended."""

    def build() -> Any:
        from flask import Flask, request

        from database.engine import build_engine

        engine, app = build_engine(url), Flask("bare")
        with engine.begin() as connection:
            for statement in POINTS_TABLE:
                connection.execute(text(statement))
        engine.dispose()  # each worker has connections of its own

        def take() -> bytes:
            points = request.get_json()["points"]
            with engine.begin() as connection:
                connection.execute(POINTS_SQL, points)
            return b"{}"

        app.add_url_rule("/points", "take", take, methods=["POST"])
        app.add_url_rule("/", "here", lambda: b"")
        return app

    _served(build, port)


def forget_points(url: str) -> None:
    """Take away what `bare_ingest` has made."""
    from database.engine import build_engine

    engine = build_engine(url)
    with engine.begin() as connection:
        connection.execute(text(POINTS_TABLE[0]))
    engine.dispose()


def _served(build: Callable[[], Any], port: int) -> None:
    """Serve an app as the product is: gunicorn, two workers of eight threads."""
    from gunicorn.app.base import BaseApplication

    class Bare(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {"bind": f"127.0.0.1:{port}", "workers": 2, "threads": 8, "worker_class": "gthread"}
            shared = {"preload_app": True, "loglevel": "error", "control_socket_disable": True}
            for name, value in {**options, **shared}.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            return build()

    Bare().run()


def _view(engine: Engine, statement: TextClause) -> Callable[[], Any]:
    from flask import Response

    return lambda: Response(listed(engine, statement), mimetype="application/json")


def bare_dash(port: int) -> None:
    """Serve a bare Dash page with a grid of 100 rows and 50 curves; runs until it is ended."""
    import dash_ag_grid
    from dash import Dash, dcc, html

    rng = np.random.default_rng(3)
    rows = [{f"c{column}": float(rng.random()) for column in range(10)} for _ in range(100)]
    curves = [{"type": "scatter", "mode": "lines", "y": rng.random(100).round(5).tolist()} for _ in range(50)]
    app = Dash("bare")
    app.layout = html.Div(
        [
            dash_ag_grid.AgGrid(rowData=rows, columnDefs=[{"field": f"c{column}"} for column in range(10)]),
            dcc.Graph(figure={"data": curves, "layout": {}}),
        ]
    )
    app.run(host="127.0.0.1", port=port, debug=False)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["flask", url, port]:
            bare_flask(url, int(port))
        case ["ingest", url, port]:
            bare_ingest(url, int(port))
        case [_, port]:
            bare_dash(int(port))
