"""`circle27 load run`: one run, or several with other numbers of members; then the report of them all."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from circle27.load import report
from circle27.load.play import Choice, Played, Stage
from circle27.load.scenarios import Scenario


def climb(  # noqa: PLR0917 - each once
    stage: Stage,
    scenario: Scenario,
    rungs: Sequence[int],
    wanted: dict[str, Any],
    folder: Path,
    told: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Play a run with each of these numbers of members, until Ctrl-C; return what summary.json says.

    `wanted` is what Choice.of() takes; `told` gets the summary of each run as soon as it is over.
    """
    played: list[Played] = []
    for users in rungs:
        choice = Choice.of(scenario, users, **wanted)
        stage.say(f"{scenario.name} with {users:,} members at {stage.url}")
        played.append(stage.play(scenario, users, choice))
        told(played[-1].summary)
        if played[-1].summary["interrupted"]:
            break
    facts = report.facts(stage.settings, stage.ground.postgresql, asdict(choice))
    return report.write(folder, scenario, played, facts)
