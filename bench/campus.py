"""A campus with an invented past, of the size that a bench asks for."""

import subprocess
import sys

CIRCLE27 = (sys.executable, "-m", "circle27")


def seeded(campus: str, time_zone: str, users: int, days: int) -> None:
    """Add a campus and seed it, unless that was done before."""
    of_campus = ["--name", "Bench", "--time-zone", time_zone, "--domain", f"{campus}.edu"]
    subprocess.run([*CIRCLE27, "campus", "add", campus, *of_campus], check=True)
    size = ["--users", str(users), "--days", str(days)]
    subprocess.run([*CIRCLE27, "seed", "--campus", campus, *size], check=True)
