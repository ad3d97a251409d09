#pragma once

#include "core/Function.hpp"

namespace dempilot::nn {

/// An entry of an observation as the model reads it, in double: a mean that is large beside the
/// deviation would cost a float its digits.
DEMPILOT_FUNCTION double normalize(double x, double mean, double inverse_std, double clip) {
  const double y = (x - mean) * inverse_std;
  return y < -clip ? -clip : (y > clip ? clip : y);
}

}  // namespace dempilot::nn
