#include "core/policy/Policy.hpp"

#include "core/Error.hpp"
#include "core/policy/Initialization.hpp"
#include "core/policy/ParameterTable.hpp"
#include "core/policy/Transfer.hpp"

namespace dempilot {
namespace {

const Parameters& checked(const ModelSpec& spec, const Parameters& parameters) {
  check_size(spec, "model");
  check_parameters(spec, parameters, "model");
  return parameters;
}

}  // namespace

template <class Real, class ExecutionSpace>
Policy<Real, ExecutionSpace>::Policy(const ModelSpec& spec, const Parameters& parameters,
                                     ExecutionSpace space)
    : spec_(spec),
      space_(space),
      network_(spec, checked(spec, parameters)),
      carry_(spec.carry_size()) {}

template <class Real, class ExecutionSpace>
Policy<Real, ExecutionSpace>::Policy(const ModelSpec& spec, std::uint64_t seed,
                                     ExecutionSpace space)
    : Policy(spec, initialize_parameters(spec, seed), space) {}

template <class Real, class ExecutionSpace>
void Policy<Real, ExecutionSpace>::train(std::uint64_t seed) {
  training_ = true;
  dropout_seed_ = seed;
  dropout_calls_ = 0;
}

template <class Real, class ExecutionSpace>
Outputs<Real> Policy<Real, ExecutionSpace>::step(const Array<Real>& observations) {
  const Shape& shape = observations.shape;
  if (shape.empty() || shape.back() != spec_.observation_size ||
      observations.values.size() != element_count(shape)) {
    fail("observations of shape ({}) do not fit (the model takes (..., {})) check the observation",
         fmt::join(shape, ", "), spec_.observation_size);
  }
  const Shape leading(shape.begin(), shape.end() - 1);
  if (carry_.leading_shape() != leading || carry_.agents() == 0) carry_.reset(leading);
  return run(1, static_cast<int>(element_count(leading)), observations, carry_.rows(), {});
}

template <class Real, class ExecutionSpace>
Outputs<Real> Policy<Real, ExecutionSpace>::sequence(
    const Array<Real>& observations, const std::optional<Array<Real>>& initial_carry,
    const std::optional<Array<std::int8_t>>& done) {
  const Shape& shape = observations.shape;
  if (shape.size() != 3 || shape[2] != spec_.observation_size ||
      observations.values.size() != element_count(shape)) {
    fail("a sequence of shape ({}) does not fit (the model takes (T, B, {})) check the observation",
         fmt::join(shape, ", "), spec_.observation_size);
  }
  Carry<Real, ExecutionSpace> carry(spec_.carry_size());
  carry.reset({shape[1]});
  if (initial_carry) carry.set(*initial_carry);
  if (carry.agents() != shape[1] || (done && (done->shape != Shape{shape[0], shape[1]} ||
                                              done->values.size() != shape[0] * shape[1]))) {
    fail(
        "initial carry or done mask does not fit a sequence of shape ({}) (wanted ({}, {}) and "
        "({}, {})) check their shapes",
        fmt::join(shape, ", "), shape[1], spec_.carry_size(), shape[0], shape[1]);
  }
  return run(static_cast<int>(shape[0]), static_cast<int>(shape[1]), observations, carry.rows(),
             done);
}

template <class Real, class ExecutionSpace>
Outputs<Real> Policy<Real, ExecutionSpace>::run(int steps, int agents,
                                                const Array<Real>& observations,
                                                const Matrix<Real, ExecutionSpace>& carry,
                                                const std::optional<Array<std::int8_t>>& done) {
  using Rows = Matrix<Real, ExecutionSpace>;
  const std::size_t rows = static_cast<std::size_t>(steps) * static_cast<std::size_t>(agents);
  const auto features = static_cast<std::size_t>(network_.head.inputs);
  const Rows observation =
      upload<Real, ExecutionSpace>(observations.values, rows, "DEMPilot::Policy::observation");
  const Rows mean("DEMPilot::Policy::mean", rows, spec_.action_size);
  const Rows std("DEMPilot::Policy::std", rows, spec_.action_size);
  const Rows action("DEMPilot::Policy::action", rows, spec_.action_width());
  const Rows value("DEMPilot::Policy::value", rows, 1);
  const Rows log_prob("DEMPilot::Policy::log_prob", rows, 1);
  const Rows hidden("DEMPilot::Policy::hidden", rows, features);
  Matrix<std::int8_t, ExecutionSpace> mask;
  if (done) {
    mask = upload<std::int8_t, ExecutionSpace>(done->values, static_cast<std::size_t>(steps),
                                               "DEMPilot::Policy::done");
  }

  nn::Rollout<Real, ExecutionSpace> rollout;
  rollout.steps = steps;
  rollout.agents = agents;
  rollout.observation = observation;
  rollout.carry = carry;
  rollout.done = mask;
  rollout.mean = mean;
  rollout.std = std;
  rollout.action = action;
  rollout.value = value;
  rollout.log_prob = log_prob;
  rollout.hidden = hidden;
  rollout.training = training_;
  rollout.seed = dropout_seed_;
  rollout.first_decision = dropout_calls_;
  dropout_calls_ += steps;
  nn::forward(space_, network_, rollout);

  const Shape& shape = observations.shape;
  Outputs<Real> out;
  out.mean = download<Real, ExecutionSpace>(mean, with_last(shape, spec_.action_size));
  out.action = download<Real, ExecutionSpace>(action, with_last(shape, spec_.action_width()));
  out.value = download<Real, ExecutionSpace>(value, with_last(shape, 1));
  out.log_prob = download<Real, ExecutionSpace>(log_prob, Shape(shape.begin(), shape.end() - 1));
  out.hidden = download<Real, ExecutionSpace>(hidden, with_last(shape, features));
  out.std = download<Real, ExecutionSpace>(std, with_last(shape, spec_.action_size));
  return out;
}

#ifdef DEMPILOT_HAS_SERIAL
template class Policy<float, Kokkos::Serial>;
template class Policy<double, Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
template class Policy<float, Kokkos::OpenMP>;
template class Policy<double, Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
template class Policy<float, Kokkos::Cuda>;
template class Policy<double, Kokkos::Cuda>;
#endif

}  // namespace dempilot
