#include "core/action/GaussHermite.hpp"

#include <Eigen/Dense>
#include <cmath>

namespace dempilot {

GaussHermite::GaussHermite(int points) {
  Eigen::VectorXd off_diagonal(points - 1);
  for (int k = 1; k < points; ++k)
    off_diagonal(k - 1) = std::sqrt(static_cast<double>(k));
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(points), off_diagonal);
  const Eigen::VectorXd first = solver.eigenvectors().row(0).transpose();
  nodes.assign(solver.eigenvalues().begin(), solver.eigenvalues().end());
  for (const double component : first)
    weights.push_back(component * component);
}

}  // namespace dempilot
