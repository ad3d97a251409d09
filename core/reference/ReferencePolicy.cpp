#include "core/reference/ReferencePolicy.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <string>

namespace dempilot::reference {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd matrix(const Tensor& tensor) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> values(tensor.values.data(), static_cast<Index>(tensor.shape[0]),
                                          static_cast<Index>(tensor.shape[1]));
  return values.cast<double>();
}

VectorXd vector(const Tensor& tensor) {
  const Eigen::Map<const Eigen::VectorXf> values(tensor.values.data(),
                                                 static_cast<Index>(tensor.values.size()));
  return values.cast<double>();
}

ArrayXd logistic(const ArrayXd& x) {
  return 1.0 / (1.0 + (-x).exp());
}

ArrayXd apply(Activation activation, const ArrayXd& x) {
  switch (activation) {
    case Activation::gelu:
      return 0.5 * x * (1.0 + (std::sqrt(2.0 / M_PI) * (x + 0.044715 * x.cube())).tanh());
    case Activation::tanh:
      return x.tanh();
    case Activation::relu:
      return x.max(0.0);
    case Activation::silu:
      return x * logistic(x);
    case Activation::elu:
      return (x > 0.0).select(x, x.exp() - 1.0);
    case Activation::sigmoid:
      return logistic(x);
  }
  return x;
}

std::vector<double> to_vector(const VectorXd& x) {
  return {x.begin(), x.end()};
}

}  // namespace

struct ReferencePolicy::Impl {
  ModelSpec spec;
  Parameters parameters;

  VectorXd linear(const std::string& name, const VectorXd& x) const {
    return matrix(parameters.at(name + ".kernel")).transpose() * x +
           vector(parameters.at(name + ".bias"));
  }

  VectorXd layers(const std::string& name, std::size_t count, VectorXd x) const {
    for (std::size_t i = 0; i < count; ++i) {
      x = apply(spec.activation, linear(name + ".layers." + std::to_string(2 * i), x).array());
    }
    return x;
  }

  /// flax's OptimizedLSTMCell: gates i, f, g, o.
  VectorXd lstm(const VectorXd& x, Eigen::Map<VectorXd> h, Eigen::Map<VectorXd> c) const {
    const Index n = h.size();
    const VectorXd z =
        matrix(parameters.at("cell.dense_i.kernel")).transpose() * x + linear("cell.dense_h", h);
    const auto gate = [&](Index index) -> ArrayXd { return z.segment(index * n, n).array(); };
    c = (logistic(gate(1)) * c.array() + logistic(gate(0)) * gate(2).tanh()).matrix();
    h = (logistic(gate(3)) * c.array().tanh()).matrix();
    return h;
  }

  VectorXd squash(const VectorXd& x) const {
    const ActionSpaceSpec& space = spec.action_space;
    if (space.kind == ActionSpaceKind::box) {
      const Eigen::Map<const ArrayXd> low(space.x_min.data(), x.size());
      const Eigen::Map<const ArrayXd> high(space.x_max.data(), x.size());
      return (low + high) / 2 +
             (1 - space.eps) * (high - low) / 2 * (x.array() / space.width).tanh();
    }
    if (space.kind == ActionSpaceKind::max_norm) {
      const double r = std::sqrt(x.squaredNorm() + space.eps * space.eps);
      return (1 - space.eps) * space.max_norm * std::tanh(r) * x / r;
    }
    return x;
  }
};

ReferencePolicy::ReferencePolicy(const ModelSpec& spec, const Parameters& parameters)
    : impl_(std::make_unique<Impl>(Impl{spec, parameters})) {}
ReferencePolicy::~ReferencePolicy() = default;
ReferencePolicy::ReferencePolicy(ReferencePolicy&&) noexcept = default;
ReferencePolicy& ReferencePolicy::operator=(ReferencePolicy&&) noexcept = default;

ReferencePolicy::Decision ReferencePolicy::step(std::span<const double> observation,
                                                std::span<double> carry) const {
  const ModelSpec& spec = impl_->spec;
  VectorXd x =
      Eigen::Map<const VectorXd>(observation.data(), static_cast<Index>(observation.size()));
  const auto actions = static_cast<Index>(spec.action_size);
  VectorXd mean;
  double value = 0;
  if (spec.kind == ModelKind::shared_actor_critic) {
    x = impl_->layers("network", spec.architecture.size(), x);
    mean = impl_->linear("actor_mu", x);
    value = impl_->linear("critic", x)(0);
  } else {
    const bool seed = spec.variant == ModelVariant::seed;
    const auto width = static_cast<Index>(spec.lstm_features);
    x = impl_->layers("encoder", seed ? 2 : 1, x);
    x = impl_->lstm(x, {carry.data(), width}, {carry.data() + width, width});
    if (seed) {
      mean = impl_->linear("actor", x);
      value = impl_->linear("critic", x)(0);
    } else {
      const VectorXd fused = impl_->linear("fused_head", x);
      mean = fused.head(actions);
      value = fused(actions);
    }
  }
  const VectorXd std = vector(impl_->parameters.at("_log_std")).array().exp();
  return {to_vector(mean), to_vector(std), to_vector(impl_->squash(mean)), value};
}

std::vector<double> ReferencePolicy::to_action(std::span<const double> latent) const {
  return to_vector(
      impl_->squash(Eigen::Map<const VectorXd>(latent.data(), static_cast<Index>(latent.size()))));
}

}  // namespace dempilot::reference
