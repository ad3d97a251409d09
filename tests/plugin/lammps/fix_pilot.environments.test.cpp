// What agents observe in LAMMPS is what JaxDEM's reference environments observe in the same state.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/Hdf5.hpp"
#include "core/policy/Metadata.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

std::vector<double> read_or_nothing(const hdf5::File& file, const std::string& dataset) {
  return file.exists(dataset) ? file.read<double>(dataset) : std::vector<double>{};
}

/// A group of tests/golden/environments.h5; vectors are in rows of `dimension` numbers.
struct Reference {
  explicit Reference(const std::string& group) : name(group) {
    const hdf5::File file = hdf5::File::open(std::string(DEMPILOT_GOLDEN_DIR) + "/environments.h5");
    environment = file.read_string(group, "environment");
    components = components_from_json(nlohmann::json::parse(file.read_string(group, "components")),
                                      "environments.h5");
    box = file.read<double>(group + "/box");
    anchor = file.read<double>(group + "/anchor");
    position = file.read<double>(group + "/position");
    velocity = file.read<double>(group + "/velocity");
    angular_velocity = file.read<double>(group + "/angular_velocity");
    radius = file.read<double>(group + "/radius");
    objective = read_or_nothing(file, group + "/objective");
    observation = file.read<double>(group + "/observation");
    dimension = box.size();
    if (!file.exists(group + "/gear")) return;
    floor = file.read_double(group, "floor");
    gear_position = file.read<double>(group + "/gear/position");
    gear_velocity = file.read<double>(group + "/gear/velocity");
    gear_angular_velocity = file.read<double>(group + "/gear/angular_velocity");
    sphere_position = file.read<double>(group + "/sphere/position");
    sphere_radius = file.read<double>(group + "/sphere/radius");
    sphere_gear = file.read<std::int32_t>(group + "/sphere/gear");
  }

  std::size_t agents() const { return radius.size(); }
  std::size_t gears() const { return gear_position.size() / 2; }

  bool binds(const std::string& word) const {
    return std::any_of(components.begin(), components.end(),
                       [&](const ObservationComponent& c) { return c.bind == word; });
  }
  std::string name, environment;
  std::vector<ObservationComponent> components;
  std::size_t dimension = 0;
  std::vector<double> box, anchor, position, velocity, angular_velocity, radius, objective,
      observation;
  double floor = 0;  ///< of gears: where the centre of one is that touches it
  std::vector<double> gear_position, gear_velocity, gear_angular_velocity;
  std::vector<double> sphere_position, sphere_radius;
  std::vector<std::int32_t> sphere_gear;  ///< of each sphere, from 0
};

/// Row `n` of `rows` as text, filled up to three numbers.
std::string vector_text(const std::vector<double>& rows, std::size_t n, std::size_t dimension) {
  std::string text;
  for (std::size_t k = 0; k < 3; ++k)
    text += fmt::format(" {:.17g}", k < dimension ? rows[n * dimension + k] : 0.0);
  return text;
}

/// The angular velocity of row `n`; in the plane it is a number, about z.
std::string spin_text(const std::vector<double>& rows, std::size_t n, std::size_t dimension) {
  return dimension == 3 ? vector_text(rows, n, 3) : fmt::format(" 0 0 {:.17g}", rows[n]);
}

/// A data file in the making: spheres with velocities and, of agents, goals.
class DataFile {
 public:
  void add(int type, double radius, const std::string& position, const std::string& motion,
           const std::string& goal = " 0 0 0") {
    const std::string id = std::to_string(++count_);
    atoms_ += fmt::format("{} {} {:.17g} 1{}\n", id, type, 2 * radius, position);
    motions_ += id + motion + "\n";
    goals_ += id + goal + "\n";
  }

  std::string text(const Reference& reference) const {
    std::string sides;
    const char* axis = "xyz";
    for (std::size_t k = 0; k < 3; ++k) {
      const bool real = k < reference.dimension;
      const double low = real ? reference.anchor[k] : -0.5;
      const double high = real ? low + reference.box[k] : 0.5;
      sides += fmt::format("{:.17g} {:.17g} {}lo {}hi\n", low, high, axis[k], axis[k]);
    }
    return fmt::format(
        "reference\n\n{} atoms\n3 atom types\n{}\nAtoms # sphere\n\n{}\nVelocities\n\n{}\nGoals\n\n"
        "{}",
        count_, sides, atoms_, motions_, goals_);
  }

 private:
  int count_ = 0;
  std::string atoms_, motions_, goals_;
};

/// Agents (type 1), each with an objective where the environment has some.
DataFile spheres(const Reference& reference) {
  const std::size_t d = reference.dimension;
  DataFile data;
  for (std::size_t n = 0; n < reference.agents(); ++n) {
    data.add(1, reference.radius[n], vector_text(reference.position, n, d),
             vector_text(reference.velocity, n, d) + spin_text(reference.angular_velocity, n, d),
             reference.objective.empty() ? " 0 0 0" : vector_text(reference.objective, n, d));
  }
  return data;
}

/// Gears: first the centre of each, then their spheres (type 3), all with the motion of the body.
/// The last gears are the agents (type 1).
DataFile gears(const Reference& reference) {
  DataFile data;
  const std::size_t fixed = reference.gears() - reference.agents();
  const auto motion = [&](std::size_t gear, double x, double y) {
    const double spin = reference.gear_angular_velocity[gear];
    return fmt::format(
        " {:.17g} {:.17g} 0 0 0 {:.17g}",
        reference.gear_velocity[2 * gear] - spin * (y - reference.gear_position[2 * gear + 1]),
        reference.gear_velocity[2 * gear + 1] + spin * (x - reference.gear_position[2 * gear]),
        spin);
  };
  for (std::size_t g = 0; g < reference.gears(); ++g) {
    const std::string goal = g < fixed ? " 0 0 0" : vector_text(reference.objective, g - fixed, 2);
    data.add(g < fixed ? 2 : 1, reference.sphere_radius[0],
             vector_text(reference.gear_position, g, 2),
             motion(g, reference.gear_position[2 * g], reference.gear_position[2 * g + 1]), goal);
  }
  for (std::size_t n = 0; n < reference.sphere_radius.size(); ++n) {
    data.add(3, reference.sphere_radius[n], vector_text(reference.sphere_position, n, 2),
             motion(static_cast<std::size_t>(reference.sphere_gear[n]),
                    reference.sphere_position[2 * n], reference.sphere_position[2 * n + 1]));
  }
  return data;
}

/// An atom-style variable, by `formula` of an agent's gear ({0}) and another ({1}): the gear that
/// is `step` further, around. The agents of ThreeGears itself see the first gear alone.
std::string of_other(const Reference& reference, const std::string& name, std::size_t step,
                     const std::string& formula) {
  std::string sum;
  for (std::size_t g = reference.gears() - reference.agents(); g < reference.gears(); ++g) {
    const std::size_t other =
        reference.name == "ThreeGears" ? 1 : (g + step) % reference.gears() + 1;
    sum += fmt::format("{}gmask(gear{})*({})", sum.empty() ? "" : "+", g + 1,
                       fmt::format(fmt::runtime(formula), g + 1, other));
  }
  return "variable " + name + " atom " + sum + "\n";
}

/// Rigid bodies, and variables for where other gears are and how they are turned.
std::string gear_script(const Reference& reference) {
  std::string script, bodies;
  const std::size_t spheres = reference.sphere_radius.size() / reference.gears();
  for (std::size_t g = 1; g <= reference.gears(); ++g) {
    const std::size_t first = reference.gears() + spheres * (g - 1) + 1;
    script += fmt::format(
        "group gear{0} id {0} {1}:{2}\nvariable ux{0} equal x[{1}]-x[{0}]\nvariable uy{0} equal "
        "y[{1}]-y[{0}]\nvariable u{0} equal sqrt(v_ux{0}^2+v_uy{0}^2)\n",
        g, first, first + spheres - 1);
    bodies += fmt::format(" gear{}", g);
  }
  const std::vector<std::string> suffixes =
      reference.gears() == 2 ? std::vector<std::string>{""} : std::vector<std::string>{"_j", "_k"};
  for (std::size_t k = 0; k < suffixes.size(); ++k) {
    script += of_other(reference, "gx" + suffixes[k], k + 1, "x[{1}]");
    script += of_other(reference, "gy" + suffixes[k], k + 1, "y[{1}]");
    script += of_other(reference, "sine" + suffixes[k], k + 1,
                       "(v_ux{0}*v_uy{1}-v_uy{0}*v_ux{1})/(v_u{0}*v_u{1})");
    script += of_other(reference, "cosine" + suffixes[k], k + 1,
                       "(v_ux{0}*v_ux{1}+v_uy{0}*v_uy{1})/(v_u{0}*v_u{1})");
  }
  script += fmt::format("variable height atom y-{:.17g}\n", reference.floor);
  return script + fmt::format("fix gears all rigid group {}{}\n", reference.gears(), bodies);
}

std::string bindings(const Reference& reference) {
  std::string text;
  if (reference.binds("goal")) text += " bind goal d_gx d_gy d_gz";
  if (reference.binds("targets")) text += " bind targets agents walls box";
  if (reference.binds("goals")) text += " bind goals d_gx d_gy d_gz";
  if (reference.binds("height")) text += " bind height v_height bind left xlo bind right xhi";
  for (const std::string suffix : {"", "_j", "_k"}) {
    if (!reference.binds("gear" + suffix)) continue;
    text += fmt::format(" bind gear{0} v_gx{0} v_gy{0} bind turn{0} v_sine{0} v_cosine{0}", suffix);
  }
  return text;
}

PolicyFile policy_for(const Reference& reference) {
  ActionSpec action;
  action.drag = 0.2;
  if (reference.environment.ends_with("Navigator"))
    return make_policy(reference.components, reference.dimension, action);
  action.target = ActionTarget::torque;
  action.angular_drag = 0.2;
  return make_policy(reference.components, reference.dimension == 2 ? 1 : 3, action);
}

std::string script_for(const Reference& reference) {
  const bool plane = reference.dimension == 2;
  return fmt::format(
             "units lj\natom_style sphere\natom_modify map array sort 0 0\ndimension {}\nboundary "
             "f f {}\nprocessors * * 1\nfix objective all property/atom "
             "d_gx d_gy d_gz\nread_data scene.data fix objective NULL Goals\ngroup agents type "
             "1\npair_style zero 0.5\npair_coeff * *\nneighbor 0.3 nsq\n"
             "timestep 0.002\nthermo_style custom step\n",
             plane ? 2 : 3, plane ? "p" : "f") +
         (reference.gears() > 0 ? gear_script(reference) : "fix move agents nve/sphere\n") +
         (plane ? "fix plane all enforce2d\n" : "") +
         "fix pilot agents pilot policy.h5 observations yes" + bindings(reference) + "\n";
}

/// Prepares the state for LAMMPS in the folder of a run.
void set_up(const LammpsRun& lammps, const Reference& reference) {
  save_policy_file(lammps.file("policy.h5"), policy_for(reference));
  lammps.write("scene.data",
               (reference.gears() > 0 ? gears(reference) : spheres(reference)).text(reference));
}

/// Observations of step 0 in the order of agents.
std::vector<double> observe(const Reference& reference, int ranks) {
  const LammpsRun lammps;
  set_up(lammps, reference);
  const std::size_t actions = policy_for(reference).contract.model.action_size;
  const std::size_t width = reference.observation.size() / reference.agents();
  std::vector<std::string> columns;
  for (std::size_t k = 0; k < width; ++k)
    columns.push_back(fmt::format("f_pilot[{}]", 10 + actions + k));
  lammps.expect_success(
      script_for(reference) +
          fmt::format("dump agents agents custom 1 agents.dump id {}\ndump_modify agents sort id "
                      "format float %.17g\nrun 0\n",
                      fmt::join(columns, " ")),
      ranks);
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  std::vector<double> rows;
  for (std::size_t n = 0; n < snapshots.at(0).size(); ++n)
    for (const std::string& column : columns)
      rows.push_back(snapshots[0].at(column)[n]);
  return rows;
}

/// How far the entries of one component are from those of the reference.
struct Deviation {
  double largest = 0;
  double scale = 1;  ///< max(1, largest entry)
  bool varies = false;
};

Deviation deviation(const Reference& reference, const std::vector<double>& rows, std::size_t first,
                    std::size_t width) {
  const std::size_t row = rows.size() / reference.agents();
  Deviation found;
  for (std::size_t n = 0; n < reference.agents(); ++n) {
    for (std::size_t k = first; k < first + width; ++k) {
      const double wanted = reference.observation[n * row + k];
      found.largest = std::max(found.largest, std::abs(rows[n * row + k] - wanted));
      found.scale = std::max(found.scale, std::abs(wanted));
      found.varies = found.varies || wanted != reference.observation[first];
    }
  }
  return found;
}

struct Case {
  const char* scene;
  int ranks;
};
void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.scene << " on " << c.ranks;
}

class ReferenceEnvironment : public ::testing::TestWithParam<Case> {};

TEST_P(ReferenceEnvironment, ObservesWhatJaxDemObserved) {
  const Reference reference(GetParam().scene);
  const std::vector<double> rows = observe(reference, GetParam().ranks);
  ASSERT_EQ(rows.size(), reference.observation.size());
  std::size_t first = 0;
  for (const ObservationComponent& component : reference.components) {
    const Deviation found = deviation(reference, rows, first, component.width());
    const std::string what = name_of(component.kind) + " " + component.bind;
    EXPECT_LE(found.largest, 2e-6 * found.scale) << what << " in columns from " << first;
    const std::size_t entries = component.width() * reference.agents();
    EXPECT_TRUE(found.varies || entries == 1) << what;
    fmt::print("{:20} {} ranks  {:30} {:5} entries, scale {:5.3g}, deviation {:.1e}\n",
               reference.name, GetParam().ranks, what, entries, found.scale, found.largest);
    first += component.width();
  }
}

std::vector<Case> every_case() {
  std::vector<Case> cases;
  for (const char* scene :
       {"singleNavigator", "singleNavigator-3d", "multiNavigator", "swarmNavigator",
        "singleRoller3D", "multiRoller", "swarmRoller", "swarmRoller3D", "swarmStacking3D",
        "TwoGears", "ThreeGears", "ThreeGears-apart"}) {
    for (const int ranks : {1, 2, 4})
      cases.push_back({scene, ranks});
  }
  return cases;
}

std::string name_of_case(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.scene;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_ranks_" + std::to_string(info.param.ranks);
}

INSTANTIATE_TEST_SUITE_P(Each, ReferenceEnvironment, ::testing::ValuesIn(every_case()),
                         name_of_case);

/// The attraction of magnets as a table of pair style table: F = -2 strength (1 - r / range).
std::string magnet_table(double strength, double range) {
  constexpr int rows = 1000;
  std::string text = fmt::format("MAGNET\nN {}\n\n", rows);
  for (int row = 1; row <= rows; ++row) {
    const double r = range * row / rows;
    const double near = 1 - r / range;
    text += fmt::format("{} {:.17g} {:.17g} {:.17g}\n", row, r, -strength * range * near * near,
                        -2 * strength * near);
  }
  return text;
}

class Magnets : public ::testing::TestWithParam<const char*> {};

TEST_P(Magnets, OfATableAttractAsJaxDemsDo) {
  const Reference reference(GetParam());
  const auto golden = hdf5::File::open(std::string(DEMPILOT_GOLDEN_DIR) + "/environments.h5");
  const auto parameters = nlohmann::json::parse(golden.read_string(GetParam(), "parameters"));
  const std::vector<double> forces = golden.read<double>(std::string(GetParam()) + "/magnet_force");
  const double range = parameters.at("magnet_range");
  const LammpsRun lammps;
  set_up(lammps, reference);
  lammps.write("magnet.table", magnet_table(parameters.at("magnet_strength"), range));
  lammps.expect_success(
      script_for(reference) +
      fmt::format(
          "unfix pilot\npair_style table linear 10000\npair_coeff * * magnet.table MAGNET "
          "{}\ndump forces agents custom 1 forces.dump id fx fy fz\ndump_modify forces sort "
          "id format float %.17g\nrun 0\n",
          range));
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("forces.dump"));
  double largest = 0;
  for (std::size_t n = 0; n < reference.agents(); ++n) {
    for (std::size_t k = 0; k < 3; ++k) {
      const double wanted = forces.at(3 * n + k);
      EXPECT_NEAR(snapshots.at(0).at({'f', "xyz"[k]})[n], wanted, 1e-4) << "agent " << n;
      largest = std::max(largest, std::abs(wanted));
    }
  }
  EXPECT_GT(largest, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Each, Magnets, ::testing::Values("swarmRoller3D", "swarmStacking3D"));

// From the first step on: fix rigid precedes fix pilot, so it sums up forces of step 0 without it.
TEST(GearOfLammps, TurnsByTheTorqueOnItsCentre) {
  const Reference reference("TwoGears");
  const LammpsRun lammps;
  set_up(lammps, reference);
  const auto rows = lammps
                        .expect_success(script_for(reference) +
                                        "thermo_style custom step f_pilot[8] f_gears[2][12] "
                                        "f_gears[1][12]\nthermo_modify norm no format float "
                                        "%.12g\nthermo 1\nrun 3\n")
                        .thermo();
  ASSERT_EQ(rows.size(), 4U);
  for (std::size_t step = 1; step < rows.size(); ++step) {
    EXPECT_GT(std::abs(rows[step].at(1)), 1e-3);
    EXPECT_NEAR(rows[step].at(2), rows[step].at(1), 1e-6) << "step " << step;
    EXPECT_EQ(rows[step].at(3), 0.0);
  }
}

}  // namespace
}  // namespace dempilot::lammps::testing
