"""How gunicorn serves the dashboard; it reads these names. The address to bind comes from the command line."""

import gc
import os
from pathlib import Path
from typing import Any

from config.settings import settings
from database.engine import forget_connections
from web import api_drain, memory

gc.disable()  # while the app is loaded, all that is made stays: to look through it takes a sixth of the time

worker_class = "web.gunicorn_worker.Worker"
workers = settings().web_workers
threads = settings().web_threads
preload_app = True  # the app is loaded once and shared: half the memory
timeout = 60
graceful_timeout = 30
keepalive = 5
proc_name = "pfd-web"

accesslog = None  # requests are logged by the app, without addresses that hold secrets
errorlog = "-"
loglevel = "warning"
control_socket_disable = True  # nobody manages a running gunicorn; its socket would only be one more door

# Heartbeat files belong into memory: on a busy disk a worker would look dead.
_memory = Path("/dev/shm")  # noqa: S108 - a place for gunicorn's own anonymous files
worker_tmp_dir = str(_memory if _memory.is_dir() and os.access(_memory, os.W_OK) else settings().data_dir)

# Who is in front of us is told by PFD_TRUSTED_PROXIES, in one place (web/server.py), and never by a header.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190


def when_ready(server: Any) -> None:
    """Load what all workers need while there are none yet."""
    memory.load_for_all(server.app.wsgi())
    gc.enable()


def pre_fork(_server: Any, _worker: Any) -> None:
    """Leave what is loaded to all workers together: a collection would touch, and so copy, every page of it."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, _worker: Any) -> None:
    """Each worker opens connections of its own, and looks after its own memory."""
    gc.enable()
    forget_connections()
    memory.give_back_regularly()
    api_drain.begin()


def worker_exit(_server: Any, _worker: Any) -> None:
    """What a worker has recorded becomes rows before it ends."""
    api_drain.end()
