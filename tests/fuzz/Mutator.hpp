#pragma once

#include <random>
#include <string>

namespace dempilot::fuzz {

/// A text of edits with one change that keeps it one: a line added, removed, repeated or moved, or
/// a word replaced. The same for the same state of `random` on every machine.
std::string mutated(const std::string& text, std::minstd_rand& random);

/// A new edit.
std::string new_line(std::minstd_rand& random);

}  // namespace dempilot::fuzz
