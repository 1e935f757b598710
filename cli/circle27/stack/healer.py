"""supervisord's event listener: when PgBouncer is back, let PostgREST drop its dead connections.

Without it each pooled connection would fail one request more, however long ago PgBouncer was restarted.
SIGUSR1 makes PostgREST flush its pool and reload its schema cache.

And it keeps supervisord awake, which starts what has died at its next turn: a second or two later where nobody asks it
anything, as it sleeps a second in each; at once where somebody does.
"""

import os
import sys
import threading
import time
from contextlib import suppress

from supervisor import childutils

from circle27.stack.settings import Settings

TURN_S = 0.25


def keep_awake() -> None:
    """Ask supervisord for its state, again and again."""
    while True:
        time.sleep(TURN_S)
        with suppress(Exception):  # whatever came instead of an answer: ask again
            # A new connection each time: one that failed once stays broken.
            childutils.getRPCInterface(os.environ).supervisor.getState()


def main() -> None:
    """Wait for events on standard input, for ever."""
    threading.Thread(target=keep_awake, daemon=True).start()
    rpc = childutils.getRPCInterface(os.environ).supervisor
    # The first start is no restart: PostgREST was not there before. But this listener may itself have been restarted.
    seen_running = rpc.getProcessInfo("pgbouncer")["statename"] == "RUNNING"
    while True:
        headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
        event = childutils.get_headers(payload)
        if headers["eventname"] == "PROCESS_STATE_RUNNING" and event["processname"] == "pgbouncer":
            if seen_running:
                for service in Settings.postgrest_services():
                    if rpc.getProcessInfo(service)["statename"] in ("RUNNING", "STARTING"):
                        rpc.signalProcess(service, "USR1")
            seen_running = True
        childutils.listener.ok(sys.stdout)


if __name__ == "__main__":
    main()
