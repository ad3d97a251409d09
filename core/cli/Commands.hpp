#pragma once

#include <set>
#include <string>
#include <vector>

namespace dempilot::cli {

/// Parts of a golden file that verify knows by name.
inline const std::vector<std::string> all_parts{"single",       "sequence", "action",
                                                "distribution", "gradient", "lidar"};

/// Recomputes golden files and prints a table of errors against tolerances. `parts` empty: all that
/// each file holds. Returns the exit status: 0 only if everything asked for was recomputed and
/// holds.
int verify(const std::vector<std::string>& files, const std::set<std::string>& parts);

/// Describes a policy file. Throws Error when it is not one, or fails its golden rows.
int info(const std::string& file);

}  // namespace dempilot::cli
