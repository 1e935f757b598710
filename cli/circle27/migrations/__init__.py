"""Migrations: Sqitch's plan, scripts and registry, run by yoyo's engine.

`circle27 db` and `sqitch` may be used on the same database in turn: both read the same plan and keep the same registry.
"""

from circle27.migrations.operations import (
    Check,
    Status,
    migrate,
    pending,
    rehearse,
    reversals,
    rollback,
    status,
    verify,
)
from circle27.migrations.rehearsal import Lock, Rehearsed

__all__ = [
    "Check",
    "Lock",
    "Rehearsed",
    "Status",
    "migrate",
    "pending",
    "rehearse",
    "reversals",
    "rollback",
    "status",
    "verify",
]
