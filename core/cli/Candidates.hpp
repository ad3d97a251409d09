#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/cli/GoldenFile.hpp"

namespace dempilot::cli {

/// Something that can recompute a golden file: the policy in some precision on some back end, or
/// the reference.
class Candidate {
 public:
  virtual ~Candidate() = default;
  virtual std::string backend() const = 0;
  virtual bool single_precision() const = 0;
  /// nn::rounding_of what it computes with.
  virtual double rounding() const { return 0.0; }
  /// The quantities of single-step mode, by golden dataset ("single/mean", ...), row-major.
  virtual std::map<std::string, std::vector<double>> single(const GoldenFile& golden) = 0;
  /// The quantities of sequence mode and "distribution/deterministic_action".
  virtual std::map<std::string, std::vector<double>> sequence(const GoldenFile& golden) = 0;
  /// The quantities of the distribution over the sequence's steps.
  virtual std::map<std::string, std::vector<double>> distribution(const GoldenFile& golden) = 0;
};

/// Float and double on every back end of this build, and the reference in double.
std::vector<std::unique_ptr<Candidate>> make_candidates(const GoldenFile& golden);

}  // namespace dempilot::cli
