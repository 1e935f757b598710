"""supervisord's event listener: when PgBouncer is back, let PostgREST drop its dead connections.

Without it each pooled connection would fail one request more, however long ago PgBouncer was restarted.
SIGUSR1 makes PostgREST flush its pool and reload its schema cache.
"""

import os
import sys

from supervisor import childutils

from circle27.stack.settings import Settings


def main() -> None:
    """Wait for events on standard input, for ever."""
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
