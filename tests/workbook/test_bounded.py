"""What an answer prints while it is judged is shown up to a bound."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

from hypothesis import given
from hypothesis import strategies as st

from course.workbook.bounded import MOST, Bounded, bounded_prints

PIECES = st.lists(st.builds(lambda letter, n: letter * n, st.sampled_from("aé注\n"), st.integers(0, MOST)))


@given(PIECES)
def test_the_beginning_is_shown_and_the_rest_counted(pieces):
    behind = io.StringIO()
    stream = Bounded(behind)
    assert [stream.write(piece) for piece in pieces] == [len(piece) for piece in pieces]
    stream.close()
    whole = "".join(pieces)
    left_out = len(whole) - MOST
    told = f"\n… {left_out:,} characters more that your code printed are left out.\n" if left_out > 0 else ""
    assert behind.getvalue() == whole[:MOST] + told


def test_what_stands_behind_is_there_and_stays_open():
    behind = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    stream = Bounded(behind)
    stream.writelines(["a\n", "b\n"])
    stream.close()
    stream.flush()
    assert (stream.encoding, behind.closed, behind.buffer.getvalue()) == ("utf-8", False, b"a\nb\n")


def test_both_streams_are_bounded_apart_and_given_back_after_an_error():
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        before = sys.stdout, sys.stderr
        try:
            with bounded_prints():
                print("x" * 2 * MOST)
                print("e", file=sys.stderr)
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            print("after")
        assert (sys.stdout, sys.stderr) == before
    assert out.getvalue() == "x" * MOST + (
        f"\n… {MOST + 1:,} characters more that your code printed are left out.\nafter\n"
    )
    assert errors.getvalue() == "e\n"
