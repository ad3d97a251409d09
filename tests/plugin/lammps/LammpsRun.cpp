#include "tests/plugin/lammps/LammpsRun.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT: mkdtemp is POSIX
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace dempilot::lammps::testing {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Environment in which Open MPI starts more ranks than there are cores, as root too.
constexpr const char* environment =
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
    "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none "
    "OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none "
    "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe OMP_PROC_BIND=false";

/// How LAMMPS is told to use KOKKOS, where the tests are for that. Contacts need half neighbor
/// lists; on a host, atoms would by default be sorted and sent as without KOKKOS.
std::string kokkos_flags(int threads, const std::string& package) {
  if (!DEMPILOT_TEST_KOKKOS) return {};
  const std::string where = runs_on_device() ? "g 1" : "t " + std::to_string(threads);
  return " -k on " + where + " -sf kk -pk kokkos neigh half " + package;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

}  // namespace

bool runs_on_device() {
  return DEMPILOT_TEST_DEVICE;
}

std::string style_of_fix() {
  return DEMPILOT_TEST_KOKKOS ? "pilot/kk" : "pilot";
}

std::string plugin_path() {
  return DEMPILOT_TEST_PLUGIN;
}

std::vector<Snapshot> read_dump(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("no dump file " + path.string());
  std::vector<Snapshot> snapshots;
  std::size_t atoms = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("ITEM: TIMESTEP")) {
      std::getline(stream, line);
      snapshots.emplace_back().step = std::stol(line);
    } else if (line.starts_with("ITEM: NUMBER OF ATOMS")) {
      std::getline(stream, line);
      atoms = std::stoul(line);
    } else if (line.starts_with("ITEM: ATOMS")) {
      std::vector<std::string> names = words_of(line);
      names.erase(names.begin(), names.begin() + 2);
      Snapshot& snapshot = snapshots.back();
      for (const std::string& name : names)
        snapshot.columns[name];
      for (std::size_t n = 0; n < atoms; ++n) {
        std::getline(stream, line);
        const std::vector<std::string> values = words_of(line);
        for (std::size_t k = 0; k < names.size(); ++k) {
          snapshot.columns[names[k]].push_back(std::strtod(values.at(k).c_str(), nullptr));
        }
      }
    }
  }
  return snapshots;
}

std::string Outcome::error() const {
  const auto start = output.find("ERROR");
  if (start == std::string::npos) return {};
  // A long message goes on in the next lines, up to the one that quotes the script.
  const auto end = output.find("Last input line", start);
  return output.substr(start, end == std::string::npos ? end : end - start);
}

std::vector<std::vector<double>> Outcome::thermo() const {
  std::vector<std::vector<double>> rows;
  std::istringstream stream(output);
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    const std::vector<std::string> words = words_of(line);
    if (!words.empty() && words[0] == "Step") {
      inside = true;
    } else if (line.starts_with("Loop time") || line.starts_with("Fix pilot")) {
      inside = false;
    } else if (inside && !line.starts_with("WARNING")) {
      std::vector<double>& row = rows.emplace_back();
      for (const std::string& word : words)
        row.push_back(std::strtod(word.c_str(), nullptr));
    }
  }
  return rows;
}

LammpsRun::LammpsRun() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dempilot-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
}

LammpsRun::~LammpsRun() {
  if (::testing::Test::HasFailure()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void LammpsRun::write(const std::string& name, const std::string& content) const {
  std::ofstream(file(name)) << content;
}

void LammpsRun::start_through(const std::string& script) {
  write("start.sh", script);
  launcher_ = "sh ./start.sh ";
}

Outcome LammpsRun::run(const std::string& script, int ranks, int threads) const {
  write("in.script", "plugin load " + plugin_path() + "\n" + script);
  std::ostringstream command;
  command << "cd '" << folder_.string() << "' && " << environment << " OMP_NUM_THREADS=" << threads
          << " timeout 240 ";
  // mpiexec takes two seconds to report a failure.
  if (ranks > 1) {
    command << DEMPILOT_TEST_MPIEXEC << " " << DEMPILOT_TEST_MPIEXEC_FLAG << " " << ranks << " ";
  }
  command << launcher_ << DEMPILOT_TEST_LAMMPS << (kokkos_ ? kokkos_flags(threads, package_) : "")
          << " -in in.script > output 2>&1 < /dev/null";
  const int status = std::system(command.str().c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(file("output"))};
}

Outcome LammpsRun::expect_success(const std::string& script, int ranks, int threads) const {
  Outcome outcome = run(script, ranks, threads);
  if (outcome.status != 0) {
    ADD_FAILURE() << "lmp failed on " << ranks << " ranks in " << folder_ << ":\n"
                  << outcome.output;
  }
  return outcome;
}

std::string LammpsRun::expect_error(const std::string& script, int ranks) const {
  const Outcome outcome = run(script, ranks);
  EXPECT_NE(outcome.status, 0) << outcome.output;
  return outcome.error();
}

}  // namespace dempilot::lammps::testing
