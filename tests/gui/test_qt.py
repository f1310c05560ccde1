import pytest

from ldam_studio.gui.qt import present


def test_a_value_that_qt_provides_is_passed_through_and_a_missing_one_is_an_error():
    value = object()
    assert present(value) is value
    with pytest.raises(RuntimeError):
        present(None)
