"""A saved notebook shows its widgets' pictures when it is opened again without a kernel."""

import json
from pathlib import Path

import pytest
from traitlets.utils.importstring import import_item

import course
from course.workbook.save_hook import WIDGET, keep_pictures


def saved(outputs: list[dict]) -> list[dict]:
    model = {"type": "notebook", "content": {"cells": [{"outputs": outputs}, {"cell_type": "markdown"}]}}
    keep_pictures(model, path="x.ipynb", contents_manager=None)
    return model["content"]["cells"][0]["outputs"]


def test_a_widget_with_a_picture_is_saved_as_the_picture():
    assert saved([{"data": {WIDGET: {"model_id": "1"}, "image/png": "x", "text/plain": "y"}}]) == [
        {"data": {"image/png": "x", "text/plain": "y"}}
    ]


@pytest.mark.parametrize("output", [{"data": {WIDGET: {}, "text/plain": "IntSlider"}}, {"text": "printed"}])
def test_every_other_output_is_saved_as_it_is(output):
    assert saved([json.loads(json.dumps(output))]) == [output]


def test_files_that_are_no_notebook_are_let_through():
    keep_pictures({"type": "file", "content": "text"}, path="x.txt", contents_manager=None)


def test_the_server_that_study_starts_takes_the_hook():
    file = Path(course.__file__).parent / "workbook" / "jupyter" / "jupyter_server_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    assert import_item(config["ContentsManager"]["pre_save_hook"]) is keep_pictures
