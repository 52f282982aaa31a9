"""Memory: what all processes need is loaded once, and what a burst of work has left is given back.

glibc keeps freed pages for the next burst, which may not come.
"""

import ctypes
import gc
import threading

import psutil
from flask import Flask
from sqlalchemy.orm import configure_mappers

from config.settings import settings
from database.engine import close_connections
from services.storage.chosen import store

EVERY = 10.0  # seconds
GROWN = 16_000_000  # bytes; below it a collection would unshare more from the other processes than it frees


def load_for_all(server: Flask) -> None:
    """Do once, before there are workers, what each of them would do first: its pages are then theirs together."""
    configure_mappers()
    store()  # what speaks S3 is 30 MB, where files lie in a bucket; connections are made by each worker
    client = server.test_client()
    for path in ("/readyz", "/login"):  # the driver, the statements, the migrations, the templates
        client.get(path, base_url=settings().address)
    close_connections()


def give_back_regularly() -> None:
    """Start a thread that trims the heap once it has grown; elsewhere than on glibc nothing is to be done."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    threading.Thread(target=_run, args=(trim, threading.Event()), name="memory", daemon=True).start()


def _run(trim: "ctypes._NamedFuncPointer", pause: threading.Event) -> None:
    process = psutil.Process()
    kept: int = process.memory_info().rss
    while not pause.wait(EVERY):
        if process.memory_info().rss > kept + GROWN:
            gc.collect()
            trim(0)
            kept = process.memory_info().rss
