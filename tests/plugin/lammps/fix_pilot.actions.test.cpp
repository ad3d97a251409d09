// Thrusts, turns, target velocities, scales, and the momentum that agents are given.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Discs with dipoles in a plane, far from each other, that turn.
std::string discs() {
  return R"(
units lj
dimension 2
atom_style hybrid sphere dipole
boundary p p p
region box block 0 40 0 40 -0.5 0.5
create_box 1 box
lattice sq 0.04
create_atoms 1 box
set group all diameter 1.0
set group all density 1.0
set group all dipole/random 4711 1.0
velocity all create 0.5 815
velocity all set NULL NULL 0
pair_style zero 1.0
pair_coeff * *
comm_modify vel yes
timestep 0.01
fix plane all enforce2d
fix move all nve/sphere disc update dipole
)";
}

class Thrust : public ::testing::TestWithParam<int> {};

TEST_P(Thrust, GoesWhereTheDirectorPointsAtEveryStep) {
  const LammpsRun lammps;
  ActionSpec action;
  action.target = ActionTarget::thrust_and_turn;
  action.scale = 0.5;
  ObservationComponent seen = component(ComponentKind::velocity, 2);
  seen.frame = Frame::body;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({component(ComponentKind::director, 2), seen}, 2, action));
  lammps.expect_success(discs() +
                            "fix pilot all pilot policy.h5 every 8 observations yes\n"
                            "dump d all custom 1 all.dump id mux muy vx vy fx fy tqz f_pilot[*]\n"
                            "dump_modify d sort id format float %.17g\nrun 40\n",
                        GetParam());
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("all.dump"));
  ASSERT_EQ(snapshots.size(), 41U);
  double turned = 0;
  for (std::size_t s = 0; s < snapshots.size(); ++s) {
    const Snapshot& now = snapshots[s];
    ASSERT_GT(now.size(), 50U);
    // What was decided at the end of a step acts from the next step on.
    const Snapshot& decided = snapshots[s == 0 ? 0 : (s - 1) / 8 * 8];
    for (std::size_t n = 0; n < now.size(); ++n) {
      const double x = now.at("mux")[n];
      const double y = now.at("muy")[n];
      const double thrust = 0.5 * decided.at("f_pilot[10]")[n];
      EXPECT_NEAR(now.at("fx")[n], thrust * x, 1e-12);
      EXPECT_NEAR(now.at("fy")[n], thrust * y, 1e-12);
      EXPECT_NEAR(now.at("tqz")[n], 0.5 * decided.at("f_pilot[11]")[n], 1e-12);
      turned += std::abs(x - decided.at("mux")[n]);
      if (s % 8 != 0) continue;
      EXPECT_NEAR(now.at("f_pilot[12]")[n], x, 1e-6);
      EXPECT_NEAR(now.at("f_pilot[13]")[n], y, 1e-6);
      const double vx = now.at("vx")[n];
      const double vy = now.at("vy")[n];
      EXPECT_NEAR(now.at("f_pilot[14]")[n], vx * x + vy * y, 2e-6);
      EXPECT_NEAR(now.at("f_pilot[15]")[n], vy * x - vx * y, 2e-6);
    }
  }
  EXPECT_GT(turned, 1) << "they must turn while they thrust";
}

INSTANTIATE_TEST_SUITE_P(Ranks, Thrust, ::testing::Values(1, 2, 4),
                         [](const auto& each) { return std::to_string(each.param); });

TEST(ThrustAlone, ActsAlongTheChosenAxisOfAnEllipsoid) {
  for (const int axis : {0, 1, 2}) {
    const LammpsRun lammps;
    ActionSpec action;
    action.target = ActionTarget::thrust;
    action.axis = axis;
    ObservationComponent director = component(ComponentKind::director, 3);
    director.axis = axis;
    save_policy_file(lammps.file("policy.h5"),
                     make_policy({director, component(ComponentKind::quaternion, 4)}, 1, action));
    lammps.write(
        "one.data",
        "one\n\n1 atoms\n1 ellipsoids\n1 atom types\n0 9 xlo xhi\n0 9 ylo yhi\n0 9 zlo "
        "zhi\n\nAtoms # ellipsoid\n\n1 1 1 1.0 4 4 4\n\nEllipsoids\n\n1 1 2 3 -0.5 0.5 -0.5 "
        "-0.5\n");
    lammps.expect_success(
        "units lj\natom_style ellipsoid\nread_data one.data\npair_style zero 1.0\npair_coeff * *\n"
        "comm_modify cutoff 2\nfix pilot all pilot policy.h5 observations yes\n"
        "dump d all custom 1 all.dump id fx fy fz f_pilot[*]\n"
        "dump_modify d format float %.17g\nrun 0\n");
    const Snapshot now = read_dump(lammps.file("all.dump")).at(0);
    // w, x, y, z = (-1, 1, -1, -1) / 2 takes x to -z, y to -x and z to y.
    const std::array<std::array<double, 3>, 3> expected{{{0, 0, -1}, {-1, 0, 0}, {0, 1, 0}}};
    const auto& direction = expected[static_cast<std::size_t>(axis)];
    const double thrust = now.at("f_pilot[10]")[0];
    EXPECT_GT(std::abs(thrust), 0.01);
    for (std::size_t d = 0; d < 3; ++d) {
      const std::array<const char*, 3> force{"fx", "fy", "fz"};
      EXPECT_NEAR(now.at(force[d])[0], thrust * direction[d], 1e-12) << "axis " << axis;
      EXPECT_NEAR(now.at("f_pilot[" + std::to_string(11 + d) + "]")[0], direction[d], 1e-6);
    }
    const std::array<double, 4> quaternion{0.5, -0.5, 0.5, 0.5};
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_NEAR(now.at("f_pilot[" + std::to_string(14 + k) + "]")[0], quaternion[k], 1e-6);
  }
}

TEST(TargetVelocity, IsWrittenToAPropertyAndIsNoForce) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  ActionSpec action;
  action.target = ActionTarget::velocity;
  action.scale = 3;
  action.bind = "aim";
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction()}, 3, action));
  const std::string setup = sparse_setup() +
                            "fix aims all property/atom d2_aim 2 d_up\n"
                            "fix pilot agents pilot policy.h5 every 4 scale 2 4 1 bind goal 4 5 6 ";
  lammps.expect_success(setup +
                        "bind aim d2_aim[2] d_up d2_aim[1]\n"
                        "dump d all custom 1 all.dump id type fx fy fz d2_aim[1] d2_aim[2] d_up "
                        "f_pilot[*]\ndump_modify d sort id format float %.17g\nrun 10\n");
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("all.dump"));
  const std::array<const char*, 3> bound{"d2_aim[2]", "d_up", "d2_aim[1]"};
  for (std::size_t s = 0; s < snapshots.size(); ++s) {
    const Snapshot& decided = snapshots[s == 0 ? 0 : (s - 1) / 4 * 4];
    for (std::size_t n = 0; n < decided.size(); ++n) {
      for (std::size_t k = 0; k < 3; ++k) {
        const double given = decided.at("f_pilot[" + std::to_string(10 + k) + "]")[n];
        EXPECT_NEAR(snapshots[s].at(bound[k])[n], 3 * 0.5 * given, 1e-12);
        EXPECT_EQ(snapshots[s].at("type")[n] == 2, given != 0);
      }
      EXPECT_EQ(snapshots[s].at("fx")[n], 0);
    }
  }
  // Who leaves the group aims at nothing, from the first moment of the next run on.
  lammps.expect_success(setup +
                        "bind aim d2_aim[2] d_up d2_aim[1]\nrun 10\ngroup agents clear\n"
                        "dump d all custom 1 left.dump id type d2_aim[1] d2_aim[2] d_up\nrun 0\n");
  const Snapshot left = read_dump(lammps.file("left.dump")).at(0);
  for (std::size_t n = 0; n < left.size(); ++n) {
    for (const char* aim : bound)
      EXPECT_TRUE(left.at("type")[n] == 1 || left.at(aim)[n] == 0) << aim << " of atom " << n;
  }
  const auto expect_refused = [&](const std::string& bind, const std::string& text) {
    const std::string error = lammps.expect_error(setup + bind + "\nrun 0\n");
    EXPECT_NE(error.find(text), std::string::npos) << error;
  };
  expect_refused("",
                 "Fix pilot pilot: 'aim' is bound to 0 properties (the policy gives 3 numbers). "
                 "Add 'bind aim' and 3 of them, each d_name or d2_name[i] of a fix "
                 "property/atom");
  expect_refused("bind aim v_x d_up d_up",
                 "Fix pilot pilot: bind aim: 'v_x' cannot be written (actions go to "
                 "floating-point properties of fix property/atom). Give d_name or d2_name[i]");
  expect_refused(
      "bind aim d_down d_up d_up",
      "Fix pilot pilot: bind aim: there is no per-atom property 'd_down'. Create it with "
      "fix property/atom");
  expect_refused("bind aim d2_aim d_up d_up",
                 "Fix pilot pilot: bind aim: 'd2_aim' does not fit the property (it has 2 columns; "
                 "0 is a vector). Write d_name for a vector and d2_name[i] for a column");
}

class Momentum : public ::testing::TestWithParam<int> {};

TEST_P(Momentum, ThatAgentsAreGivenIsWhatTheyHave) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  ActionSpec action;
  action.target = ActionTarget::force_and_torque;
  action.scale = 0.05;
  action.drag = 0.1;
  action.angular_drag = 0.001;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction()}, 6, action));
  const std::string fix = "fix pilot agents pilot policy.h5 every 5 bind goal 4 5 6\n";
  const std::string report =
      "variable px equal mass(agents)*vcm(agents,x)\nvariable py equal mass(agents)*vcm(agents,y)\n"
      "variable pz equal mass(agents)*vcm(agents,z)\n"
      "compute wz agents property/atom omegaz\nvariable spin atom 0.4*mass*radius*radius*c_wz\n"
      "compute spin agents reduce sum v_spin\n"
      "thermo_style custom step v_px v_py v_pz c_spin f_pilot[10] f_pilot[11] f_pilot[12] "
      "f_pilot[13] f_pilot[14] f_pilot[15]\nthermo_modify norm no format float %.15g\nthermo 10\n";
  const Outcome first =
      lammps.expect_success(sparse_setup() + "velocity agents create 1.0 4711 loop geom\n" + fix +
                                report + "run 17\nrun 23\nwrite_restart half.restart\nrun 40\n",
                            GetParam());
  const Outcome rest =
      lammps.expect_success("units lj\nread_restart half.restart\nfix move agents nve/sphere\n" +
                                fix + report + "run 40\n",
                            3 - GetParam());
  const auto rows = first.thermo();
  ASSERT_GE(rows.size(), 9U);
  for (const auto& row : rows) {
    for (std::size_t d = 0; d < 3; ++d)
      EXPECT_NEAR(row[1 + d] - rows[0][1 + d], row[5 + d], 1e-12) << "step " << row[0];
    EXPECT_NEAR(row[4] - rows[0][4], row[10], 1e-12) << "step " << row[0];
  }
  EXPECT_GT(std::abs(rows.back()[5]), 0.01);
  for (std::size_t k = 0; k < 11; ++k)
    EXPECT_NEAR(rest.thermo().back()[k], rows.back()[k], 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Momentum, ::testing::Values(1, 2),
                         [](const auto& each) { return std::to_string(each.param); });

/// The bed of the same numbers in units whose length, time and mass are those given. Its floor is
/// smooth: with friction LAMMPS's floor makes another trajectory in other units, without agents
/// too.
std::string bed_in_units(const std::string& style, double length, double time, double mass) {
  const std::string stiffness = exact(2000 * mass / (time * time));
  const std::string damping = exact(50 / time);
  return "units " + style +
         "\natom_style sphere\natom_modify map array\nboundary p p f\nnewton off\n"
         "comm_modify vel yes\nread_data bed.data\nchange_box all "
         "boundary p p f\n" +
         "group agents type 2\npair_style gran/hooke/history " + stiffness + " NULL " + damping +
         " NULL 0.4 1\npair_coeff * *\nneighbor " + exact(0.3 * length) + " bin\ntimestep " +
         exact(0.004 * time) + "\nfix floor all wall/gran hooke/history " + stiffness + " NULL " +
         damping + " NULL 0.0 0 zplane 0.0 " + exact(8 * length) +
         "\nfix move all nve/sphere\nthermo 1000\n";
}

/// The atoms of a snapshot, in other units.
std::string bed_data(const Snapshot& snapshot, double length, double time, double mass) {
  const auto text = [](double value) { return exact(value) + " "; };
  const auto numbers = [&](std::size_t n, std::initializer_list<const char*> columns, double unit) {
    std::string all;
    for (const char* column : columns)
      all += text(snapshot.at(column)[n] * unit);
    return all;
  };
  std::string atoms;
  std::string velocities;
  for (std::size_t n = 0; n < snapshot.size(); ++n) {
    const std::string id = std::to_string(static_cast<long>(snapshot.at("id")[n])) + " ";
    atoms += id + std::to_string(static_cast<long>(snapshot.at("type")[n])) + " " + text(length) +
             text(mass / (length * length * length)) + numbers(n, {"x", "y", "z"}, length) + "\n";
    velocities += id + numbers(n, {"vx", "vy", "vz"}, length / time) +
                  numbers(n, {"omegax", "omegay", "omegaz"}, 1 / time) + "\n";
  }
  return "bed\n\n" + std::to_string(snapshot.size()) + " atoms\n2 atom types\n0 " +
         text(12 * length) + "xlo xhi\n0 " + text(12 * length) + "ylo yhi\n0 " + text(8 * length) +
         "zlo zhi\n\nAtoms # sphere\n\n" + atoms + "\nVelocities\n\n" + velocities;
}

PolicyFile feeling_explorer() {
  ActionSpec action;
  action.target = ActionTarget::force_and_torque;
  action.scale = 0.8;
  action.drag = 0.3;
  action.angular_drag = 0.02;
  ObservationComponent near = component(ComponentKind::neighbors, 3);
  near.bind = "targets";
  near.range = 1.5;
  near.count = 3;
  near.relative_velocity = near.radius = true;
  ObservationComponent time = component(ComponentKind::time_since_reset, 1);
  time.clip = 5;
  ObservationComponent wall = component(ComponentKind::wall_distance, 1);
  wall.bind = "walls";
  wall.range = 3;
  return make_policy({velocity(), angular_velocity(), goal_displacement(), lidar(2.5, 4, 2, true),
                      near, component(ComponentKind::contact_force, 3), time, wall},
                     6, action);
}

/// The same physics in two systems of units gives the same trajectory, measured in diameters.
TEST(Scale, MapsThePolicysWorldToAnyUnits) {
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"), feeling_explorer());
  const std::string columns = "id type x y z vx vy vz omegax omegay omegaz";
  lammps.expect_success(granular_bed() + "run 300\ndump d all custom 1 bed.dump " + columns +
                        "\ndump_modify d sort id format float %.17g\nrun 0\n");
  const Snapshot bed = read_dump(lammps.file("bed.dump")).at(0);

  const auto trajectory = [&](const std::string& style, double length, double time, double mass,
                              const std::string& scale) {
    lammps.write("bed.data", bed_data(bed, length, time, mass));
    const std::string g = std::to_string(1000000 * length / (time * time)) + "e-6";
    lammps.expect_success(bed_in_units(style, length, time, mass) +
                          "fix pilot agents pilot policy.h5 every 5 strict yes bind goal " +
                          std::to_string(5 * length) + " " + std::to_string(6 * length) + " " +
                          std::to_string(7 * length) + " " + scale + "\nfix weight all gravity " +
                          g + " vector 0 0 -1\ndump d all custom 10 out.dump " + columns +
                          "\ndump_modify d sort id format float %.17g\nrun 80\n");
    return read_dump(lammps.file("out.dump"));
  };
  const auto one = trajectory("lj", 1, 1, 1, "");
  const double length = 0.002;
  const double time = 0.05;
  const auto other = trajectory("si", length, time, 3e-5, "scale 0.002 0.05 3e-5");
  ASSERT_EQ(one.size(), 9U);
  ASSERT_EQ(other.size(), 9U);
  double moved = 0;
  for (std::size_t s = 0; s < one.size(); ++s) {
    for (std::size_t n = 0; n < one[s].size(); ++n) {
      for (const char* x : {"x", "y", "z"})
        EXPECT_NEAR(other[s].at(x)[n] / length, one[s].at(x)[n], 1e-5);
      for (const char* v : {"vx", "vy", "vz"})
        EXPECT_NEAR(other[s].at(v)[n] * time / length, one[s].at(v)[n], 1e-4);
      if (one[s].at("type")[n] == 2) moved += std::abs(one[s].at("vx")[n] - one[0].at("vx")[n]);
    }
  }
  EXPECT_GT(moved, 1);
}

}  // namespace
}  // namespace dempilot::lammps::testing
