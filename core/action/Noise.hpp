#pragma once

#include <cmath>
#include <cstdint>

#include <Random123/philox.h>

#include "core/Function.hpp"

namespace dempilot {

/// Standard normal and uniform numbers as pure functions of what they are for, so that nobody's
/// noise depends on ranks, threads or the order of agents. Philox4x32-10 of Random123, keyed by the
/// seed; the counter is (id, number, index): the stream of one id at one decision.
class Noise {
 public:
  DEMPILOT_FUNCTION
  Noise(std::uint64_t seed, std::int64_t id, std::int64_t number)
      : seed_(seed),
        id_(static_cast<std::uint64_t>(id)),
        number_(static_cast<std::uint64_t>(number)) {}

  /// Two independent standard normals, numbers 2 * pair and 2 * pair + 1 of the stream
  /// (Box-Muller).
  DEMPILOT_FUNCTION
  void normal_pair(std::uint32_t pair, double& first, double& second) const {
    using std::cos;
    using std::log;
    using std::sin;
    using std::sqrt;
    constexpr double two_pi = 6.283185307179586477;
    const auto bits = block(pair);
    const double radius = sqrt(-2 * log(uniform(bits.v[0], bits.v[1])));
    const double angle = two_pi * uniform(bits.v[2], bits.v[3]);
    first = radius * cos(angle);
    second = radius * sin(angle);
  }

  /// The `index`-th uniform number of the stream, in (0, 1).
  DEMPILOT_FUNCTION
  double uniform(std::uint32_t index) const {
    const auto bits = block(index);
    return uniform(bits.v[0], bits.v[1]);
  }

 private:
  /// 52 random bits, centred in their cells: never 0 and never 1.
  DEMPILOT_FUNCTION
  static double uniform(std::uint32_t high, std::uint32_t low) {
    const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 20U) | (low >> 12U);
    return (static_cast<double>(bits) + 0.5) * 0x1p-52;
  }

  DEMPILOT_FUNCTION
  r123::Philox4x32::ctr_type block(std::uint32_t index) const {
    r123::Philox4x32::ctr_type counter;
    counter.v[0] = static_cast<std::uint32_t>(id_);
    // Words 0 and 1 are the id, 2 and the upper byte of 3 the number (40 bits), the rest of 3 the
    // index (24 bits).
    counter.v[1] = static_cast<std::uint32_t>(id_ >> 32U);
    counter.v[2] = static_cast<std::uint32_t>(number_);
    counter.v[3] = static_cast<std::uint32_t>((number_ >> 32U) << 24U) ^ index;
    r123::Philox4x32::key_type key;
    key.v[0] = static_cast<std::uint32_t>(seed_);
    key.v[1] = static_cast<std::uint32_t>(seed_ >> 32U);
    return r123::Philox4x32{}(counter, key);
  }

  std::uint64_t seed_;
  std::uint64_t id_;
  std::uint64_t number_;
};

}  // namespace dempilot
