"""What the experiments share: running LAMMPS, reading dumps, movies, networks, training."""
