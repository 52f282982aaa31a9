"""Facts about what the processes load and how many cores they take, each seen in a process of its own."""

import os
import subprocess
import sys

import pytest

from config.settings import ROOT


def said_by(code: str) -> str:
    """What a fresh Python prints."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def loaded_of(names: set[str], code: str) -> set[str]:
    """Which of these modules a fresh Python has loaded after the code."""
    found = said_by(f"import sys; {code}; print(*({names!r} & set(sys.modules)))")
    return set(found.split())


def test_the_workers_parent_loads_nothing_heavy() -> None:
    heavy = {"sklearn", "scipy", "numpy", "h5py", "cryptography", "jinja2", "flask", "dash"}
    assert loaded_of(heavy, "import jobs.tasks, jobs.processes") == set()


def test_the_scheduler_loads_neither_tables_nor_tasks() -> None:
    start = "from jobs.celery_app import build; build(()).loader.init_worker()"
    assert loaded_of({"sqlalchemy", "numpy", "jobs.tasks"}, start) == set()


def test_a_child_computes_on_one_core() -> None:
    code = (
        "from jobs import processes; processes.begin_child(); import sklearn.neural_network, threadpoolctl; "
        "print({library['num_threads'] for library in threadpoolctl.threadpool_info()})"
    )
    assert said_by(code) == "{1}"


def test_announcing_leaves_the_web_process_all_its_cores() -> None:
    code = "import os; from jobs import announcing, celery_app; print('OMP_NUM_THREADS' in os.environ)"
    assert said_by(code) == "False"


def test_a_child_forgets_the_connections_of_its_parent() -> None:
    code = (
        "from database import engine; before = engine.engine().pool; from jobs import processes; "
        "processes.begin_child(); print(engine.engine().pool is before)"
    )
    assert said_by(code) == "False"


@pytest.mark.parametrize("broker", ["", "redis://127.0.0.1:1/0"])
def test_what_the_parent_has_loaded_is_left_to_all_children_whatever_the_broker(broker: str) -> None:
    code = (
        f"import gc, os, sys; gc.disable(); os.environ['REDIS_URL'] = {broker!r}; "
        "from jobs.celery_app import celery; celery.Worker(loglevel='ERROR', quiet=True).on_start(); "
        "print(gc.get_freeze_count() > 50_000, 'and collects again' * gc.isenabled(), file=sys.__stdout__)"
    )
    assert said_by(code) == "True and collects again"


def test_a_process_of_the_web_collects_what_is_free_once_the_app_is_loaded() -> None:
    code = (
        "import gc; from web import api_drain, gunicorn_settings as its; before = gc.isenabled(); "
        "api_drain.begin = lambda: None; its.post_fork(None, None); print(before, gc.isenabled())"
    )
    assert said_by(code) == "False True"
