"""The lighthouse's script in two forms: agents pushed by fix pilot, or without it in the same way.

Where nobody pushes, the bed is at rest and costs little: that would not tell what the fix costs. So
one run writes down what agents did at each decision, and a run without the fix and the plugin gives
them the same forces by LAMMPS's own `fix addforce` and `fix viscous`: the same motion, contacts and
neighbor lists, for as long as rounding allows.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TextIO

from model import BenchError
from world import WORLD

ATOM_STYLE = "atom_style      sphere\n"
RUN = "run             ${steps}\n"

#: A per-atom variable that is read from a file needs a map; the other form has it, too.
MAP = "atom_modify     map array\n"

WRITE_DOWN = """
dump            pushes agents custom ${interval} ${out}/pushes.dump id f_pilot[10] f_pilot[11]
dump_modify     pushes sort id format float %.9g
"""

# The actions of the first decision are there from the start; after each interval come the next.
PUSH = f"""
variable        pushx atomfile ${{out}}/pushes.x
variable        pushy atomfile ${{out}}/pushes.y
fix             push agents addforce v_pushx v_pushy 0
fix             drag agents viscous {WORLD.agent_drag}
thermo_style    custom step
run             0
run             ${{steps}} pre no every ${{interval}} "next pushx" "next pushy"
"""


def scripts(lighthouse: Path) -> dict[str, str]:
    """The script that writes the pushes down, that with the fix, and two without it."""
    text = lighthouse.read_text()
    for line in (ATOM_STYLE, RUN):
        if text.count(line) != 1:
            raise BenchError(f"{lighthouse} has not one line '{line.strip()}' (the benchmark needs "
                             "it to make its own scripts). Write it as it was")
    before_run, _ = text.replace(ATOM_STYLE, ATOM_STYLE + MAP).split(RUN)
    return {"write down": before_run + WRITE_DOWN + RUN, "fix pilot": before_run + RUN,
            "pushed": before_run + PUSH, "at rest": before_run + RUN}


def write_pushes(folder: Path) -> None:
    """Turns pushes.dump into pushes.x and pushes.y: of each decision a count, lines of ID and force."""
    with (folder / "pushes.dump").open() as dump, (folder / "pushes.x").open("w") as x, \
            (folder / "pushes.y").open("w") as y:
        while header := list(islice(dump, 9)):
            count = int(header[3])
            _write_section((x, y), [next(dump).split() for _ in range(count)])


def _write_section(files: tuple[TextIO, TextIO], rows: list[list[str]]) -> None:
    for column, file in enumerate(files, start=1):
        file.write(f"{len(rows)}\n")
        file.writelines(f"{row[0]} {WORLD.agent_force * float(row[column]):.9g}\n" for row in rows)
