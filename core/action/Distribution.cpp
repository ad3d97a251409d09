#include "core/action/Distribution.hpp"

#include <cmath>

#include "core/Error.hpp"
#include "core/action/GaussHermite.hpp"
#include "core/policy/Transfer.hpp"

namespace dempilot {
namespace {

constexpr double half_log_two_pi = 0.91893853320467274178;
constexpr std::size_t max_grid_components = 8;

template <class Real, class ExecutionSpace>
using Rows = Matrix<Real, ExecutionSpace>;

template <class Real, class ExecutionSpace>
Rows<Real, ExecutionSpace> rows_of(const Array<Real>& array) {
  const std::size_t width = array.shape.empty() ? 1 : array.shape.back();
  return upload<Real, ExecutionSpace>(array.values, width == 0 ? 0 : array.values.size() / width,
                                      "DEMPilot::Distribution::rows");
}

/// One number for each row of `array`.
template <class Real>
Shape leading_shape(const Array<Real>& array) {
  return Shape(array.shape.begin(), array.shape.end() - 1);
}

/// Log-density under the Gaussian of x (size).
template <class Real>
KOKKOS_FUNCTION Real gaussian_log_prob(int size, const Real* mean, const Real* std, const Real* x) {
  Real log_prob = 0;
  for (int i = 0; i < size; ++i) {
    const Real z = (x[i] - mean[i]) / std[i];
    log_prob -= z * z / 2 + std::log(std[i]) + static_cast<Real>(half_log_two_pi);
  }
  return log_prob;
}

/// Action, log-determinant and log-density at a latent.
template <class Real, class ExecutionSpace>
struct LatentEvaluator {
  ActionSpace<Real, ExecutionSpace> space;
  Rows<Real, ExecutionSpace> mean, std, x, log_det, log_prob;  ///< x: latent in, action out

  KOKKOS_FUNCTION void operator()(int row) const {
    const Real base = gaussian_log_prob(space.size, &mean(row, 0), &std(row, 0), &x(row, 0));
    log_det(row, 0) = space.forward(&x(row, 0));
    log_prob(row, 0) = base - log_det(row, 0);
  }
};

/// Log-density of an action.
template <class Real, class ExecutionSpace>
struct ActionEvaluator {
  ActionSpace<Real, ExecutionSpace> space;
  Rows<Real, ExecutionSpace> mean, std, x, log_prob;  ///< x: action in, latent out

  KOKKOS_FUNCTION void operator()(int row) const {
    const Real log_det = space.inverse(&x(row, 0));
    log_prob(row, 0) =
        gaussian_log_prob(space.size, &mean(row, 0), &std(row, 0), &x(row, 0)) - log_det;
  }
};

template <class Real, class ExecutionSpace>
struct EntropyEvaluator {
  ActionSpace<Real, ExecutionSpace> space;
  Vector<Real, ExecutionSpace> nodes, weights;
  bool after_space = false;
  Rows<Real, ExecutionSpace> mean, std, entropy;

  KOKKOS_FUNCTION void operator()(int row) const {
    Real total = 0;
    for (int i = 0; i < space.size; ++i) {
      total += Real(0.5) + static_cast<Real>(half_log_two_pi) + std::log(std(row, i));
    }
    if (after_space && space.kind == ActionSpaceKind::box) total += expected_over_components(row);
    if (after_space && space.kind == ActionSpaceKind::max_norm) total += expected_over_grid(row);
    entropy(row, 0) = total;
  }

 private:
  KOKKOS_FUNCTION Real node(int row, int i, int k) const {
    return mean(row, i) + std(row, i) * nodes(k);
  }

  KOKKOS_FUNCTION Real expected_over_components(int row) const {
    Real sum = 0;
    for (int i = 0; i < space.size; ++i) {
      for (int k = 0; k < static_cast<int>(nodes.extent(0)); ++k) {
        sum += weights(k) * space.log_det_of_component(i, node(row, i, k));
      }
    }
    return sum;
  }

  KOKKOS_FUNCTION Real expected_over_grid(int row) const {
    const int points = static_cast<int>(nodes.extent(0));
    int count = 1;
    for (int i = 0; i < space.size; ++i)
      count *= points;
    Real sum = 0;
    for (int index = 0; index < count; ++index) {
      Real weight = 1;
      Real square = space.eps * space.eps;
      for (int i = 0, rest = index; i < space.size; ++i, rest /= points) {
        const Real x = node(row, i, rest % points);
        weight *= weights(rest % points);
        square += x * x;
      }
      sum += weight * space.log_det_of_norm(std::sqrt(square));
    }
    return sum;
  }
};

/// log of the sum of exp(logits).
template <class Real>
KOKKOS_FUNCTION Real log_sum_exp(const Real* logits, int size) {
  Real largest = logits[0];
  for (int i = 1; i < size; ++i)
    largest = logits[i] > largest ? logits[i] : largest;
  Real sum = 0;
  for (int i = 0; i < size; ++i)
    sum += std::exp(logits[i] - largest);
  return largest + std::log(sum);
}

template <class Real, class ExecutionSpace>
struct CategoricalEvaluator {
  Rows<Real, ExecutionSpace> logits;
  Rows<std::int64_t, ExecutionSpace> action;  ///< empty: the entropy is wanted
  Rows<Real, ExecutionSpace> result;

  KOKKOS_FUNCTION void operator()(int row) const {
    const int size = static_cast<int>(logits.extent(1));
    const Real total = log_sum_exp(&logits(row, 0), size);
    if (action.extent(0) > 0) {
      result(row, 0) = logits(row, action(row, 0)) - total;
      return;
    }
    Real entropy = 0;
    for (int i = 0; i < size; ++i) {
      const Real log_p = logits(row, i) - total;
      const Real p = std::exp(log_p);
      if (p > 0) entropy -= p * log_p;
    }
    result(row, 0) = entropy;
  }
};

template <class ExecutionSpace, class Evaluator>
void launch(const ExecutionSpace& space, const char* label, std::size_t rows,
            const Evaluator& evaluator) {
  Kokkos::parallel_for(label, Kokkos::RangePolicy<ExecutionSpace>(space, 0, rows), evaluator);
  space.fence();
}

template <class Real, class ExecutionSpace>
Rows<Real, ExecutionSpace> column(std::size_t rows) {
  return Rows<Real, ExecutionSpace>("DEMPilot::Distribution::column", rows, 1);
}

}  // namespace

template <class Real, class ExecutionSpace>
GaussianDistribution<Real, ExecutionSpace>::GaussianDistribution(const ActionSpaceSpec& spec,
                                                                 std::size_t action_size,
                                                                 ExecutionSpace space)
    : space_(space), action_space_(spec, action_size) {
  const GaussHermite rule(spec.kind == ActionSpaceKind::max_norm ? 5 : 16);
  const auto convert = [&](const std::vector<double>& values) {
    Vector<Real, ExecutionSpace> view("DEMPilot::Distribution::quadrature", values.size());
    const auto host = Kokkos::create_mirror_view(view);
    for (std::size_t k = 0; k < values.size(); ++k)
      host(k) = static_cast<Real>(values[k]);
    Kokkos::deep_copy(view, host);
    return view;
  };
  nodes_ = convert(rule.nodes);
  weights_ = convert(rule.weights);
}

template <class Real, class ExecutionSpace>
auto GaussianDistribution<Real, ExecutionSpace>::at_latent(const Array<Real>& mean,
                                                           const Array<Real>& std,
                                                           const Array<Real>& latent) const
    -> Point {
  LatentEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.space = action_space_;
  evaluator.mean = rows_of<Real, ExecutionSpace>(mean);
  evaluator.std = rows_of<Real, ExecutionSpace>(std);
  evaluator.x = rows_of<Real, ExecutionSpace>(latent);
  const std::size_t rows = evaluator.x.extent(0);
  evaluator.log_det = column<Real, ExecutionSpace>(rows);
  evaluator.log_prob = column<Real, ExecutionSpace>(rows);
  launch(space_, "DEMPilot::GaussianDistribution::at_latent", rows, evaluator);
  return {download<Real, ExecutionSpace>(evaluator.x, latent.shape),
          download<Real, ExecutionSpace>(evaluator.log_det, leading_shape(latent)),
          download<Real, ExecutionSpace>(evaluator.log_prob, leading_shape(latent))};
}

template <class Real, class ExecutionSpace>
Array<Real> GaussianDistribution<Real, ExecutionSpace>::log_prob(const Array<Real>& mean,
                                                                 const Array<Real>& std,
                                                                 const Array<Real>& action) const {
  ActionEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.space = action_space_;
  evaluator.mean = rows_of<Real, ExecutionSpace>(mean);
  evaluator.std = rows_of<Real, ExecutionSpace>(std);
  evaluator.x = rows_of<Real, ExecutionSpace>(action);
  evaluator.log_prob = column<Real, ExecutionSpace>(evaluator.x.extent(0));
  launch(space_, "DEMPilot::GaussianDistribution::log_prob", evaluator.x.extent(0), evaluator);
  return download<Real, ExecutionSpace>(evaluator.log_prob, leading_shape(action));
}

template <class Real, class ExecutionSpace>
Array<Real> GaussianDistribution<Real, ExecutionSpace>::base_entropy(const Array<Real>& std) const {
  EntropyEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.space = action_space_;
  evaluator.std = rows_of<Real, ExecutionSpace>(std);
  evaluator.entropy = column<Real, ExecutionSpace>(evaluator.std.extent(0));
  launch(space_, "DEMPilot::GaussianDistribution::base_entropy", evaluator.std.extent(0),
         evaluator);
  return download<Real, ExecutionSpace>(evaluator.entropy, leading_shape(std));
}

template <class Real, class ExecutionSpace>
Array<Real> GaussianDistribution<Real, ExecutionSpace>::entropy(const Array<Real>& mean,
                                                                const Array<Real>& std) const {
  if (action_space_.kind == ActionSpaceKind::max_norm &&
      static_cast<std::size_t>(action_space_.size) > max_grid_components) {
    fail(
        "cannot compute the entropy in a MaxNorm space of {} components (its grid of 5 nodes each "
        "would be too large, at most {} are) use the base entropy",
        action_space_.size, max_grid_components);
  }
  EntropyEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.space = action_space_;
  evaluator.nodes = nodes_;
  evaluator.weights = weights_;
  evaluator.after_space = true;
  evaluator.mean = rows_of<Real, ExecutionSpace>(mean);
  evaluator.std = rows_of<Real, ExecutionSpace>(std);
  evaluator.entropy = column<Real, ExecutionSpace>(evaluator.std.extent(0));
  launch(space_, "DEMPilot::GaussianDistribution::entropy", evaluator.std.extent(0), evaluator);
  return download<Real, ExecutionSpace>(evaluator.entropy, leading_shape(std));
}

template <class Real, class ExecutionSpace>
Array<Real> categorical_log_prob(const ExecutionSpace& space, const Array<Real>& logits,
                                 const Array<std::int64_t>& action) {
  const auto actions = static_cast<std::int64_t>(logits.shape.back());
  for (const std::int64_t index : action.values) {
    if (index < 0 || index >= actions) {
      fail("no discrete action {} (there are {}) give indices below that", index, actions);
    }
  }
  CategoricalEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.logits = rows_of<Real, ExecutionSpace>(logits);
  evaluator.action = upload<std::int64_t, ExecutionSpace>(action.values, action.values.size(),
                                                          "DEMPilot::Distribution::action");
  evaluator.result = column<Real, ExecutionSpace>(evaluator.logits.extent(0));
  launch(space, "DEMPilot::categorical_log_prob", evaluator.logits.extent(0), evaluator);
  return download<Real, ExecutionSpace>(evaluator.result, leading_shape(logits));
}

template <class Real, class ExecutionSpace>
Array<Real> categorical_entropy(const ExecutionSpace& space, const Array<Real>& logits) {
  CategoricalEvaluator<Real, ExecutionSpace> evaluator;
  evaluator.logits = rows_of<Real, ExecutionSpace>(logits);
  evaluator.result = column<Real, ExecutionSpace>(evaluator.logits.extent(0));
  launch(space, "DEMPilot::categorical_entropy", evaluator.logits.extent(0), evaluator);
  return download<Real, ExecutionSpace>(evaluator.result, leading_shape(logits));
}

#define DEMPILOT_INSTANTIATE(Real, Space)                                                  \
  template class GaussianDistribution<Real, Space>;                                        \
  template Array<Real> categorical_log_prob<Real, Space>(const Space&, const Array<Real>&, \
                                                         const Array<std::int64_t>&);      \
  template Array<Real> categorical_entropy<Real, Space>(const Space&, const Array<Real>&);
#ifdef DEMPILOT_HAS_SERIAL
DEMPILOT_INSTANTIATE(float, Kokkos::Serial)
DEMPILOT_INSTANTIATE(double, Kokkos::Serial)
#endif
#ifdef KOKKOS_ENABLE_OPENMP
DEMPILOT_INSTANTIATE(float, Kokkos::OpenMP)
DEMPILOT_INSTANTIATE(double, Kokkos::OpenMP)
#endif
#ifdef KOKKOS_ENABLE_CUDA
DEMPILOT_INSTANTIATE(float, Kokkos::Cuda)
DEMPILOT_INSTANTIATE(double, Kokkos::Cuda)
#endif
#undef DEMPILOT_INSTANTIATE

}  // namespace dempilot
