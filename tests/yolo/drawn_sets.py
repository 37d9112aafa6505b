"""Small data sets as people have them: tidy, odd and damaged; each is drawn into a folder."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BOX = "0 0.5 0.5 0.2 0.1\n"
OTHER = "2 0.25 0.75 0.3 0.2\n"
YAML = "train: images/train\nval: images/train\nnames: [red, green, blue]\n"
LISTED = "train: list.txt\nval: list.txt\nnames: [red, green, blue]\n"


class Drawn:
    """A set that is being drawn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "data.yaml"
        self.given: dict[str, Any] = {}
        self.text(YAML)
        # Two images that nothing is wrong with, so that there is something left.
        self.pair("0", BOX)
        self.pair("1", OTHER)

    def text(self, content: str | bytes, name: str = "data.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def image(
        self,
        name: str,
        form: str = "PNG",
        *,
        size: tuple[int, int] = (16, 12),
        turned: int | None = None,
        **options: object,
    ) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = sum(map(ord, name))
        pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), np.uint8)
        if turned is not None:
            exif = Image.Exif()
            exif[274] = turned
            options["exif"] = exif
        Image.fromarray(pixels).save(path, form, **options)
        return path

    def pair(self, stem: str, labels: str | bytes, folder: str = "train") -> None:
        self.image(f"images/{folder}/{stem}.png")
        self.text(labels, f"labels/{folder}/{stem}.txt")


DRAWN: dict[str, Callable[[Drawn], None]] = {}


def drawn(function: Callable[[Drawn], None]) -> Callable[[Drawn], None]:
    DRAWN[function.__name__.strip("_").replace("_", " ")] = function
    return function


@drawn
def a_folder(at: Drawn) -> None: ...


@drawn
def a_list_of_folders(at: Drawn) -> None:
    at.pair("z", BOX, "a")
    at.pair("b", OTHER, "c")
    at.text("train: [images/train, images/c, images/a]\nval: images/a\nnames: [a, b, c]\n")


@drawn
def one_folder_twice(at: Drawn) -> None:
    at.text("train: [images/train, images/train]\nval: images/train\nnames: [a, b, c]\n")


@drawn
def folders_in_folders(at: Drawn) -> None:
    at.pair("deep", BOX, "train/a/b.c/d")


@drawn
def images_twice_in_the_path(at: Drawn) -> None:
    at.image("images/images/x/images/1.png")
    at.text(BOX, "images/images/x/labels/1.txt")
    at.text(YAML.replace("images/train", "images/images"))


@drawn
def no_folder_named_images(at: Drawn) -> None:
    at.image("pictures/a.png")
    at.text(BOX, "pictures/a.txt")
    at.text(YAML.replace("images/train", "pictures"))


@drawn
def a_text_file(at: Drawn) -> None:
    at.text(LISTED)
    at.text("./images/train/1.png\n\n./images/train/0.png\n", "list.txt")


@drawn
def a_text_file_with_a_byte_order_mark(at: Drawn) -> None:
    at.text(LISTED)
    at.text("\ufeff./images/train/1.png\r\n./images/train/0.png\r\n", "list.txt")


@drawn
def a_text_file_of_whole_paths(at: Drawn) -> None:
    at.text(LISTED)
    at.text("".join(f"{at.folder}/images/train/{n}.png\n" for n in (1, 0, 1)), "list.txt")


@drawn
def lines_that_name_no_image(at: Drawn) -> None:
    at.text(LISTED)
    at.text("# a title\n./images/train/1.png \n./images/train/0.png\nnotes.txt\n", "list.txt")


@drawn
def a_line_whose_image_is_gone(at: Drawn) -> None:
    at.text(LISTED)
    at.text("./images/train/1.png\n./images/train/gone.png\n", "list.txt")


@drawn
def a_text_file_in_UTF_16(at: Drawn) -> None:
    at.text(LISTED)
    at.text("./images/train/1.png\n".encode("utf-16"), "list.txt")


@drawn
def every_suffix(at: Drawn) -> None:
    kinds = {
        "bmp": "BMP",
        "jpeg": "JPEG",
        "jpg": "JPEG",
        "JPG": "JPEG",
        "png": "PNG",
        "PNG": "PNG",
        "tif": "TIFF",
        "tiff": "TIFF",
        "webp": "WEBP",
        "avif": "AVIF",
        "jp2": "JPEG2000",
        "mpo": "MPO",
        "dng": "TIFF",
    }
    for number, (suffix, form) in enumerate(kinds.items()):
        at.image(f"images/train/kind{number}.{suffix}", form)
        at.text(BOX, f"labels/train/kind{number}.txt")


@drawn
def suffixes_that_lie(at: Drawn) -> None:
    at.image("images/train/jpeg.png", "JPEG")
    at.image("images/train/gif.png", "GIF")
    at.text("no pixels", "images/train/text.jpg")
    at.text("", "images/train/empty.jpg")
    at.text(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "images/train/phone.heic")


@drawn
def other_files(at: Drawn) -> None:
    at.image("images/train/film.gif", "GIF")
    for name in ("Thumbs.db", "notes.json", "README", "a.png.part"):
        at.text("else", f"images/train/{name}")


@drawn
def hidden_files_and_folders(at: Drawn) -> None:
    at.image("images/train/._0.png")
    at.image("images/train/.cache/9.png")
    at.text("finder", "images/train/__MACOSX/._0.png")
    at.image("images/train/__MACOSX/seen.png")


@drawn
def linked_folders(at: Drawn) -> None:
    at.image("store/images/9.png")
    at.text(BOX, "store/labels/9.txt")
    at.text(OTHER, "labels/train/linked/9.txt")
    (at.folder / "images/train/linked").symlink_to(at.folder / "store/images")


@drawn
def a_set_that_is_a_link(at: Drawn) -> None:
    at.image("store/images/9.png")
    at.text(BOX, "store/labels/9.txt")
    (at.folder / "images/linked").symlink_to(at.folder / "store/images")
    at.text(YAML.replace("images/train", "images/linked"))


@drawn
def a_link_that_leads_nowhere(at: Drawn) -> None:
    (at.folder / "images/train/gone.png").symlink_to("nowhere.png")


@drawn
def a_folder_named_like_an_image(at: Drawn) -> None:
    at.image("images/train/set.png/inner.png")
    at.text(BOX, "labels/train/set.png/inner.txt")


@drawn
def names_with_dots(at: Drawn) -> None:
    at.pair("a.v2.final", BOX)
    at.pair("b c", OTHER)
    at.pair("ü", OTHER)


@drawn
def rows_twice(at: Drawn) -> None:
    at.pair("2", BOX + OTHER + BOX + BOX)
    at.pair("3", "0 0.3 0.5 0.2 0.1\n0 0.300000001 0.5 0.2 0.1\n0.0 0.3 0.5 0.2 0.1\n")


@drawn
def polygons(at: Drawn) -> None:
    at.pair("2", "1 0.1 0.2 0.5 0.2 0.5 0.8\n0 0.3 0.3 0.6 0.3 0.6 0.9 0.3 0.9\n")
    at.pair("3", "1 0.1 0.2 0.5 0.2 0.5 0.8 0.1 0.8\n0 0.3 0.4\n")


@drawn
def polygons_twice(at: Drawn) -> None:
    triangle, square = "1 0.1 0.2 0.5 0.2 0.5 0.8\n", "1 0.1 0.2 0.5 0.2 0.5 0.8 0.1 0.8\n"
    at.pair("2", triangle + square + triangle)


@drawn
def polygons_that_are_none(at: Drawn) -> None:
    at.pair("2", "1 0.1 0.2 0.5 0.2 0.5 0.8\n" + BOX)
    at.pair("3", "1 0.1 0.2 0.5 0.2 0.5 0.8 0.1\n")
    at.pair("4", "1 0.1 0.2 0.5 0.2 0.5 0.8\n1\n")
    at.pair("5", "1 0.1 0.2 0.5 0.2 0.5 0.8\n1 0.1 0.2 0.5 0.2 0.5\n")
    at.pair("6", "1 0.1 0.2 0.5 0.2 0.5 1.8\n")
    at.pair("7", "1 0.1 0.2 0.5 0.2 0.5 nan\n")
    at.pair("8", "3 0.1 0.2 0.5 0.2 0.5 0.8\n")


@drawn
def polygons_a_corner_of_which_is_outside(at: Drawn) -> None:
    at.pair("2", "1 -0.3 0.2 0.5 0.2 1.3 0.8\n")
    at.pair("3", "1 0.1 0.2 0.5 0.2 1.05 0.8\n")


@drawn
def poses(at: Drawn) -> None:
    at.text(YAML + "kpt_shape: [2, 3]\n")
    at.pair("2", "1 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 1\n")
    at.pair("3", "1 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 1\n" + BOX)
    at.pair("4", "1 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6\n")


@drawn
def poses_without_a_word(at: Drawn) -> None:
    at.pair("2", "1 0.5 0.5 0.2 0.2 0.4 0.4 0.9 0.6 0.6 0.1\n")
    at.pair("3", "1 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 1\n")
    at.pair("4", "1 0.5 0.5 0.2 0.2 0.4 0.4 2\n")


@drawn
def columns(at: Drawn) -> None:
    at.pair("2", "0 0.5 0.5 0.2 0.1 0.9\n")
    at.pair("3", "0 0.5 0.5 0.2\n")
    at.pair("4", BOX + "0 0.5 0.5 0.2 0.1 0.9\n")
    at.pair("5", "0\n")


@drawn
def a_hair_outside(at: Drawn) -> None:
    at.pair("2", "0 1.01 0.5 1.01 0.1\n0 -0.01 -0.005 0.2 0.1\n0 0 0 0 0\n")
    at.pair("3", "-0.0 0.5 0.5 0.2 0.1\n")


@drawn
def outside(at: Drawn) -> None:
    at.pair("2", "0 1.0101 0.5 0.1 0.1\n")
    at.pair("3", "0 -0.0101 0.5 0.1 0.1\n")
    at.pair("4", "0 0.5 0.5 -0.001 0.1\n")
    at.pair("5", "0 640 480 20 20\n")
    at.pair("6", "0 nan 0.5 0.1 0.1\n")
    at.pair("7", "0 0.5 inf 0.1 0.1\n")


@drawn
def classes(at: Drawn) -> None:
    at.pair("2", "1.0 0.5 0.5 0.2 0.1\n")
    at.pair("3", "3 0.5 0.5 0.2 0.1\n")
    at.pair("4", "0.5 0.5 0.5 0.2 0.1\n")
    at.pair("5", "-1 0.5 0.5 0.2 0.1\n")
    at.pair("6", "red 0.5 0.5 0.2 0.1\n")
    at.pair("7", "1e400 0.5 0.5 0.2 0.1\n")


@drawn
def label_files_of_all_kinds(at: Drawn) -> None:
    at.pair("2", "")
    at.pair("3", "\n \n\n" + BOX + "\n\n")
    at.pair("4", "\ufeff" + BOX.replace("\n", "\r\n"))
    at.pair("5", BOX.replace(" ", "\t").rstrip("\n"))
    at.pair("6", BOX.encode("utf-16"))
    at.pair("7", BOX.encode() + b"# caf\xe9\n")
    at.pair("8", BOX.replace(".", ","))
    at.image("images/train/9.png")


@drawn
def small_images(at: Drawn) -> None:
    at.image("images/train/thin.png", size=(9, 40))
    at.image("images/train/low.jpg", "JPEG", size=(40, 9))
    at.image("images/train/ten.png", size=(10, 10))


@drawn
def damaged_images(at: Drawn) -> None:
    for name, form in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.webp", "WEBP"), ("d.bmp", "BMP")):
        path = at.image(f"images/train/{name}", form, size=(64, 64))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    path = at.image("images/train/more.jpg", "JPEG")
    path.write_bytes(path.read_bytes() + b"from the camera's maker")


@drawn
def turned_images(at: Drawn) -> None:
    for number in (3, 5, 6, 8):
        for suffix, form in (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF")):
            at.image(f"images/train/{suffix}{number}.{suffix}", form, turned=number)


@drawn
def as_many_names_as_nc(at: Drawn) -> None:
    at.text(YAML + "nc: '3'\n")


@drawn
def other_names_than_nc(at: Drawn) -> None:
    at.text(YAML + "nc: 4\n")


@drawn
def nc_that_is_no_number(at: Drawn) -> None:
    at.text(YAML + "nc: three\n")


@drawn
def nc_alone(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnc: 3.0\n")


@drawn
def neither_names_nor_nc(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames:\n")


@drawn
def names_by_number(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames: {1: 7, '0': true, 2: c}\n")


@drawn
def names_from_one(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames: {1: a, 2: b, 3: c}\n")


@drawn
def names_that_are_text(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames: red, green\n")


@drawn
def validation_for_val(at: Drawn) -> None:
    at.text(YAML.replace("val:", "validation:"))


@drawn
def a_set_that_is_a_number(at: Drawn) -> None:
    at.text(YAML.replace("train: images/train", "train: 2017"))


@drawn
def a_set_that_is_not_there(at: Drawn) -> None:
    at.text(YAML.replace("images/train", "images/none"))


@drawn
def a_set_without_images(at: Drawn) -> None:
    (at.folder / "images/none").mkdir()
    at.text(YAML.replace("images/train", "images/none"))


@drawn
def a_whole_path(at: Drawn) -> None:
    at.text(f"path: {at.folder}\n{YAML}")


@drawn
def a_path_in_the_folder_of_data_sets(at: Drawn) -> None:
    at.given["datasets"] = at.folder / "datasets"
    at.text(BOX, "datasets/inner/labels/train/9.txt")
    at.image("datasets/inner/images/train/9.png")
    at.text("path: inner\n" + YAML, "elsewhere/data.yaml")
    at.file = at.folder / "elsewhere/data.yaml"


@drawn
def an_old_path(at: Drawn) -> None:
    at.text(YAML.replace("images/train", "../images/train"))


@drawn
def a_folder_for_a_file(at: Drawn) -> None:
    at.file = at.folder


@drawn
def a_file_of_another_suffix(at: Drawn) -> None:
    at.file = at.text(YAML, "data.txt")


@drawn
def no_mapping(at: Drawn) -> None:
    at.text("- images/train\n")


@drawn
def one_class_for_all(at: Drawn) -> None:
    at.given["single_cls"] = True
    at.pair("2", "7 0.5 0.5 0.2 0.1\n1 0.5 0.5 0.2 0.1\n7 0.5 0.5 0.2 0.1\n")


def ndjson(at: Drawn, splits: list[str], **header: object) -> None:
    lines: list[dict[str, object]] = [{"type": "dataset", "task": "detect", **header}]
    for number, split in enumerate(splits):
        at.image(f"store/images/{split}/p{number}.png", size=(12 + number, 12))
        boxes = [[number % 3, 0.5, 0.5, 0.25, 0.125 + number / 64]] * (1 + number % 2)
        lines.append({"file": f"p{number}.png", "split": split, "annotations": {"boxes": boxes}})
    at.file = at.text("".join(json.dumps(line) + "\n" for line in lines), "set.ndjson")


@drawn
def ndjson_with_both_sets(at: Drawn) -> None:
    named = {"0": "a", "2": "c"}
    ndjson(at, ["train", "val", "train", "train"], path="store", class_names=named)


@drawn
def ndjson_without_val(at: Drawn) -> None:
    ndjson(at, ["train"] * 23, path="store")


@drawn
def ndjson_of_another_task(at: Drawn) -> None:
    ndjson(at, ["train", "val"], path="store", task="classify")


# What is read otherwise, and why, is listed in docs/guide/yolo.md by these names.


@drawn
def one_image_for_a_set(at: Drawn) -> None:
    at.text(YAML.replace("images/train", "images/train/1.png"))


@drawn
def a_label_file_in_capitals(at: Drawn) -> None:
    at.image("images/train/2.png")
    at.text(BOX, "labels/train/2.TXT")


@drawn
def a_folder_named_like_a_label_file(at: Drawn) -> None:
    at.image("images/train/2.png")
    (at.folder / "labels/train/2.txt").mkdir()


@drawn
def a_path_beside_the_file(at: Drawn) -> None:
    at.pair("9", BOX)
    (at.folder / "inner-of-it").mkdir()
    for name in ("images", "labels"):
        (at.folder / name).rename(at.folder / "inner-of-it" / name)
    at.text("path: inner-of-it\n" + YAML)


@drawn
def lines_below_the_path(at: Drawn) -> None:
    at.text(LISTED)
    at.text("images/train/1.png\n", "list.txt")


@drawn
def lines_from_where_the_command_runs(at: Drawn) -> None:
    at.given["here"] = at.folder
    at.text(LISTED)
    at.text("images/train/1.png\n", "list.txt")


@drawn
def train_without_val(at: Drawn) -> None:
    at.text("train: images/train\nnames: [a, b, c]\n")


@drawn
def a_data_yaml_that_is_no_UTF_8(at: Drawn) -> None:
    at.text(YAML.encode() + b"# caf\xe9\n")


@drawn
def a_text_file_that_is_no_UTF_8(at: Drawn) -> None:
    at.text(LISTED)
    at.text(b"./images/train/1.png\n# caf\xe9\n", "list.txt")


@drawn
def a_link_that_leads_back(at: Drawn) -> None:
    (at.folder / "images/train/back").symlink_to(at.folder / "images/train")


@drawn
def channels_other_than_three(at: Drawn) -> None:
    at.text(YAML + "channels: 1\n")


@drawn
def codes_of_ImageNet(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames: [n01440764, n01443537, n01484850]\n")


@drawn
def names_below_zero(at: Drawn) -> None:
    at.text("train: images/train\nval: images/train\nnames: {-1: a, 0: b, 1: c, 2: d}\n")


@drawn
def an_image_that_OpenCV_cannot_decode(at: Drawn) -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((16, 12, 3), np.uint8)).save(file, "TIFF", compression="lzma")
    at.text(file.getvalue(), "images/train/2.tif")
