from __future__ import annotations

import pytest

from dempilot import Error
from dempilot.errors import fail


def test_a_name_of_a_checkpoint_cannot_steer_the_terminal():
    with pytest.raises(Error) as caught:
        fail("'\x1b[2Jactor\nfake' is missing", "it has '\u202eb'", "Check it.")
    assert str(caught.value) == "'?[2Jactor fake' is missing (it has '?b') Check it."


def test_a_long_name_is_shortened():
    with pytest.raises(Error) as caught:
        fail("a" * 5000, "why", "Check it.")
    assert str(caught.value) == f"{'a' * 500}…{'a' * 500} (why) Check it."
