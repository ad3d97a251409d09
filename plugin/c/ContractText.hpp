#pragma once

#include <string>

#include "core/policy/PolicyFile.hpp"

namespace dempilot::c {

/// Everything that a policy file says but its numbers, as JSON in the words of docs/policy_file.md.
std::string contract_text(const PolicyFile& file);

}  // namespace dempilot::c
