#include "core/Pilot.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/Backend.hpp"
#include "core/Error.hpp"
#include "core/nn/Network.hpp"
#include "core/observe/Observer.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {
namespace {

/// The rows of a span as a view. The caller's constness is not the view's element type's.
template <class T>
HostMatrix<T> rows_of(std::span<T> values, std::size_t rows, std::size_t columns) {
  return HostMatrix<T>(values.data(), rows, columns);
}

}  // namespace

void initialize_runtime(int threads) {
  if (threads < 1)
    fail("cannot start {} threads (at least one is needed) ask for 1 or more", threads);
  if (!Kokkos::is_initialized()) detail::initialize_kokkos(threads);
}

/// What a Pilot does, on the back end chosen when it was made.
struct Pilot::Impl {
  Impl(const PolicyFile& policy, std::string name)
      : contract(policy.contract), source(std::move(name)), observer(contract.observation) {}
  virtual ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  virtual void observe(const Scene& scene, std::span<float> rows) const = 0;
  virtual void decide(std::span<const float> rows, std::span<float> carry,
                      std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
                      std::int64_t decision, const Decisions& out) const = 0;

  Contract contract;
  std::string source;
  Observer observer;
};

namespace {

template <class ExecutionSpace>
class HostImpl final : public Pilot::Impl {
 public:
  HostImpl(const PolicyFile& policy, std::string name)
      : Impl(policy, std::move(name)), network_(policy.contract.model, policy.parameters) {}

  void observe(const Scene& scene, std::span<float> rows) const override {
    observer.observe<float>(space_, scene, rows);
  }

  void decide(std::span<const float> rows, std::span<float> carry,
              std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
              std::int64_t decision, const Pilot::Decisions& out) const override {
    const std::size_t agents = out.value.size();
    nn::Rollout<float, ExecutionSpace> rollout;
    rollout.agents = static_cast<int>(agents);
    rollout.observation = rows_of(rows, agents, contract.model.observation_size);
    rollout.carry = rows_of(carry, agents, contract.model.carry_size());
    rollout.action = rows_of(out.action, agents, contract.model.action_size);
    rollout.value = rows_of(out.value, agents, 1);
    rollout.log_prob = rows_of(out.log_prob, agents, 1);
    rollout.sample = mode == DecisionMode::sample;
    rollout.ids = rows_of(ids, agents, 1);
    rollout.seed = seed;
    rollout.first_decision = decision;
    nn::forward(space_, network_, rollout);
  }

 private:
  ExecutionSpace space_;
  nn::Network<float, ExecutionSpace> network_;
};

std::unique_ptr<Pilot::Impl> make_impl(const PolicyFile& policy, std::string source) {
  initialize_runtime(1);
#ifdef KOKKOS_ENABLE_OPENMP
  if (Kokkos::OpenMP{}.concurrency() > 1) {
    return std::make_unique<HostImpl<Kokkos::OpenMP>>(policy, std::move(source));
  }
#endif
#ifdef KOKKOS_ENABLE_SERIAL
  return std::make_unique<HostImpl<Kokkos::Serial>>(policy, std::move(source));
#else
  return std::make_unique<HostImpl<Kokkos::DefaultHostExecutionSpace>>(policy, std::move(source));
#endif
}

/// Largest |a - b| / max(1, max |b|); NaN counts as infinite.
double deviation(std::span<const float> found, std::span<const float> expected) {
  double largest = 0;
  double scale = 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double{found[i]} - double{expected[i]});
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
    scale = std::max(scale, std::abs(double{expected[i]}));
  }
  return largest / scale;
}

void replay_golden_rows(const Pilot& pilot, const GoldenRows& golden, const std::string& source) {
  if (golden.rows == 0) return;
  std::vector<float> carry = golden.carry;
  std::vector<float> action(golden.action.size());
  std::vector<float> value(golden.rows);
  std::vector<float> log_prob(golden.rows);
  const std::vector<std::int64_t> ids(golden.rows, 0);
  pilot.decide(golden.observation, carry, ids, DecisionMode::mean, 0, 0, {action, value, log_prob});
  const auto check = [&](const char* what, std::span<const float> found,
                         std::span<const float> expected) {
    if (found.size() != expected.size()) {
      fail("'{}': '/golden/{}' has {} values ({} are needed) write the rows again", source, what,
           expected.size(), found.size());
    }
    const double error = deviation(found, expected);
    if (error <= golden.tolerance) return;
    fail(
        "'{}': its golden rows do not come out ('/golden/{}' is off by {:.3g}, allowed {:.3g}) the "
        "weights or the metadata are not those of the model that wrote the rows: convert it again",
        source, what, error, golden.tolerance);
  };
  check("action", action, golden.action);
  check("value", value, golden.value);
  check("next_carry", carry, golden.next_carry);
}

}  // namespace

Pilot::Pilot(const PolicyFile& policy, std::string source) {
  check_size(policy.contract.model, source);
  check_parameters(policy.contract.model, policy.parameters, source);
  impl_ = make_impl(policy, std::move(source));
  replay_golden_rows(*this, policy.golden, impl_->source);
}
Pilot::~Pilot() = default;
Pilot::Pilot(Pilot&&) noexcept = default;
Pilot& Pilot::operator=(Pilot&&) noexcept = default;

const Contract& Pilot::contract() const {
  return impl_->contract;
}
std::size_t Pilot::observation_size() const {
  return impl_->contract.model.observation_size;
}
std::size_t Pilot::action_size() const {
  return impl_->contract.model.action_size;
}
std::size_t Pilot::carry_size() const {
  return impl_->contract.model.carry_size();
}
const std::vector<std::string>& Pilot::goals() const {
  return impl_->observer.goals();
}
const std::vector<std::string>& Pilot::target_groups() const {
  return impl_->observer.target_groups();
}
bool Pilot::sees_walls() const {
  return impl_->observer.sees_walls();
}
double Pilot::sensing_range() const {
  return impl_->observer.sensing_range();
}

void Pilot::observe(const Scene& scene, std::span<float> rows) const {
  impl_->observe(scene, rows);
}

void Pilot::decide(std::span<const float> rows, std::span<float> carry,
                   std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
                   std::int64_t decision, const Decisions& out) const {
  const std::size_t agents = out.value.size();
  if (rows.size() != agents * observation_size() || carry.size() != agents * carry_size() ||
      ids.size() != agents || out.action.size() != agents * action_size() ||
      out.log_prob.size() != agents) {
    fail(
        "cannot decide for {} agents (observations {}, carry {}, ids {}, actions {} entries) give "
        "{}, {}, {} and {}",
        agents, rows.size(), carry.size(), ids.size(), out.action.size(),
        agents * observation_size(), agents * carry_size(), agents, agents * action_size());
  }
  impl_->decide(rows, carry, ids, mode, seed, decision, out);
}

}  // namespace dempilot
