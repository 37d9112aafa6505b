"""All tasks by name, in the order they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benches.rivals import (
    frechet,
    mauve,
    neighbors,
    pairs,
    prdc,
    sliced,
    univariate,
    vendi,
)

if TYPE_CHECKING:
    from benches.rivals.task import Task

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        neighbors.TASK,
        prdc.TASK,
        *frechet.TASKS,
        *pairs.TASKS,
        mauve.TASK,
        sliced.TASK,
        univariate.TASK,
        *vendi.TASKS,
    )
}
