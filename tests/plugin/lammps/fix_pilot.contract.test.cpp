// What a policy file says beyond its model: how it was trained, in which frame and by which table
// its actions act.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>

#include "core/policy/Initialization.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using ::testing::HasSubstr;

class TrainedOtherwise : public ::testing::Test {
 protected:
  void SetUp() override {
    PolicyFile policy = make_policy({velocity(), goal_direction()});
    policy.contract.timing = {0.002, 20};
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), policy);
  }

  std::string script(const std::string& options) const {
    return sparse_setup() + "fix pilot agents pilot policy.h5 bind goal 4 5 6 " + options + "\n";
  }

  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t times = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++times;
    return times;
  }

  LammpsRun lammps;
};

TEST_F(TrainedOtherwise, IsAWarningWithBothNumbersSaidOnce) {
  const std::string output = lammps.expect_success(script("every 10") + "run 5\nrun 5\n", 2).output;
  EXPECT_EQ(count(output,
                  "WARNING: Fix pilot pilot: the policy was trained with a time step of 0.002 "
                  "(this simulation's is 0.01). Write 'timestep 0.002'"),
            1U)
      << output;
  EXPECT_EQ(count(output,
                  "WARNING: Fix pilot pilot: the policy was trained to decide every 20 steps (it "
                  "decides every 10 here). Write 'every 20'"),
            1U)
      << output;
}

TEST_F(TrainedOtherwise, IsSaidAgainWhenItChanges) {
  const std::string output =
      lammps.expect_success(script("") + "run 5\ntimestep 0.005\nrun 5\ntimestep 0.002\nrun 5\n")
          .output;
  EXPECT_EQ(count(output, "(this simulation's is 0.01)"), 1U) << output;
  EXPECT_EQ(count(output, "(this simulation's is 0.005)"), 1U) << output;
  EXPECT_EQ(count(output, "was trained"), 2U) << "nothing differs in the last run\n" << output;
}

TEST_F(TrainedOtherwise, IsAnErrorWhereItIsStrict) {
  EXPECT_THAT(lammps.expect_error(script("strict yes") + "run 5\n", 2),
              HasSubstr("Fix pilot pilot: the policy was trained with a time step of 0.002 (this "
                        "simulation's is 0.01). Write 'timestep 0.002'"));
  EXPECT_THAT(lammps.expect_error(script("every 5 strict yes") + "timestep 0.002\nrun 5\n"),
              HasSubstr("trained to decide every 20 steps (it decides every 5 here)"));
  lammps.expect_success(script("strict yes") + "timestep 0.002\nrun 5\n");
}

TEST(ModelAlone, BelongsToNoParticle) {
  const LammpsRun lammps;
  PolicyFile policy = make_policy({velocity(), goal_direction()});
  policy.contract.observation.clear();
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), policy);
  EXPECT_THAT(lammps.expect_error(sparse_setup() + "fix pilot agents pilot policy.h5\nrun 1\n"),
              HasSubstr("Fix pilot pilot: the policy does not say what it observes and how it acts "
                        "(it was converted without a contract). Convert it again with"));
}

/// `vector` turned by the unit quaternion (w, x, y, z): v + 2 w (q x v) + 2 q x (q x v).
std::array<double, 3> turned(const std::array<double, 4>& q, const std::array<double, 3>& vector) {
  const auto cross = [&](const std::array<double, 3>& v) {
    return std::array<double, 3>{q[2] * v[2] - q[3] * v[1], q[3] * v[0] - q[1] * v[2],
                                 q[1] * v[1] - q[2] * v[0]};
  };
  const std::array<double, 3> once = cross(vector);
  const std::array<double, 3> twice = cross(once);
  std::array<double, 3> result{};
  for (std::size_t d = 0; d < 3; ++d)
    result[d] = vector[d] + 2 * q[0] * once[d] + 2 * twice[d];
  return result;
}

TEST(BodyFrame, ActionsTurnWithTheParticleBetweenDecisions) {
  const LammpsRun lammps;
  ActionSpec action;
  action.target = ActionTarget::force_and_torque;
  action.frame = Frame::body;
  action.scale = 0.5;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction()}, 6, action));
  lammps.expect_success(R"(
units lj
atom_style ellipsoid
boundary p p p
region box block 0 12 0 12 0 12
create_box 1 box
create_atoms 1 random 12 4711 box overlap 2.0 maxtry 500
set type 1 shape 1.0 0.6 0.4
set type 1 density 1.0
set type 1 quat/random 815
set type 1 angmom 0.02 -0.01 0.03
pair_style zero 1.0
pair_coeff * *
timestep 0.02
fix move all nve/asphere
compute q all property/atom quatw quati quatj quatk
fix pilot all pilot policy.h5 every 5 bind goal 4 5 6
thermo 1000
dump agents all custom 1 agents.dump id c_q[*] fx fy fz tqx tqy tqz f_pilot[*]
dump_modify agents sort id format float %.17g
run 17
)",
                        2);
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  ASSERT_EQ(snapshots.size(), 18U);
  double largest = 0;
  double turning = 0;
  for (std::size_t step = 1; step < snapshots.size(); ++step) {
    const Snapshot& now = snapshots[step];
    const auto output = [](const Snapshot& s, std::size_t column, std::size_t n) {
      return s.at("f_pilot[" + std::to_string(column) + "]")[n];
    };
    for (std::size_t n = 0; n < now.size(); ++n) {
      const std::array<double, 4> q{now.at("c_q[1]")[n], now.at("c_q[2]")[n], now.at("c_q[3]")[n],
                                    now.at("c_q[4]")[n]};
      turning += std::abs(q[0] - snapshots[step - 1].at("c_q[1]")[n]);
      for (const std::size_t part : {0U, 3U}) {
        std::array<double, 3> decided{};  // acts from the step after its decision
        for (std::size_t d = 0; d < 3; ++d)
          decided[d] = 0.5 * output(snapshots[step - 1], 10 + part + d, n);
        const auto expected = turned(q, decided);
        const std::array<const char*, 3> names =
            part == 0 ? std::array<const char*, 3>{"fx", "fy", "fz"}
                      : std::array<const char*, 3>{"tqx", "tqy", "tqz"};
        for (std::size_t d = 0; d < 3; ++d) {
          EXPECT_NEAR(now.at(names[d])[n], expected[d], 1e-12) << "step " << step;
          EXPECT_NEAR(output(now, 2 + part + d, n), expected[d], 1e-12) << "step " << step;
          largest = std::max(largest, std::abs(expected[d]));
        }
      }
    }
  }
  EXPECT_GT(largest, 0.2) << "pushes so small would prove little";
  EXPECT_GT(turning, 0.1) << "bodies at rest would prove little";
}

/// One ellipsoid in the plane, its orientation a quaternion.
std::string lone_ellipsoid(const std::string& quaternion) {
  return "one\n\n1 atoms\n1 ellipsoids\n1 atom types\n0 9 xlo xhi\n0 9 ylo yhi\n-0.5 0.5 zlo "
         "zhi\n\nAtoms # ellipsoid\n\n1 1 1 1.0 2 3 0\n\nEllipsoids\n\n1 1.0 0.5 0.5 " +
         quaternion + "\n";
}

TEST(BodyFrame, TurnsAboutZInThePlane) {
  const LammpsRun lammps;
  ActionSpec action;
  action.frame = Frame::body;
  const std::string script =
      "units lj\natom_style ellipsoid\ndimension 2\nboundary p p p\nread_data one.data\n"
      "pair_style zero 1.0\npair_coeff * *\nfix pilot all pilot policy.h5 "
      "bind goal 4 5\ndump d all custom 1 agents.dump id fx fy fz f_pilot[*]\n"
      "dump_modify d format float %.17g\nrun 0\n";
  save_policy_file(lammps.file("policy.h5"), make_policy({goal_direction(2)}, 2, action));
  lammps.write("one.data", lone_ellipsoid("0.8 0 0 0.6"));
  lammps.expect_success(script);
  const Snapshot snapshot = read_dump(lammps.file("agents.dump")).at(0);
  const std::array<double, 3> decided{snapshot.at("f_pilot[10]")[0], snapshot.at("f_pilot[11]")[0],
                                      0};
  const auto expected = turned({0.8, 0, 0, 0.6}, decided);
  EXPECT_NEAR(snapshot.at("fx")[0], expected[0], 1e-12);
  EXPECT_NEAR(snapshot.at("fy")[0], expected[1], 1e-12);
  EXPECT_EQ(snapshot.at("fz")[0], 0);
  EXPECT_GT(std::abs(decided[0]) + std::abs(decided[1]), 0.1);

  lammps.write("one.data", lone_ellipsoid("0.8 0.6 0 0"));
  EXPECT_THAT(lammps.expect_error(script),
              HasSubstr("Fix pilot pilot: atom 1 is tilted out of the plane (the policy needs its "
                        "orientation, in 2 dimensions). Turn it about z alone"));
}

TEST(BodyFrame, NeedsABody) {
  const LammpsRun lammps;
  ActionSpec action;
  action.frame = Frame::body;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), make_policy({velocity()}, 3, action));
  EXPECT_THAT(lammps.expect_error(sparse_setup() + "fix pilot agents pilot policy.h5\nrun 1\n"),
              HasSubstr("atom style sphere has no orientation (the policy acts in the body frame). "
                        "Use atom_style ellipsoid"));
}

/// A category is drawn; what acts is its row of the table.
TEST(DiscreteActions, ActByTheirTable) {
  const LammpsRun lammps;
  PolicyFile policy = make_policy({velocity(), goal_direction()}, 4);
  policy.contract.model.discrete = true;
  policy.contract.action.scale = 0.5;
  policy.contract.action.table = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
  policy.parameters = initialize_parameters(policy.contract.model, 3);
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), policy);
  lammps.expect_success(sparse_setup() +
                            "fix pilot agents pilot policy.h5 bind goal 4 5 6 mode sample 5\n" +
                            dump_agents(1, "fx fy fz") + "run 10\n",
                        2);
  std::set<std::array<double, 3>> rows;
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  for (std::size_t step = 1; step < snapshots.size(); ++step) {
    for (std::size_t n = 0; n < snapshots[step].size(); ++n) {
      std::array<double, 3> row{};
      for (std::size_t d = 0; d < 3; ++d)
        row[d] = snapshots[step - 1].at("f_pilot[" + std::to_string(10 + d) + "]")[n];
      rows.insert(row);
      EXPECT_EQ(snapshots[step].at("fx")[n], 0.5 * row[0]);
      EXPECT_EQ(snapshots[step].at("fy")[n], 0.5 * row[1]);
      EXPECT_EQ(snapshots[step].at("fz")[n], 0.5 * row[2]);
    }
  }
  EXPECT_THAT(rows, ::testing::UnorderedElementsAre(
                        std::array<double, 3>{1, 0, 0}, std::array<double, 3>{0, 2, 0},
                        std::array<double, 3>{0, 0, 3}, std::array<double, 3>{0, 0, 0}));
}

}  // namespace
}  // namespace dempilot::lammps::testing
