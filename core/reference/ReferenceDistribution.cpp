#include "core/reference/ReferenceDistribution.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace dempilot::reference {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

ArrayXd array(std::span<const double> x) {
  return Eigen::Map<const ArrayXd>(x.data(), static_cast<Index>(x.size()));
}

std::vector<double> to_vector(const ArrayXd& x) {
  return {x.begin(), x.end()};
}

struct Box {
  ArrayXd centre, half;
  explicit Box(const ActionSpaceSpec& space)
      : centre((array(space.x_min) + array(space.x_max)) / 2),
        half((1 - space.eps) * (array(space.x_max) - array(space.x_min)) / 2) {}
};

double radius(const ArrayXd& x, double eps) {
  return std::sqrt(x.square().sum() + eps * eps);
}

/// log sech^2
double log_sech2(double z) {
  const double a = std::abs(z);
  return 2 * (std::log(2.0) - a - std::log(1 + std::exp(-2 * a)));
}

double log_det(const ActionSpaceSpec& space, const ArrayXd& x) {
  const auto d = static_cast<double>(x.size());
  if (space.kind == ActionSpaceKind::box) {
    return Box(space).half.log().sum() - d * std::log(space.width) +
           (x / space.width).unaryExpr(&log_sech2).sum();
  }
  if (space.kind == ActionSpaceKind::max_norm) {
    const double r = radius(x, space.eps);
    return d * std::log((1 - space.eps) * space.max_norm) + (d - 1) * std::log(std::tanh(r) / r) +
           log_sech2(r);
  }
  return 0;
}

/// Gauss-Hermite nodes and weights for a standard normal: the roots of the Hermite polynomial He_n
/// by Newton's method between neighbouring extrema found by scanning, and w = (n-1)! / (n
/// He_{n-1}^2).
struct Quadrature {
  std::vector<double> nodes, weights;

  explicit Quadrature(int n) {
    constexpr double step = 1e-3;
    const double end = 2 * std::sqrt(static_cast<double>(n)) + 1;
    for (double a = -end - step / 3; a < end; a += step) {
      if (hermite(n, a) * hermite(n, a + step) > 0) continue;
      double x = a + step / 2;
      for (int i = 0; i < 20; ++i)
        x -= hermite(n, x) / (n * hermite(n - 1, x));
      nodes.push_back(x);
      weights.push_back(std::tgamma(n) / (n * std::pow(hermite(n - 1, x), 2)));
    }
  }

  static double hermite(int n, double x) {
    double before = 0;
    double value = 1;
    for (int k = 0; k < n; ++k) {
      const double next = x * value - k * before;
      before = value;
      value = next;
    }
    return value;
  }
};

/// E[log_det] over all points of the grid of nodes, one component after the other.
double expected_over_grid(const ActionSpaceSpec& space, const Quadrature& rule, const ArrayXd& mean,
                          const ArrayXd& std, ArrayXd& x, Index component) {
  if (component == mean.size()) return log_det(space, x);
  double sum = 0;
  for (std::size_t k = 0; k < rule.nodes.size(); ++k) {
    x(component) = mean(component) + std(component) * rule.nodes[k];
    sum += rule.weights[k] * expected_over_grid(space, rule, mean, std, x, component + 1);
  }
  return sum;
}

}  // namespace

LatentPoint at_latent(const ActionSpaceSpec& space, std::span<const double> mean,
                      std::span<const double> std, std::span<const double> latent) {
  const ArrayXd x = array(latent);
  ArrayXd action = x;
  if (space.kind == ActionSpaceKind::box) {
    action = Box(space).centre + Box(space).half * (x / space.width).tanh();
  } else if (space.kind == ActionSpaceKind::max_norm) {
    const double r = radius(x, space.eps);
    action = (1 - space.eps) * space.max_norm * std::tanh(r) * x / r;
  } else if (space.kind == ActionSpaceKind::clipped) {
    action = x.max(array(space.x_min)).min(array(space.x_max));
  }
  const ArrayXd z = (x - array(mean)) / array(std);
  const double base = -0.5 * z.square().sum() - array(std).log().sum() -
                      0.5 * static_cast<double>(x.size()) * std::log(2 * M_PI);
  const double determinant = log_det(space, x);
  return {to_vector(action), determinant, base - determinant};
}

std::vector<double> to_latent(const ActionSpaceSpec& space, std::span<const double> action) {
  const ArrayXd y = array(action);
  const double edge = 1 - space.eps;
  if (space.kind == ActionSpaceKind::box) {
    const ArrayXd u = ((y - Box(space).centre) / Box(space).half).max(-edge).min(edge);
    return to_vector(space.width * ((1 + u) / (1 - u)).log() / 2);
  }
  if (space.kind == ActionSpaceKind::max_norm) {
    const double norm = radius(y, space.eps);
    const double u = std::min(norm / (edge * space.max_norm), edge);
    return to_vector(std::log((1 + u) / (1 - u)) / 2 * y / norm);
  }
  return to_vector(y);
}

double gaussian_entropy(std::span<const double> std) {
  return array(std).log().sum() + 0.5 * static_cast<double>(std.size()) * (1 + std::log(2 * M_PI));
}

double entropy(const ActionSpaceSpec& space, std::span<const double> mean,
               std::span<const double> std) {
  double expected = 0;
  if (space.kind == ActionSpaceKind::box) {
    static const Quadrature rule(16);
    const Box box(space);
    for (std::size_t i = 0; i < mean.size(); ++i) {
      for (std::size_t k = 0; k < rule.nodes.size(); ++k) {
        const double z = (mean[i] + std[i] * rule.nodes[k]) / space.width;
        expected += rule.weights[k] *
                    (std::log(box.half(static_cast<Index>(i)) / space.width) + log_sech2(z));
      }
    }
  } else if (space.kind == ActionSpaceKind::max_norm) {
    static const Quadrature rule(5);
    ArrayXd x(static_cast<Index>(mean.size()));
    expected = expected_over_grid(space, rule, array(mean), array(std), x, 0);
  }
  return gaussian_entropy(std) + expected;
}

double categorical_log_prob(std::span<const double> logits, std::size_t action) {
  const ArrayXd shifted = array(logits) - array(logits).maxCoeff();
  return shifted(static_cast<Index>(action)) - std::log(shifted.exp().sum());
}

double categorical_entropy(std::span<const double> logits) {
  const ArrayXd shifted = array(logits) - array(logits).maxCoeff();
  const ArrayXd p = shifted.exp() / shifted.exp().sum();
  return -(p > 0).select(p * p.max(1e-300).log(), 0.0).sum();
}

}  // namespace dempilot::reference
