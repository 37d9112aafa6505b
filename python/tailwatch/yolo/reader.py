"""One set of a user's data, read as Ultralytics reads it, with all that is wrong with it.

This is the one place that decides which files are images of a set, which rows are labels of them,
and what cannot be used. Ultralytics passes over an image for whatever is wrong with it or its
labels, with a line in its log, and trains on the rest. Such an image is a *bad file* here: it is
named with its file and line, and is refused, or left out where the caller says so; then the set is
the one that Ultralytics trains on. docs/guide/yolo.md lists in what the two differ.

An image without a label file is one on which there is nothing, as for Ultralytics; how many there
are is said. A label file whose name differs in case (``a.TXT``) would be passed over in that way,
and is a bad file here.

Level: above ``data_yaml``, ``image_lists``, ``label_rows`` and ``ndjson_reader``. Cost: each image
is read once for its SHA-256 and looked at as Pillow verifies it.

The file is long because what is read, and what is wrong with it, are one decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.report.words import counted
from tailwatch.text_form import path_text
from tailwatch.yolo.data_yaml import label_path, read_yaml
from tailwatch.yolo.image_files import measure, unusable
from tailwatch.yolo.image_lists import is_image_name, list_images
from tailwatch.yolo.instances import LEAST_COLUMNS
from tailwatch.yolo.label_rows import LabelRows, parse_rows, read_rows
from tailwatch.yolo.ndjson_reader import read_ndjson
from tailwatch.yolo.origins import PSEUDO, Origin
from tailwatch.yolo.problems import ERROR, NOTE, Problem, refuse
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tailwatch.yolo.detections import Box
    from tailwatch.yolo.instances import LabelRow
    from tailwatch.yolo.ndjson_reader import Record

__all__ = ["OF_ANOTHER_TASK", "ImageContent", "SetContent", "read_set", "splits_of"]

NAMED = 5
"""Files that a sentence names; the rest is counted."""

SINGLE = ("item",)
"""What Ultralytics calls the one class of a set whose classes are taken for one."""

LEAVE_OUT = "bad_files='leave-out' leaves these images out, as Ultralytics does"

NO_MASK = "no mask can be learnt of a box"

OF_ANOTHER_TASK = "labels of another task"
"""Kind of the one problem of a set whose labels are boxes alone, where masks are learnt."""


@dataclass(frozen=True, slots=True)
class ImageContent:
    """An image that can be used, with its labels.

    Attributes
    ----------
    path
        The file.
    sha256, width, height
        What it is, and its size as it is seen.
    labels
        Its rows; None where it has no label file.
    label_file, line
        Where the rows are: a label file, or a line of an NDJSON file.
    origin
        Whose labels these are, where the set says that they are a detector's.
    """

    path: Path
    sha256: str
    width: int
    height: int
    labels: LabelRows | None
    label_file: Path
    line: int | None = None
    origin: Origin | None = None

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Its boxes."""
        return () if self.labels is None else self.labels.boxes

    @property
    def polygons(self) -> tuple[tuple[float, ...], ...]:
        """Its polygons, where it has them: class, x1, y1, x2, y2, …."""
        if self.labels is None or self.labels.polygons is None:
            return ()
        rows = zip(self.labels.boxes, self.labels.polygons, strict=True)
        return tuple((box[0], *corners) for box, corners in rows)

    def rows(self, task: Task) -> tuple[LabelRow, ...]:
        """Return what its labels are for a task: boxes, or polygons."""
        return self.polygons if task is Task.SEGMENT else self.boxes


@dataclass(slots=True)
class SetContent:
    """One set: what can be used of it, and what cannot.

    Attributes
    ----------
    source
        The ``data.yaml``, or the NDJSON file.
    split
        Name of the set.
    names
        The classes.
    images
        The images that can be used, in the order of their paths.
    problems
        Bad files, by severity error; and notes.
    listed
        Number of images that the set names.
    task
        What it was read for.
    """

    source: Path
    split: str
    names: tuple[str, ...]
    images: list[ImageContent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    listed: int = 0
    task: Task = Task.DETECT

    @property
    def left_out(self) -> int:
        """Number of images that cannot be used."""
        return self.listed - len(self.images)

    @property
    def unlabelled(self) -> int:
        """Number of images without a label file."""
        return sum(image.labels is None for image in self.images)

    @property
    def duplicates(self) -> int:
        """Number of rows that were there before, and are removed."""
        return sum(0 if each.labels is None else each.labels.duplicates for each in self.images)

    @property
    def polygons(self) -> int:
        """Number of images whose labels are polygons."""
        labels = (image.labels for image in self.images)
        return sum(each is not None and each.polygons is not None for each in labels)

    def require(self, bad_files: str) -> None:
        """Refuse bad files, all at once, unless they are to be left out.

        Raises
        ------
        SourceError
            There are bad files, or there is nothing else.
        """
        # Of a set for another task nothing would be left.
        of_all = [each for each in self.problems if each.kind == OF_ANOTHER_TASK]
        refuse(of_all, path_text(self.source))
        if bad_files == "refuse":
            refuse(self.problems, path_text(self.source), hint=LEAVE_OUT)
        if not self.images:
            raise SourceError(
                argument=path_text(self.source),
                expected=f"images that can be used in the set {self.split!r}",
                got=f"none of {self.listed}",
                where=self.problems[0].text if self.problems else None,
            )

    def remarks(self) -> tuple[str, ...]:
        """Return sentences of what was left out or changed on the way."""
        said = []
        errors = self.problems_of(ERROR)
        if errors:
            first = "; ".join(problem.text for problem in errors[:NAMED])
            more = f" and {len(errors) - NAMED} more" if len(errors) > NAMED else ""
            folders = sum(problem.kind == "folder" for problem in errors)
            beside = f" and {counted(folders, 'folder')}" if folders else ""
            said.append(
                f"left out: {self.left_out} of {self.listed} {self.split} images{beside} cannot be "
                f"used: {first}{more}"
            )
        if self.duplicates:
            said.append(f"{self.split} labels: {_twice(self.duplicates)}")
        return tuple(said)

    def problems_of(self, severity: str) -> list[Problem]:
        """List the problems of a severity."""
        return [each for each in self.problems if each.severity == severity]

    def notes(self) -> Iterator[Problem]:
        """Yield what is to be known of the set and is no problem."""
        yield from self.problems_of(NOTE)
        if count := self.unlabelled:
            said = "1 image has" if count == 1 else f"{count} images have"
            said += " no label file: background"
            yield Problem("image without labels", said, NOTE, self.split)
        if self.duplicates:
            yield Problem("duplicate rows", _twice(self.duplicates), NOTE, self.split)
        if (count := self.polygons) and self.task is Task.DETECT:
            said = "1 image has" if count == 1 else f"{count} images have"
            said += " polygons, which are read as boxes"
            yield Problem("polygons", said, NOTE, self.split)


def _twice(rows: int) -> str:
    return (
        f"{rows} rows are there twice and count once"
        if rows > 1
        else ("1 row is there twice and counts once")
    )


def splits_of(path: Path) -> tuple[str, ...]:
    """List the sets that a ``data.yaml`` or an NDJSON file has."""
    if path.suffix.lower() == ".ndjson" and path.is_file():
        return tuple(read_ndjson(path).records)
    return tuple(read_yaml(path).entries)


def read_set(
    path: Path, split: str, *, single_cls: bool = False, task: Task = Task.DETECT
) -> SetContent:
    """Read one set, and find all that is wrong with it.

    Parameters
    ----------
    path
        A ``data.yaml``, a folder that has it, the bare name of one that comes with Ultralytics, or
        an NDJSON file.
    split
        ``"train"``, ``"val"`` or ``"test"``.
    single_cls
        Whether to take all classes for one.
    task
        What the set is for. An image whose rows are boxes is a bad file where masks are learnt.

    Raises
    ------
    SourceError
        The file, the set or its places are not there. The network is not asked for them.
    """
    try:
        found = _read(path, split, single_cls=single_cls)
    except TailwatchError:
        raise
    # A name that is too long, has a NUL in it, or leads through what may not be read.
    except (OSError, ValueError) as error:
        raise SourceError(
            argument=path_text(path), expected=f"a set {split!r} that can be read", got=str(error)
        ) from error
    found.task = task
    if task is Task.SEGMENT:
        _require_polygons(found)
    return found


def _require_polygons(found: SetContent) -> None:
    """Make bad files of images whose rows are boxes, or no more than a point.

    A set that has boxes alone is one problem, and not as many as it has images.
    """
    drawn = [image for image in found.images if image.boxes]
    if len(drawn) > 1 and not any(image.polygons for image in drawn):
        cause = SourceError(
            argument=path_text(found.source),
            expected=f"polygons, class x1 y1 x2 y2 x3 y3 …, in the set {found.split!r}",
            got=f"boxes alone, on {len(drawn)} images",
            hint=f"{NO_MASK}; the task 'detect' reads boxes",
        )
        found.problems.append(Problem.of(cause, OF_ANOTHER_TASK, found.split, found.source))
        found.images = []
        return
    kept = []
    for image in found.images:
        least = min(map(len, image.polygons), default=0)
        if image.boxes and least < LEAST_COLUMNS:
            place = "" if image.line is None else f": line {image.line}"
            cause = SourceError(
                argument=path_text(image.label_file) + place,
                expected="polygons, class x1 y1 x2 y2 x3 y3 …",
                got="a point" if image.polygons else "boxes",
                hint=None if image.polygons else NO_MASK,
            )
            found.problems.append(
                Problem.of(cause, "label file", found.split, image.label_file, image.line)
            )
        else:
            kept.append(image)
    found.images = kept


def _read(path: Path, split: str, *, single_cls: bool) -> SetContent:
    is_ndjson = path.suffix.lower() == ".ndjson" and path.is_file()
    content = (_of_ndjson if is_ndjson else _of_yaml)(path, split, single_cls=single_cls)
    if single_cls:
        content.names = SINGLE
        for place, image in enumerate(content.images):
            if image.labels is not None:
                boxes = tuple((0, *box[1:]) for box in image.labels.boxes)
                labels = LabelRows(boxes, image.labels.polygons, image.labels.duplicates)
                content.images[place] = replace(image, labels=labels)
    return content


def _of_yaml(path: Path, split: str, *, single_cls: bool) -> SetContent:
    data = read_yaml(path)
    listed = list_images(data, split)
    found = SetContent(data.path, split, data.names, problems=listed.problems)
    # What a list or a folder names and is not there was to be an image, too.
    found.listed = len(listed.images) + sum(each.kind == "image" for each in listed.problems)
    classes = None if single_cls else len(data.names)
    names = _FileNames()
    for image in listed.images:
        file = label_path(image)
        labels = read_rows(file, classes, keypoint_columns=data.keypoint_columns)
        other = names.other_case(file) if labels is None else None
        if other is not None:
            cause = SourceError(
                argument=path_text(other),
                expected=f"labels in {file.name}, which is what Ultralytics reads",
                got="a name in another case",
                hint="rename it",
            )
            labels = LabelRows(errors=((None, cause),))
        _add(found, image, labels, file if other is None else other)
    return found


def _of_ndjson(path: Path, split: str, *, single_cls: bool) -> SetContent:
    data = read_ndjson(path)
    records = data.records.get(split)
    if not records:
        raise SourceError(
            argument=path_text(path), expected=f"the set {split!r}", got=", ".join(data.records)
        )
    records = sorted(
        (each for each in records if is_image_name(each.image.name)), key=lambda r: str(r.image)
    )
    found = SetContent(path, split, data.names, listed=len(records))
    for record in records:
        labels = parse_rows(
            record.rows,
            f"{path_text(path)}: line {record.line}",
            None if single_cls else len(data.names),
            keypoint_columns=data.keypoint_columns,
            word="row",
        )
        _add(found, record.image, labels, path, record.line, origin=_origin_of(record))
    return found


def _add(
    found: SetContent,
    image: Path,
    labels: LabelRows | None,
    label_file: Path,
    line: int | None = None,
    *,
    origin: Origin | None = None,
) -> None:
    """Add an image and its labels to a set, or what is wrong with them to its problems."""
    errors = () if labels is None else labels.errors
    try:
        sha, width, height = measure(image)
        reason = unusable(image)
        if reason is not None:
            raise SourceError(  # noqa: TRY301  (one error for both)
                argument=path_text(image), expected="an image that a trainer takes", got=reason
            )
    except SourceError as error:
        found.problems.append(Problem.of(error, "image", found.split, image))
    else:
        if not errors:
            found.images.append(
                ImageContent(image, sha, width, height, labels, label_file, line, origin)
            )
    for number, cause in errors:
        kind = "label file" if number is None else "row"
        place = number if line is None else line
        found.problems.append(Problem.of(cause, kind, found.split, label_file, place))


def _origin_of(record: Record) -> Origin | None:
    """Return whose labels an image has, where its line says that they are a detector's.

    That a person made them would be a claim that nothing here can check.
    """
    if record.metadata.get("origin") != PSEUDO:
        return None
    teacher = record.metadata.get("teacher")
    return Origin(PSEUDO, teacher if isinstance(teacher, str) else None)


class _FileNames:
    """Names of the files in folders of labels, each folder looked at once."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, str]] = {}

    def other_case(self, file: Path) -> Path | None:
        """Return a file beside that differs from `file` in case alone."""
        folder = file.parent
        if folder not in self._folders:
            try:
                names = {each.name.lower(): each.name for each in folder.iterdir()}
            except OSError:
                names = {}
            self._folders[folder] = names
        name = self._folders[folder].get(file.name.lower())
        # Two images may differ in case, and one of them have labels.
        is_other = name is not None and name.rpartition(".")[0] == file.stem
        return folder / name if is_other and name is not None else None
