"""A server that answers like an object store that has nothing, except where a test wants it otherwise."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, str]  # status, and the code of the error or else the body
WORDS = {"delimiter", "partNumber", "uploadId", "uploads"}  # of an address, by which requests are told apart
SILENCE: Answer = (0, "")
NOTHING: Answer = (200, "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>")
BEGUN: Answer = (200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
USUAL = {"GET": NOTHING, "GET ?delimiter": NOTHING, "HEAD": (404, "404"), "POST ?uploads": BEGUN}


class ScriptedStore:
    """`answers` decides by kind of request (such as “GET”, “POST ?uploads”, “PUT ?partNumber”) and may be changed."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.over = threading.Event()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                store.answer(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def forget(self) -> None:
        """Answer as usual again, also whoever waits still."""
        self.over.set()
        self.over = threading.Event()
        self.answers, self.asked = {}, []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Look a request up; one of which nothing is said is answered as by an empty store that takes everything."""
        words = sorted(parse_qs(urlsplit(request.path).query, keep_blank_values=True))
        kind = " ?".join([request.command, *(word for word in words if word in WORDS)])
        self.asked.append(kind)
        usual: dict[str, Answer] = {
            "GET": NOTHING,
            "GET ?delimiter": NOTHING,
            "HEAD": (404, "404"),
            "POST ?uploads": BEGUN,
        }
        status, text = self.answers.get(kind) or self.answers.get("all") or usual.get(kind, (200, ""))
        if not status:
            self.over.wait()
            request.close_connection = True
            return
        left = int(request.headers.get("Content-Length", 0))
        while left > 0:
            left -= len(request.rfile.read(min(left, 65_536)))
        body = f"<Error><Code>{text}</Code><Message>m</Message></Error>" if status >= 400 else text
        request.send_response(status)
        request.send_header("ETag", '"e"')
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body.encode())


@contextmanager
def serving() -> Iterator[ScriptedStore]:
    """One on a port of this machine."""
    store = ScriptedStore()
    threading.Thread(target=store.server.serve_forever, args=(0.02,), daemon=True).start()
    yield store
    store.forget()
    store.server.shutdown()
    store.server.server_close()
