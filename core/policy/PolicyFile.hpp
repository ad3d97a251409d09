#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/policy/Contract.hpp"

namespace dempilot {

/// A named parameter: row-major values with their shape.
struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

using Parameters = std::map<std::string, Tensor>;

/// Rows that whoever made the file computed with the original model: one step from `carry`.
struct GoldenRows {
  std::size_t rows = 0;            ///< 0: the file holds none
  std::vector<float> observation;  ///< (rows, observation_size)
  std::vector<float> carry;        ///< (rows, carry_size), before the step
  std::vector<float> mean;         ///< (rows, action_size), or the logits; may be empty
  std::vector<float> std;          ///< (rows, action_size); may be empty
  std::vector<float> action;       ///< (rows, action_width), f(mean), or the likeliest category
  std::vector<float> value;        ///< (rows)
  std::vector<float> next_carry;   ///< (rows, carry_size), after the step
  double tolerance = 1e-5;         ///< on |a - b| / max(1, max |b|) of each of these
};

/// A policy as it lies in a `*.policy.h5` file; docs/policy_file.md gives the layout.
struct PolicyFile {
  Contract contract;
  Parameters parameters;
  GoldenRows golden;
};

/// Reads and checks a policy file; the file is hostile until checked: sizes are bounded before
/// anything is allocated, every parameter's shape and finiteness is checked against the model, and
/// widths of observation components must add up. Throws Error naming the file, the dataset, what
/// was found and what was expected.
PolicyFile load_policy_file(const std::filesystem::path& path);

/// The two halves of load_policy_file, for engines whose rank 0 reads and broadcasts: all bytes of
/// a file (throws Error when it is missing, unreadable or too large), and the policy in them.
/// `source` is what messages call the file. Every rank parses the same bytes, so errors are
/// collective.
std::vector<std::byte> read_policy_bytes(const std::filesystem::path& path);
PolicyFile parse_policy_file(std::span<const std::byte> bytes, const std::string& source);

/// Writes a policy file (complete or not at all: written beside `path` and renamed). Throws Error.
void save_policy_file(const std::filesystem::path& path, const PolicyFile& policy);

}  // namespace dempilot
