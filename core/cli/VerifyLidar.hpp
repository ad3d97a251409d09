#pragma once

#include <string>

#include "core/cli/Report.hpp"

namespace dempilot::cli {

/// Senses the particles of a golden LiDAR file (tests/golden/README.md) in float and double on
/// every back end and compares the proximities. Throws Error when the file is damaged or of another
/// schema.
void verify_lidar(const std::string& path, Report& report);

}  // namespace dempilot::cli
