"""`python -m circle27`: the same as the `circle27` command."""

from circle27.main import cli

cli()
