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

  /// JaxDEM's MinGRU layers; `h` is (layers, width).
  VectorXd min_gru(VectorXd x, Eigen::Map<MatrixXd> h) const {
    const Tensor& kernels = parameters.at("mingru_kernel");
    const auto n = static_cast<Index>(kernels.shape[1]);
    using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    for (Index l = 0; l < h.cols(); ++l) {
      const Eigen::Map<const RowMajor> kernel(kernels.values.data() + l * n * 3 * n, n, 3 * n);
      const VectorXd z = kernel.cast<double>().transpose() * x;
      const ArrayXd hidden = z.head(n);
      const ArrayXd w = logistic(z.segment(n, n));
      const ArrayXd g = (hidden >= 0.0).select(hidden + 0.5, logistic(hidden));
      h.col(l) = ((1.0 - w) * h.col(l).array() + w * g).matrix();
      const ArrayXd highway = logistic(z.tail(n));
      x = (highway * h.col(l).array() + (1.0 - highway) * x.array()).matrix();
    }
    return x;
  }

  /// What the heads read; the carry is replaced.
  VectorXd features(const VectorXd& x, std::span<double> carry) const {
    switch (spec.kind) {
      case ModelKind::lstm_actor_critic: {
        const auto width = static_cast<Index>(spec.lstm_features);
        return lstm(layers("encoder", spec.variant == ModelVariant::seed ? 2 : 1, x),
                    {carry.data(), width}, {carry.data() + width, width});
      }
      case ModelKind::min_gru_actor_critic: {
        VectorXd projected = layers("encoder", 1, x);
        if (parameters.contains("proj_in.kernel")) projected = linear("proj_in", projected);
        return min_gru(projected, {carry.data(), static_cast<Index>(spec.gru_features),
                                   static_cast<Index>(spec.num_layers)});
      }
      case ModelKind::shared_actor_critic:
        return layers("network", spec.architecture.size(), x);
      case ModelKind::actor_critic:
        return layers("actor_torso", spec.architecture.size(), x);
    }
    return x;
  }

  /// The value of a head of its own.
  double value(const VectorXd& x, const VectorXd& features) const {
    if (spec.kind != ModelKind::actor_critic) return linear("critic", features)(0);
    const std::size_t torso = spec.critic_architecture.size();
    return linear("critic.layers." + std::to_string(2 * torso), layers("critic", torso, x))(0);
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
  const VectorXd x =
      Eigen::Map<const VectorXd>(observation.data(), static_cast<Index>(observation.size()));
  const auto actions = static_cast<Index>(spec.action_size);
  const VectorXd features = impl_->features(x, carry);
  Decision decision;
  VectorXd mean;
  if (impl_->parameters.contains("fused_head.kernel")) {
    const VectorXd fused = impl_->linear("fused_head", features);
    mean = fused.head(actions);
    decision.value = fused(actions);
  } else {
    mean = impl_->linear(spec.variant == ModelVariant::seed ? "actor" : "actor_mu", features);
    decision.value = impl_->value(x, features);
  }
  decision.mean = to_vector(mean);
  if (spec.actor_sigma_head) {
    const VectorXd raw = impl_->linear("actor_sigma.net.layers.0", features);
    decision.std = to_vector(raw.array().max(0.0) + (-raw.array().abs()).exp().log1p());
  } else {
    decision.std = to_vector(vector(impl_->parameters.at("_log_std")).array().exp());
  }
  if (spec.discrete) {
    Index likeliest = 0;
    mean.maxCoeff(&likeliest);
    decision.action = {static_cast<double>(likeliest)};
  } else {
    decision.action = to_vector(impl_->squash(mean));
  }
  return decision;
}

std::vector<double> ReferencePolicy::to_action(std::span<const double> latent) const {
  return to_vector(
      impl_->squash(Eigen::Map<const VectorXd>(latent.data(), static_cast<Index>(latent.size()))));
}

}  // namespace dempilot::reference
