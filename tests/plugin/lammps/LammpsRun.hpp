#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dempilot::lammps::testing {

/// One snapshot of a `dump custom`: columns by name, one value per atom.
struct Snapshot {
  long step = 0;
  std::map<std::string, std::vector<double>> columns;

  std::size_t size() const { return columns.empty() ? 0 : columns.begin()->second.size(); }
  const std::vector<double>& at(const std::string& name) const { return columns.at(name); }
};

/// Snapshots of a dump file, in the order of writing.
std::vector<Snapshot> read_dump(const std::filesystem::path& path);

/// What became of a run.
struct Outcome {
  int status = 0;      ///< 0: the script ran to its end
  std::string output;  ///< all that LAMMPS printed

  bool says(const std::string& text) const { return output.find(text) != std::string::npos; }
  /// Text of LAMMPS's first error message; empty when there is none.
  std::string error() const;
  /// Columns of thermo output, one entry per row, of all runs of the script.
  std::vector<std::vector<double>> thermo() const;
};

/// Runs LAMMPS with the plugin in a folder of its own, which is kept when LAMMPS fails
/// unexpectedly.
class LammpsRun {
 public:
  LammpsRun();
  ~LammpsRun();
  LammpsRun(const LammpsRun&) = delete;
  LammpsRun& operator=(const LammpsRun&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& content) const;

  /// Lets each rank start LAMMPS through this shell script, which calls "$@" at its end.
  void start_through(const std::string& script);

  /// Starts LAMMPS without KOKKOS, also where the tests are for that.
  void start_without_kokkos() { kokkos_ = false; }
  /// How KOKKOS, where the tests are for that, is to send and sort atoms: words of LAMMPS's command
  /// `package kokkos`.
  void move_atoms(const std::string& words) { package_ = words; }

  /// Runs `script`, preceded by `plugin load`, and returns how it went.
  Outcome run(const std::string& script, int ranks = 1, int threads = 1) const;
  /// The same for a script that is expected to succeed: otherwise the test fails with its output.
  Outcome expect_success(const std::string& script, int ranks = 1, int threads = 1) const;
  /// Runs a script that must stop, and returns LAMMPS's message.
  std::string expect_error(const std::string& script, int ranks = 1) const;

 private:
  std::filesystem::path folder_;
  std::string launcher_;  ///< a command in front of LAMMPS's
  bool kokkos_ = true;
  std::string package_ = "comm device sort device";
};

/// Whether agents live on a device, which rounds its own way.
bool runs_on_device();

/// The style that LAMMPS takes for `fix pilot`.
std::string style_of_fix();

/// Path of the plugin, for scripts that load it again.
std::string plugin_path();

}  // namespace dempilot::lammps::testing
