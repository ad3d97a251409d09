#include "core/reference/ReferencePolicy.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <optional>
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
    case Activation::gelu_erf:
      return 0.5 * x * x.unaryExpr([](double v) { return 1.0 + std::erf(v / std::sqrt(2.0)); });
    case Activation::tanh:
      return x.tanh();
    case Activation::relu:
      return x.max(0.0);
    case Activation::leaky_relu:
      return x.max(0.01 * x);
    case Activation::silu:
      return x * logistic(x);
    case Activation::elu:
      return (x > 0.0).select(x, x.exp() - 1.0);
    case Activation::sigmoid:
      return logistic(x);
    case Activation::softplus:
      return x.max(0.0) + (-x.abs()).exp().log1p();
    case Activation::identity:
      return x;
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
  VectorXd lstm(const std::string& name, const VectorXd& x, Eigen::Map<VectorXd> h,
                Eigen::Map<VectorXd> c) const {
    const Index n = h.size();
    const VectorXd z = matrix(parameters.at(name + ".dense_i.kernel")).transpose() * x +
                       linear(name + ".dense_h", h);
    const auto gate = [&](Index index) -> ArrayXd { return z.segment(index * n, n).array(); };
    c = (logistic(gate(1)) * c.array() + logistic(gate(0)) * gate(2).tanh()).matrix();
    h = (logistic(gate(3)) * c.array().tanh()).matrix();
    return h;
  }

  /// PyTorch's GRUCell: gates r, z, n.
  VectorXd gru(const std::string& name, const VectorXd& x, Eigen::Map<VectorXd> h) const {
    const Index n = h.size();
    const VectorXd from_x = linear(name + ".dense_i", x);
    const VectorXd from_h = linear(name + ".dense_h", h);
    const ArrayXd r = logistic(from_x.head(n) + from_h.head(n));
    const ArrayXd z = logistic(from_x.segment(n, n) + from_h.segment(n, n));
    const ArrayXd candidate = (from_x.tail(n).array() + r * from_h.tail(n).array()).tanh();
    h = ((1.0 - z) * candidate + z * h.array()).matrix();
    return h;
  }

  /// The stacked layers `name`.0, `name`.1, … of a RecurrentActorCritic; `memory` begins with their
  /// part of the carry.
  VectorXd stack(const std::string& name, VectorXd x, double* memory) const {
    const auto width = static_cast<Index>(spec.features);
    for (std::size_t l = 0; l < spec.num_layers; ++l) {
      const std::string layer = name + "." + std::to_string(l);
      if (spec.cell == CellKind::gru) {
        x = gru(layer, x, {memory, width});
        memory += width;
      } else {
        x = lstm(layer, x, {memory, width}, {memory + width, width});
        memory += 2 * width;
      }
    }
    return x;
  }

  /// What the last layer of a RecurrentActorCritic's critic gives.
  double recurrent_value(const VectorXd& encoded, const VectorXd& memory,
                         std::span<double> carry) const {
    VectorXd x = memory;
    if (spec.critic_memory == CriticMemory::own) {
      x = stack("critic_cells", encoded, carry.data() + carry.size() / 2);
    } else if (spec.critic_memory == CriticMemory::none) {
      x = linear("critic_encoder", encoded);
    }
    const std::size_t count = spec.critic_architecture.size();
    return linear("critic.layers." + std::to_string(2 * count), layers("critic", count, x))(0);
  }

  /// clip((x - mean) / sqrt(variance + epsilon), ± clip)
  VectorXd normalize(const VectorXd& x) const {
    const Normalization& n = spec.normalization;
    if (n.mean.empty()) return x;
    const Eigen::Map<const ArrayXd> mean(n.mean.data(), x.size());
    const Eigen::Map<const ArrayXd> variance(n.variance.data(), x.size());
    return ((x.array() - mean) / (variance + n.epsilon).sqrt()).max(-n.clip).min(n.clip).matrix();
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

  /// What the actor's heads read, and the value where the critic has layers of its own.
  struct Features {
    VectorXd actor;
    std::optional<double> value;
  };

  /// The carry is replaced.
  Features features(const VectorXd& x, std::span<double> carry) const {
    switch (spec.kind) {
      case ModelKind::lstm_actor_critic: {
        const auto width = static_cast<Index>(spec.lstm_features);
        return {lstm("cell", layers("encoder", spec.variant == ModelVariant::seed ? 2 : 1, x),
                     {carry.data(), width}, {carry.data() + width, width}),
                {}};
      }
      case ModelKind::min_gru_actor_critic: {
        VectorXd projected = layers("encoder", 1, x);
        if (parameters.contains("proj_in.kernel")) projected = linear("proj_in", projected);
        return {min_gru(projected, {carry.data(), static_cast<Index>(spec.gru_features),
                                    static_cast<Index>(spec.num_layers)}),
                {}};
      }
      case ModelKind::shared_actor_critic:
        return {layers("network", spec.architecture.size(), x), {}};
      case ModelKind::actor_critic: {
        const std::size_t torso = spec.critic_architecture.size();
        return {
            layers("actor_torso", spec.architecture.size(), x),
            linear("critic.layers." + std::to_string(2 * torso), layers("critic", torso, x))(0)};
      }
      case ModelKind::recurrent_actor_critic: {
        const VectorXd encoded = layers("encoder", spec.encoder_architecture.size(), x);
        const VectorXd memory = stack("cells", encoded, carry.data());
        return {layers("actor", spec.architecture.size(), memory),
                recurrent_value(encoded, memory, carry)};
      }
    }
    return {};
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
    if (space.kind == ActionSpaceKind::clipped) {
      const Eigen::Map<const VectorXd> low(space.x_min.data(), x.size());
      const Eigen::Map<const VectorXd> high(space.x_max.data(), x.size());
      return x.cwiseMax(low).cwiseMin(high);
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
  const auto [features, value] = impl_->features(impl_->normalize(x), carry);
  Decision decision;
  VectorXd mean;
  if (impl_->parameters.contains("fused_head.kernel")) {
    const VectorXd fused = impl_->linear("fused_head", features);
    mean = fused.head(actions);
    decision.value = fused(actions);
  } else {
    mean = impl_->linear(spec.variant == ModelVariant::seed ? "actor" : "actor_mu", features);
    decision.value = value ? *value : impl_->linear("critic", features)(0);
  }
  decision.mean = to_vector(mean);
  if (spec.actor_sigma_head) {
    const VectorXd raw = impl_->linear("actor_sigma.net.layers.0", features);
    decision.std = to_vector(raw.array().max(0.0) + (-raw.array().abs()).exp().log1p());
  } else if (spec.discrete) {
    decision.std.assign(spec.action_size, 1.0);
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
