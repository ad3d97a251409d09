#pragma once

#include <vector>

namespace dempilot {

/// Nodes and weights with sum_k weight_k g(node_k) = E[g(Z)], Z standard normal, exact for
/// polynomials of degree 2 points - 1 (Golub and Welsch 1969: eigenvalues of the Hermite
/// polynomials' Jacobi matrix).
struct GaussHermite {
  std::vector<double> nodes;
  std::vector<double> weights;

  explicit GaussHermite(int points);
};

}  // namespace dempilot
