// What agents sense of a bed of touching grains, of its walls and of their own past is what LAMMPS
// says of it, or what comes of going through all pairs of its atoms.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using Vector = std::array<double, 3>;

constexpr double side = 12.0;  // of granular_bed(), periodic along x and y
constexpr double timestep = 0.004;
constexpr double mass = 3.14159265358979323846 / 6;
constexpr double range = 1.9;
constexpr int listed = 4;
constexpr double wall_range = 2.5;

ObservationComponent neighbors() {
  ObservationComponent made = component(ComponentKind::neighbors, 3, "grains");
  made.range = range;
  made.count = listed;
  made.relative_velocity = made.radius = made.type = true;
  return made;
}

ObservationComponent contact_count() {
  ObservationComponent made = component(ComponentKind::contact_count, 1, "all grains");
  made.walls = true;
  return made;
}

ObservationComponent floor_seen(ComponentKind kind) {
  ObservationComponent made = component(kind, 3, "floor");
  made.range = wall_range;
  return made;
}

ObservationComponent time_since_reset() {
  ObservationComponent made = component(ComponentKind::time_since_reset, 1);
  made.clip = 1e9;
  return made;
}

std::vector<ObservationComponent> all_senses() {
  return {neighbors(),
          contact_count(),
          component(ComponentKind::contact_force, 3),
          floor_seen(ComponentKind::wall_distance),
          floor_seen(ComponentKind::wall_direction),
          component(ComponentKind::previous_action, 3),
          time_since_reset(),
          component(ComponentKind::field, 4, "weather")};
}

Vector at(const Snapshot& snapshot, const char* x, const char* y, const char* z, std::size_t n) {
  return {snapshot.at(x)[n], snapshot.at(y)[n], snapshot.at(z)[n]};
}

/// The vector from one atom to the nearest image of another.
Vector between(const Snapshot& snapshot, std::size_t from, std::size_t to) {
  const Vector a = at(snapshot, "x", "y", "z", from);
  const Vector b = at(snapshot, "x", "y", "z", to);
  Vector delta;
  for (std::size_t d = 0; d < 3; ++d) {
    delta[d] = b[d] - a[d];
    if (d < 2) delta[d] -= side * std::round(delta[d] / side);
  }
  return delta;
}

void append_neighbors(const Snapshot& snapshot, std::size_t n, std::vector<double>& row) {
  std::vector<std::tuple<double, double, std::size_t>> near;  // distance, id
  for (std::size_t m = 0; m < snapshot.size(); ++m) {
    if (m == n || snapshot.at("type")[m] != 1) continue;
    const Vector delta = between(snapshot, n, m);
    const double distance = std::hypot(delta[0], delta[1], delta[2]);
    if (distance < range) near.emplace_back(distance, snapshot.at("id")[m], m);
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min<std::size_t>(near.size(), listed));
  const std::size_t first = row.size();
  for (const auto& [distance, id, m] : near) {
    const Vector delta = between(snapshot, n, m);
    const Vector v = at(snapshot, "vx", "vy", "vz", n);
    const Vector w = at(snapshot, "vx", "vy", "vz", m);
    row.insert(row.end(), delta.begin(), delta.end());
    for (std::size_t d = 0; d < 3; ++d)
      row.push_back(w[d] - v[d]);
    row.push_back(snapshot.at("radius")[m]);
    row.push_back(snapshot.at("type")[m]);
  }
  row.resize(first + neighbors().width(), 0.0);
}

/// What LAMMPS's own compute counts, and the floor and ceiling.
double contacts(const Snapshot& snapshot, std::size_t n) {
  const double z = snapshot.at("z")[n];
  const double radius = snapshot.at("radius")[n];
  return snapshot.at("c_touch")[n] + (z < radius ? 1 : 0) + (8 - z < radius ? 1 : 0);
}

/// All forces are those of contacts, of the fix and of gravity.
Vector contact_force(const Snapshot& snapshot, std::size_t n) {
  Vector force = at(snapshot, "fx", "fy", "fz", n);
  const Vector given = at(snapshot, "f_pilot[2]", "f_pilot[3]", "f_pilot[4]", n);
  for (std::size_t d = 0; d < 3; ++d)
    force[d] -= given[d];
  force[2] += mass;
  return force;
}

std::vector<double> expected_row(const Snapshot& snapshot, const Snapshot* previous,
                                 std::size_t n) {
  std::vector<double> row;
  append_neighbors(snapshot, n, row);
  row.push_back(contacts(snapshot, n));
  const Vector force = contact_force(snapshot, n);
  row.insert(row.end(), force.begin(), force.end());
  const double z = snapshot.at("z")[n];
  row.push_back(std::min(z, wall_range));
  const double down = z < wall_range ? -1 : 0;
  row.insert(row.end(), {0, 0, down});
  // Every 20 steps all begin anew, and at the very beginning.
  const long since = snapshot.step % 20;
  for (const char* action : {"f_pilot[10]", "f_pilot[11]", "f_pilot[12]"})
    row.push_back(since == 0 ? 0.0 : previous->at(action)[n]);
  row.push_back(static_cast<double>(since) * timestep);
  const Vector v = at(snapshot, "vx", "vy", "vz", n);
  row.insert(row.end(), {0.5 * mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]),
                         2 * snapshot.at("x")[n], snapshot.at("id")[n] + 0.5, 7.25});
  return row;
}

class Senses : public ::testing::TestWithParam<int> {};

TEST_P(Senses, AreWhatLammpsSays) {
  const LammpsRun lammps;
  ActionSpec action;
  action.scale = 0.1;
  const auto senses = all_senses();
  save_policy_file(lammps.file("policy.h5"), make_policy(senses, 3, action));
  std::string rows;
  std::size_t width = 0;
  for (const ObservationComponent& sense : senses)
    width += sense.width();
  for (std::size_t k = 0; k < width; ++k)
    rows += " f_pilot[" + std::to_string(13 + k) + "]";
  std::string bed = granular_bed();
  const std::string weight = "fix weight all gravity 1.0 vector 0 0 -1\n";
  bed.erase(bed.find(weight), weight.size());
  lammps.expect_success(
      bed +
          "fix own all property/atom d_mark\nvariable mark atom id+0.5\n"
          "set group all d_mark v_mark\nvariable twice atom 2*x\n"
          "compute ke all ke/atom\ncompute touch all contact/atom\n"
          "fix pilot agents pilot policy.h5 every 5 reset every 20 observations yes "
          "bind grains grains bind floor zlo bind weather c_ke v_twice d_mark 7.25\n" +
          weight +
          "run 600\nrun 45\nreset_timestep 0\ndump d all custom 5 all.dump id type x y z vx vy vz "
          "fx "
          "fy fz radius c_touch f_pilot[1] f_pilot[2] f_pilot[3] f_pilot[4] f_pilot[10] "
          "f_pilot[11] "
          "f_pilot[12]" +
          rows + "\ndump_modify d sort id format float %.17g first no\nrun 60\n",
      GetParam());

  const std::vector<Snapshot> snapshots = read_dump(lammps.file("all.dump"));
  ASSERT_EQ(snapshots.size(), 13U);
  std::array<int, 3> seen{};  // neighbors, contacts, floors
  for (std::size_t s = 1; s < snapshots.size(); ++s) {
    // 645 steps were run before.
    Snapshot snapshot = snapshots[s];
    snapshot.step += 645;
    for (std::size_t n = 0; n < snapshot.size(); ++n) {
      if (snapshot.at("f_pilot[1]")[n] == 0) continue;
      const std::vector<double> expected = expected_row(snapshot, &snapshots[s - 1], n);
      ASSERT_EQ(expected.size(), width);
      for (std::size_t k = 0; k < width; ++k) {
        EXPECT_NEAR(snapshot.at("f_pilot[" + std::to_string(13 + k) + "]")[n], expected[k],
                    2e-6 * std::max(1.0, std::abs(expected[k])))
            << "entry " << k << " of atom " << snapshot.at("id")[n] << " at step " << snapshot.step;
      }
      seen[0] += expected[6] > 0 ? 1 : 0;  // the radius of the first
      seen[1] += contacts(snapshot, n) > 0 ? 1 : 0;
      seen[2] += snapshot.at("z")[n] < wall_range ? 1 : 0;
    }
  }
  for (const int count : seen)
    EXPECT_GT(count, 50) << seen[0] << " " << seen[1] << " " << seen[2];
}

INSTANTIATE_TEST_SUITE_P(Ranks, Senses, ::testing::Values(1, 2, 4),
                         [](const auto& each) { return std::to_string(each.param); });

TEST(SensesErrors, NameWhatIsNotBound) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(2));
  const auto refused = [&](std::vector<ObservationComponent> senses, const std::string& bind) {
    save_policy_file(lammps.file("policy.h5"), make_policy(std::move(senses)));
    return lammps.expect_error(sparse_setup() + "fix pilot agents pilot policy.h5 " + bind +
                               "\nrun 0\n");
  };
  const auto expect_says = [](const std::string& error, const std::string& text) {
    EXPECT_NE(error.find(text), std::string::npos) << error;
  };
  expect_says(refused({floor_seen(ComponentKind::wall_distance)}, ""),
              "Fix pilot pilot: 'floor' is not bound (the policy senses these walls). Add e.g. "
              "'bind floor zlo', each a face of the box, 'box' for all of them, or the ID of a "
              "region");
  expect_says(refused({floor_seen(ComponentKind::wall_distance)}, "bind floor zlo"),
              "Fix pilot pilot: face zlo of the box is no wall (the box is periodic there, or "
              "flat). Name another face, or change 'boundary'");
  expect_says(refused({floor_seen(ComponentKind::wall_distance)}, "bind floor cellar"),
              "Fix pilot pilot: there is no region 'cellar' (it is to be a wall). Define it with "
              "the region command");
  expect_says(refused({component(ComponentKind::field, 2, "weather")}, "bind weather 1.0"),
              "Fix pilot pilot: 'weather' is bound to 1 quantities (the policy senses 2). Add "
              "'bind weather' and 2 of them, each a number, v_name, c_ID, c_ID[i], f_ID, f_ID[i], "
              "d_name or d2_name[i]");
  expect_says(refused({velocity()}, "bind weather 1.0"),
              "Fix pilot pilot: the policy wants no 'weather' (it wants: nothing). Remove or "
              "correct 'bind weather'");
  expect_says(refused({velocity()}, "reset region cellar"),
              "Fix pilot pilot: there is no region 'cellar' (keyword reset). Define it with the "
              "region command");
}

/// Agents fly straight; a region resets those that enter it.
TEST(ResetRegion, ResetsOnEntryAlone) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  ActionSpec idle;
  idle.scale = 0;
  save_policy_file(lammps.file("policy.h5"), make_policy({time_since_reset()}, 3, idle));
  const std::string setup = sparse_setup() +
                            "region cell block 3 6 EDGE EDGE EDGE EDGE\n"
                            "velocity agents set 1.5 0.1 0.0\n";
  const std::string fix =
      "fix pilot agents pilot policy.h5 every 10 reset region cell observations "
      "yes\n";
  const std::string dump = dump_agents(10, "x");
  lammps.expect_success(setup + fix + dump + "run 600\n", 2);
  const std::vector<Snapshot> whole = read_dump(lammps.file("agents.dump"));
  std::vector<double> begun(whole.at(0).size(), 0.0);
  int entries = 0;
  for (std::size_t s = 0; s < whole.size(); ++s) {
    const auto inside = [&](std::size_t step, std::size_t n) {
      const double x = whole[step].at("x")[n];
      return x >= 3 && x <= 6;
    };
    for (std::size_t n = 0; n < begun.size(); ++n) {
      if (s > 0 && inside(s, n) && !inside(s - 1, n)) {
        begun[n] = 0.1 * static_cast<double>(s);
        ++entries;
      }
      EXPECT_NEAR(whole[s].at("f_pilot[13]")[n], 0.1 * static_cast<double>(s) - begun[n], 1e-5)
          << "agent " << n << " at step " << whole[s].step;
    }
  }
  EXPECT_GT(entries, 12);

  // Cut while some are inside: that they were must be known afterwards.
  lammps.expect_success(setup + fix + "run 250\nwrite_restart half.restart\n", 2);
  lammps.expect_success(
      "units lj\nread_restart half.restart\nregion cell block 3 6 EDGE EDGE EDGE "
      "EDGE\nfix move agents nve/sphere\n" +
          fix + dump + "run 350\n",
      1);
  const std::vector<Snapshot> rest = read_dump(lammps.file("agents.dump"));
  for (std::size_t n = 0; n < begun.size(); ++n)
    EXPECT_EQ(rest.back().at("f_pilot[13]")[n], whole.back().at("f_pilot[13]")[n]);
}

/// Who is already there when the keyword is first given has not entered.
TEST(ResetRegion, GivenAtARestartLeavesAloneWhoIsInside) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  ActionSpec idle;
  idle.scale = 0;
  save_policy_file(lammps.file("policy.h5"), make_policy({time_since_reset()}, 3, idle));
  const std::string fix = "fix pilot agents pilot policy.h5 every 10 observations yes";
  lammps.expect_success(sparse_setup() + fix + "\nrun 50\nwrite_restart half.restart\n");
  lammps.expect_success(
      "units lj\nread_restart half.restart\nregion cell block 3 6 EDGE EDGE EDGE "
      "EDGE\n" +
      fix + " reset region cell\n" + dump_agents(10) + "run 20\n");
  const Snapshot last = read_dump(lammps.file("agents.dump")).back();
  for (const double since : last.at("f_pilot[13]"))
    EXPECT_NEAR(since, 0.7, 1e-6);
}

}  // namespace
}  // namespace dempilot::lammps::testing
