"""What must hold of the database when the calls are over."""

from pathlib import Path

from circle27.stack.supervision import wait_until
from tests.stack import Stack

ROWS = Path(__file__).with_name("consistent.sql")


def faults(stack: Stack) -> list[str]:
    """Return what does not hold: of the rows, the outbox, the schema."""
    return [*faults_of_rows(stack), *faults_of_outbox(stack), *faults_of_schema(stack)]


def faults_of_rows(stack: Stack) -> list[str]:
    return [f"{fault}: {whom}" for fault, whom in stack.sql(ROWS.read_text("utf-8"))]


def faults_of_outbox(stack: Stack) -> list[str]:
    """Give the worker half a minute to tell what is waiting."""
    try:
        wait_until(lambda: stack.sql("select count(*) from events.outbox") == [(0,)], 30, "the outbox does not drain")
    except Exception as error:  # told with the other faults
        return [str(error)]
    return []


def faults_of_schema(stack: Stack) -> list[str]:
    """Ask `circle27 db` whether everything is there, and nothing else."""
    asked = {command: stack.run("db", command, check=False) for command in ("verify", "drift")}
    return [f"circle27 db {command}: {said.stdout}{said.stderr}" for command, said in asked.items() if said.returncode]
