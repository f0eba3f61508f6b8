"""The smallest application that takes money: one table, one write route, on either side's schema. Run as a process:
``python -m tests.strangler.till SIDE PORT DATABASE_URL``. It knows nothing of the toolkit."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pymysql

INSERT = {
    "legacy": "INSERT INTO payments (idem, amount, status) VALUES (%s, %s / 100, 0)",
    "new": "INSERT INTO payments (idem, cents, state) VALUES (%s, %s, 'new')",
}
SETTLE = {
    "legacy": "UPDATE payments SET status = 1 WHERE idem = %s",
    "new": "UPDATE payments SET state = 'done' WHERE idem = %s",
}
READ = {
    "legacy": "SELECT id, CAST(amount * 100 AS SIGNED), ELT(status + 1, 'new', 'done') FROM payments WHERE idem = %s",
    "new": "SELECT legacy_id, cents, state FROM payments WHERE idem = %s",
}
FENCED, TWICE = 1644, 1062


class Till(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, side: str, port: int, url: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.side, self._url, self._local = side, urlsplit(url), threading.local()

    def session(self) -> pymysql.Connection:
        found = getattr(self._local, "session", None)
        if found is None or not found.open:
            url = self._url
            found = self._local.session = pymysql.connect(
                host=url.hostname, port=url.port, user=url.username, password=url.password or "", database=url.path[1:]
            )
        return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Till

    def do_POST(self) -> None:
        """One transaction: a payment, and its settling. The same key twice is the same payment."""
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(body)
        side = self.server.side
        try:
            session = self.server.session()
            session.begin()
            with session.cursor() as cursor:
                try:
                    cursor.execute(INSERT[side], (asked["key"], asked["cents"]))
                    cursor.execute(SETTLE[side], (asked["key"],))
                except pymysql.err.IntegrityError as error:
                    if error.args[0] != TWICE:
                        raise
                cursor.execute(READ[side], (asked["key"],))
                row = cursor.fetchone()
            session.commit()
        except pymysql.err.MySQLError as error:
            self.server.session().close()
            self._answer(503 if error.args and error.args[0] == FENCED else 500, {"error": str(error)})
            return
        self._answer(200, {"id": row[0], "cents": int(row[1]), "side": side})

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {})
            return
        session = self.server.session()
        session.rollback()
        with session.cursor() as cursor:
            cursor.execute(READ[self.server.side], (self.path.rsplit("/", 1)[-1],))
            row = cursor.fetchone()
        session.rollback()
        self._answer(200 if row else 404, {"id": row[0], "cents": int(row[1]), "state": row[2]} if row else {})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Till(sys.argv[1], int(sys.argv[2]), sys.argv[3]).serve_forever()
