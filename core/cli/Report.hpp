#pragma once

#include <string>
#include <vector>

namespace dempilot::cli {

/// The table that verify prints, and its tally.
class Report {
 public:
  void begin_file(const std::string& file);
  /// Compares and prints a row: `found` holds if max |a - b| <= tolerance max(1, max |b|).
  void compare(const std::string& quantity, const std::string& backend, bool single_precision,
               const std::vector<double>& found, const std::vector<double>& expected,
               double tolerance);
  void not_supported(const std::string& what);
  void nothing_to_compare(const std::string& what);
  void fail(const std::string& what);
  /// A file that could not be compared at all; goes to stderr.
  void error(const std::string& what);
  /// Whether a row was printed since begin_file().
  bool compared() const { return compared_; }
  /// The last line; returns the exit status, 0 only if all holds and something was compared.
  int summarize(std::size_t files) const;

 private:
  bool compared_ = false;
  int hold_ = 0;
  int failed_ = 0;
  int not_supported_ = 0;
};

}  // namespace dempilot::cli
