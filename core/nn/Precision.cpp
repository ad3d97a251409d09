#include "core/nn/Precision.hpp"

#include <cstdlib>

#include "core/Error.hpp"

namespace dempilot::nn {

Precision parse_precision(std::string_view name, std::string_view whose) {
  for (const Precision precision : precisions) {
    if (name == name_of(precision)) return precision;
  }
  fail("{} is '{}' (products are computed in fp32, tf32x3, tf32 or bf16) set it to one of these",
       whose, name);
}

Precision precision_in_use() {
  const char* const wanted = std::getenv("DEMPILOT_PRECISION");
  if (wanted == nullptr || *wanted == '\0') return Precision::fp32;
  return parse_precision(wanted, "DEMPILOT_PRECISION");
}

}  // namespace dempilot::nn
