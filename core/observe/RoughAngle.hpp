#pragma once

#include <cmath>

#include "core/Function.hpp"

/// Angles that are nearly right, at a fraction of the cost.
namespace dempilot::detail {

inline constexpr double pi = 3.14159265358979323846;

/// How far a rough angle may be from the angle, and then some.
inline constexpr double rough_angle_error = 2e-5;

/// atan(t) for t in 0 to 1 is t times a polynomial of t squared, to 1e-5: 4.4.49 of Abramowitz and
/// Stegun. The highest power first. By a function, since devices do not see arrays of the host.
struct Polynomial {
  double coefficients[5];
};
DEMPILOT_FUNCTION constexpr Polynomial arctangent() {
  return {{0.0208351, -0.0851330, 0.1801410, -0.3302995, 0.9998660}};
}

/// atan2 to 1e-5. NaN if both are 0.
DEMPILOT_FUNCTION
double rough_atan2(double y, double x) {
  const double ax = std::fabs(x);
  const double ay = std::fabs(y);
  const double t = (ax < ay ? ax : ay) / (ay > ax ? ay : ax);
  const double s = t * t;
  double octant = 0;
  for (const double coefficient : arctangent().coefficients)
    octant = octant * s + coefficient;
  // |base - angle| mirrors or keeps the angle without a branch: nobody can guess a neighbor's
  // octant
  const double quadrant = std::fabs((ay > ax ? pi / 2 : 0.0) - t * octant);
  return std::copysign(std::fabs((x < 0 ? pi : 0.0) - quadrant), y);
}

}  // namespace dempilot::detail
