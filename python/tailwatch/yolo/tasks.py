"""What a model finds: the task, told from the model or said, and refused where it is not built.

===========  =======================================  ============================================
task         what is found, and what the data hold    a line of a label file
===========  =======================================  ============================================
``detect``   boxes                                    ``class x y w h``
``segment``  instances: a polygon with its box        ``class x1 y1 x2 y2 x3 y3 …``
===========  =======================================  ============================================

Data, labels, evaluation and statistics follow the task. Other tasks of Ultralytics are refused by
name before anything is read.

Level: no other part of ``yolo``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from typing import Self

__all__ = ["NOT_BUILT", "Task", "require_task"]

NOT_BUILT = ("classify", "pose", "obb", "semantic", "depth")
"""Tasks of Ultralytics that are refused by their names."""


class Task(StrEnum):
    """What a model finds, by the name that Ultralytics gives it.

    Examples
    --------
    >>> from tailwatch.yolo import Task
    >>> Task.of("segment")
    <Task.SEGMENT: 'segment'>
    """

    DETECT = "detect"
    SEGMENT = "segment"

    @classmethod
    def of(cls, value: object, argument: str = "task") -> Self:
        """Return the task of this name.

        Raises
        ------
        InputError
            It is no task, or one that is not built.
        """
        if isinstance(value, str) and value in {str(task) for task in cls}:
            return cls(value)
        built = value not in NOT_BUILT
        raise InputError(
            argument=argument,
            expected=WORDS,
            got=shown(value) if built else f"{shown(value)}, which is not built",
        )

    @property
    def does(self) -> str:
        """What a model of this task does, in words."""
        return "segments instances" if self is Task.SEGMENT else "detects boxes"

    @property
    def one(self) -> str:
        """What a row of a label file is."""
        return "instance" if self is Task.SEGMENT else "box"

    @property
    def several(self) -> str:
        """What rows of a label file are."""
        return "instances" if self is Task.SEGMENT else "boxes"

    @property
    def holds(self) -> str:
        """What data of this task hold, in words."""
        return "instances with polygons" if self is Task.SEGMENT else "boxes"


WORDS = "detect or segment"


def require_task(found: Task, task: Task, argument: str) -> None:
    """Refuse data of another task.

    Parameters
    ----------
    found
        Task of the data.
    task
        Task that is asked for.
    argument
        What the data are called.
    """
    if found is not task:
        raise InputError(
            argument=argument,
            expected=f"{task.holds}, as the model {task.does}",
            got=found.holds,
            hint=f"read the data with task={str(task)!r}",
        )
