"""Migrations: Sqitch's plan, scripts and registry, run by yoyo's engine.

`circle27 db` and `sqitch` may be used on the same database in turn: both read the same plan and keep the same registry.
"""

from circle27.migrations.operations import (
    Check,
    Reversal,
    Status,
    migrate,
    pending,
    reversals,
    rollback,
    status,
    verify,
)

__all__ = ["Check", "Reversal", "Status", "migrate", "pending", "reversals", "rollback", "status", "verify"]
