#include "core/policy/Initialization.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/action/Noise.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Standard normal numbers in a fixed order; one stream per parameter.
class NormalStream {
 public:
  NormalStream(std::uint64_t seed, std::int64_t parameter) : noise_(seed, parameter, 0) {}

  double next() {
    if (count_ % 2 == 0) noise_.normal_pair(count_ / 2, pair_[0], pair_[1]);
    return pair_[count_++ % 2];
  }

 private:
  Noise noise_;
  std::uint32_t count_ = 0;
  double pair_[2] = {0, 0};
};

/// flax's lecun_normal: normal of variance 1 / fan_in, cut off at two standard deviations (whose
/// own standard deviation is 0.8796...).
RowMajor lecun_normal(Eigen::Index in, Eigen::Index out, NormalStream& normal) {
  const double scale = std::sqrt(1.0 / static_cast<double>(in)) / 0.87962566103423978;
  return RowMajor::NullaryExpr(in, out, [&] {
    double x = normal.next();
    while (std::abs(x) > 2)
      x = normal.next();
    return scale * x;
  });
}

/// Orthonormal rows or columns, whichever are fewer, times `scale`: Q of a normal matrix, with R's
/// diagonal made positive so that Q is uniformly distributed.
RowMajor orthogonal(Eigen::Index in, Eigen::Index out, double scale, NormalStream& normal) {
  const Eigen::MatrixXd gaussian = Eigen::MatrixXd::NullaryExpr(
      std::max(in, out), std::min(in, out), [&] { return normal.next(); });
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(gaussian);
  Eigen::MatrixXd q =
      qr.householderQ() * Eigen::MatrixXd::Identity(gaussian.rows(), gaussian.cols());
  for (Eigen::Index i = 0; i < q.cols(); ++i) {
    if (qr.matrixQR()(i, i) < 0) q.col(i) = -q.col(i);
  }
  if (in < out) return scale * q.transpose();
  return scale * q;
}

RowMajor initial_kernel(const ModelSpec& spec, const std::string& name, Eigen::Index in,
                        Eigen::Index out, NormalStream& normal) {
  const bool seed = spec.variant == ModelVariant::seed;
  if (name == "cell.dense_h.kernel") return orthogonal(in, out, 1, normal);
  if (name == "cell.dense_i.kernel" || seed) {
    return lecun_normal(in, out, normal);
  }
  if (name == "fused_head.kernel") {
    RowMajor kernel(in, out);
    kernel << orthogonal(in, out - 1, 1, normal), orthogonal(in, 1, 0.01, normal);
    return kernel;
  }
  // The last layer of a critic with a torso of its own, too, gives one number.
  const bool value = name.starts_with("critic") && out == 1;
  if (value || name.starts_with("actor_sigma")) return orthogonal(in, out, 0.01, normal);
  if (name == "actor_mu.kernel" || name == "mingru_kernel") return orthogonal(in, out, 1, normal);
  return orthogonal(in, out, std::sqrt(2.0), normal);
}

}  // namespace

Parameters initialize_parameters(const ModelSpec& spec, std::uint64_t seed) {
  check_size(spec, "new model");
  Parameters parameters;
  std::int64_t stream = 0;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    NormalStream normal(seed, stream++);
    const std::size_t count =
        std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
    Tensor tensor{shape, std::vector<float>(count, 0.0F)};
    if (shape.size() >= 2 && name != "_log_std") {
      const std::size_t in = shape[shape.size() - 2];
      const std::size_t out = shape.back();
      // A stack of kernels is initialised one by one.
      for (auto at = tensor.values.begin(); at != tensor.values.end();) {
        const RowMajor kernel = initial_kernel(spec, name, static_cast<Eigen::Index>(in),
                                               static_cast<Eigen::Index>(out), normal);
        at = std::transform(kernel.data(), kernel.data() + in * out, at,
                            [](double x) { return static_cast<float>(x); });
      }
    }
    // A learned standard deviation starts near softplus(-1).
    if (name == "actor_sigma.net.layers.0.bias") std::ranges::fill(tensor.values, -1.0F);
    parameters.emplace(name, std::move(tensor));
  }
  return parameters;
}

}  // namespace dempilot
