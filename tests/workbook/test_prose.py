"""Which numbers of the prose no output holds."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.workbook.prose import unseen_numbers


def test_numbers_that_are_neither_shown_nor_typed_are_named():
    cells = [
        new_markdown_cell(
            "It is 0.19, then 2.5 and 7.25; see section 3.2 of `0.77` and $0.88$.\n\n## 9.9 · x"
        ),
        new_code_cell("x = 2.5", outputs=[new_output("stream", text="loss 0.194\n")]),
    ]
    assert unseen_numbers(new_notebook(cells=cells)) == ["7.25", "3.2"]


def test_a_longer_number_does_not_hold_the_end_of_it():
    cells = [new_markdown_cell("0.5"), new_code_cell("", outputs=[new_output("stream", text="10.5")])]
    assert unseen_numbers(new_notebook(cells=cells)) == ["0.5"]
