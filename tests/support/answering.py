"""Serves the API from a child for each line on standard input, on one socket, so that each can be killed at any moment.

The child drains its journal as fast as it can: a kill comes in the middle of that, too.
"""

import os
import socket
import sys

from werkzeug.serving import make_server

from api.mlflow import blueprints as mlflow
from api.v1 import blueprints as v1
from database.engine import forget_connections, use_engine
from services.api_keys import form
from web import api_drain
from web.server import create_server


def main() -> None:
    """Say the port, then the process of each child."""
    server = create_server()
    for blueprint in (*v1.ALL, *mlflow.ALL):
        server.register_blueprint(blueprint)
    api_drain.EVERY = 0.002
    door = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(door.getsockname()[1], flush=True)
    server.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {form.make().text}"})
    use_engine(None)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            forget_connections()
            api_drain.begin()
            make_server("127.0.0.1", 0, server, threaded=True, fd=door.fileno()).serve_forever()
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
