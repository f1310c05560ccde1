"""Words from a stranger's file neither steer a terminal nor fill a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.errors import MOST_IN_WORD, MOST_LETTERS, StudioError, plain, shortened


@given(st.text(), st.integers(8, 50))
def test_shortened_text_keeps_its_ends(text, most):
    short = shortened(text, most)
    assert len(short) <= most
    if len(text) <= most:
        assert short == text
    else:
        head, _, tail = short.partition("…")
        assert text.startswith(head.partition("…")[0])
        assert text.endswith(tail.rpartition("…")[2])


@given(st.text(max_size=3000))
def test_plain_text_is_short_and_has_no_control_characters(text):
    said = plain(text)
    assert said.isprintable()
    assert len(said) <= MOST_LETTERS
    assert all(len(word) <= MOST_IN_WORD for word in said.split(" "))
    if text.isprintable() and len(text) <= MOST_IN_WORD:
        assert said == text


@pytest.mark.parametrize(
    "name", ["\x1b[2K\ridentical", "a\nidentical: 30 steps", "\u202eelif", "a\0b"]
)
def test_the_message_of_an_error_is_one_line(name):
    said = str(StudioError(f"The weights {name} are missing; put them here."))
    assert said.isprintable()
    assert said.startswith("The weights ") and said.endswith(" are missing; put them here.")


def test_a_name_of_a_million_letters_is_no_work():
    said = str(StudioError("The tensor " + "a" * 10**7 + " is unknown."))
    assert len(said) <= MOST_LETTERS
    assert said.startswith("The tensor aaa") and said.endswith("aaa is unknown.")
