"""The healer keeps supervisord awake (circle27.stack.healer), whatever supervisord answers."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

# Of a supervisord that is going, or coming.
ANSWERS = [b"", b"<?xml version='1.0'?><methodResponse><par", b"no XML at all"]


def test_supervisord_is_asked_again_and_again() -> None:
    asked = threading.Semaphore(0)

    class Supervisord(BaseHTTPRequestHandler):
        answers = iter(ANSWERS)

        def do_POST(self) -> None:
            asked.release()
            if answer := next(self.answers, None):
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Supervisord) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {**os.environ, "SUPERVISOR_SERVER_URL": f"http://127.0.0.1:{server.server_port}"}
        command = [sys.executable, "-c", "from circle27.stack.healer import keep_awake; keep_awake()"]
        with subprocess.Popen(command, env=environment) as healer:
            try:
                for _ in range(len(ANSWERS) + 2):
                    assert asked.acquire(timeout=20), "the healer gave up"
            finally:
                healer.terminate()
                server.shutdown()
