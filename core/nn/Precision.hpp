#pragma once

#include <string_view>

namespace dempilot::nn {

/// How a CUDA device computes the products of a network; sums and the carry are float32 in all of
/// them. Hosts always compute as fp32 does.
enum class Precision {
  fp32,    ///< multiply-adds of the CUDA cores
  tf32x3,  ///< tensor cores, each float split in two tf32: as accurate as fp32
  tf32,    ///< tensor cores, operands rounded to 11 significant bits
  bf16,    ///< tensor cores, operands rounded to 8
};

inline constexpr Precision precisions[] = {Precision::fp32, Precision::tf32x3, Precision::tf32,
                                           Precision::bf16};

/// As users call it.
constexpr const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::tf32x3:
      return "tf32x3";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
  }
  return "";
}

/// What the few digits of a precision may change, as |a - b| / max(1, max |b|) of whatever a
/// network gives. 0 for those that have the digits of float32.
constexpr double rounding_of(Precision precision) {
  return precision == Precision::tf32 ? 4e-3 : precision == Precision::bf16 ? 3e-2 : 0.0;
}

/// The precision of this name. Throws Error, saying that `whose` names it, if there is none.
Precision parse_precision(std::string_view name, std::string_view whose);

/// What the environment variable DEMPILOT_PRECISION names, or fp32. Throws Error for any other
/// name.
Precision precision_in_use();

}  // namespace dempilot::nn
