"""Rows of a frame, handed to a logger of experiments that is installed and asked for.

====================  ========================================================================
name                  where the values go
====================  ========================================================================
``"mlflow"``          the active run of MLflow
``"tensorboard"``     ``tailwatch/`` in the folder of the training
``"wandb"``           the current run of Weights & Biases; without one, nowhere
====================  ========================================================================

Each value is a number named ``tailwatch/METRIC`` at its step; a tail level follows the metric
(``type_coverage/0.3``), and what a metric is of stands behind a slash (``class_share/red``).
Intervals are in the frame and on the page.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, MissingDependencyError, meant
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tailwatch.recursion.frame import Row

__all__ = ["LOGGERS", "check_loggers", "log_rows", "values_of"]

LOGGERS = {"mlflow": "mlflow", "tensorboard": "tensorboard", "wandb": "wandb"}
"""Packages of the loggers, by name."""


def check_loggers(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of loggers, each once.

    Raises
    ------
    InputError
        A name of no logger.
    MissingDependencyError
        It is not installed.
    """
    found = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in found:
        if name not in LOGGERS:
            raise InputError(
                argument="log_to",
                expected=f"loggers among {', '.join(LOGGERS)}",
                got=shown(name),
                hint=meant(str(name), LOGGERS),
            )
        if importlib.util.find_spec(LOGGERS[name]) is None:
            raise MissingDependencyError(
                argument="log_to",
                expected=name,
                got="none that can be imported",
                hint=f"pip install {LOGGERS[name]}",
            )
    return found


def values_of(rows: Iterable[Row]) -> dict[str, float]:
    """Return the finite values of rows, by the name that a logger gives them."""
    values = {}
    for row in rows:
        value, level = row.get("value"), row.get("level")
        if value is None or not math.isfinite(value):
            continue
        name = row["metric"].replace("→", "-to-").replace(":", "/")
        if level is not None:
            name += f"/{level:g}"
        # What all loggers take in a name.
        values["tailwatch/" + re.sub(r"[^\w ./-]", "_", name)] = float(value)
    return values


def log_rows(rows: Iterable[Row], step: int, names: Iterable[str], folder: Path) -> None:
    """Hand the values of rows to loggers.

    Parameters
    ----------
    rows
        Rows of a frame.
    step
        The epoch.
    names
        Loggers.
    folder
        Folder of the training.
    """
    values = values_of(rows)
    write = {"mlflow": _mlflow, "tensorboard": _tensorboard, "wandb": _wandb}
    for name in names:
        write[name](values, step, folder)


def _module(name: str) -> Any:  # noqa: ANN401  (a package that need not be installed)
    return importlib.import_module(name)


def _mlflow(values: Mapping[str, float], step: int, folder: Path) -> None:  # noqa: ARG001
    _module(LOGGERS["mlflow"]).log_metrics(dict(values), step=step)


def _tensorboard(values: Mapping[str, float], step: int, folder: Path) -> None:
    writer = _module("torch.utils.tensorboard").SummaryWriter(str(folder / "tailwatch"))
    try:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
    finally:
        writer.close()


def _wandb(values: Mapping[str, float], step: int, folder: Path) -> None:  # noqa: ARG001
    run = _module(LOGGERS["wandb"]).run
    if run is not None:
        run.log(dict(values), step=step)
