"""Dumps as LAMMPS writes them."""

from common.dump import first_step, read_dump

HEADER = "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n{}\nITEM: BOX BOUNDS pp pp ff\n0 1\n0 1\n0 1\n"


def frame(step, rows):
    lines = [" ".join(map(str, row)) for row in rows]
    return HEADER.format(step, len(rows)) + "ITEM: ATOMS id x y\n" + "\n".join(lines) + "\n"


def test_frames_of_equal_length_are_one_array(tmp_path):
    path = tmp_path / "some.dump"
    first, second = [(1, 0.5, 2), (2, 1.5, 3)], [(1, 0.6, 2), (2, 1.6, -3)]
    path.write_text(frame(1200, first) + frame(1300, second))
    assert read_dump(path).tolist() == [
        [[1, 0.5, 2], [2, 1.5, 3]],
        [[1, 0.6, 2], [2, 1.6, -3]],
    ]
    assert first_step(path) == 1200
