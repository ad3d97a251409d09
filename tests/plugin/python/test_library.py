from __future__ import annotations

from pathlib import Path

import pytest

from dempilot import Error, __version__, library


@pytest.fixture(autouse=True)
def forget():
    library.library.cache_clear()
    yield
    library.library.cache_clear()


def message() -> str:
    with pytest.raises(Error) as caught:
        library.library()
    return str(caught.value)


def test_a_library_that_is_named_and_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("DEMPILOT_LIBRARY", "/nowhere/libdempilot.so")
    assert message() == (
        "DEMPILOT_LIBRARY names /nowhere/libdempilot.so (there is no such file) Give the path of "
        "libdempilot.so, or unset DEMPILOT_LIBRARY."
    )


def test_something_else_is_an_error(monkeypatch, tmp_path):
    path = tmp_path / "libdempilot.so"
    path.write_text("not a library")
    monkeypatch.setenv("DEMPILOT_LIBRARY", str(path))
    assert message().startswith(f"{path} cannot be loaded (")
    assert message().endswith(") Build DEMPilot again with './run build'.")


def test_no_library_anywhere_is_said_with_where_it_was_sought(monkeypatch, tmp_path):
    monkeypatch.delenv("DEMPILOT_LIBRARY", raising=False)
    monkeypatch.setattr(library, "candidates", lambda: [tmp_path / "libdempilot.so"])
    monkeypatch.setattr(library, "NAME", "libdempilot-missing.so")
    assert message() == (
        f"libdempilot-missing.so was not found (not in {tmp_path}/libdempilot.so, nor on the "
        "loader's path) Build it with './run build' in a checkout of DEMPilot, or name it in "
        "DEMPILOT_LIBRARY."
    )
    assert not library.available()


def test_a_checkout_is_searched(monkeypatch):
    monkeypatch.delenv("DEMPILOT_LIBRARY", raising=False)
    root = Path(library.__file__).resolve().parents[3]
    assert library.candidates() == [
        root / "plugin" / "python" / "dempilot" / "libdempilot.so",
        root / "build" / "release" / "lib" / "libdempilot.so",
    ]


def test_the_package_and_its_library_are_of_one_version():
    assert library.library().dempilot_version().decode() == __version__
