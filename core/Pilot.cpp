#include "core/Pilot.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/Backend.hpp"
#include "core/Error.hpp"
#include "core/nn/Network.hpp"
#include "core/nn/simd/TileOps.hpp"
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

const char* instruction_set() {
  return nn::simd::tile_ops().name;
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
                      std::int64_t decision, const Decisions& out,
                      std::int64_t all_agents) const = 0;

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
              std::int64_t decision, const Pilot::Decisions& out,
              std::int64_t all_agents) const override {
    const std::size_t agents = out.value.size();
    nn::Rollout<float, ExecutionSpace> rollout;
    rollout.agents = static_cast<int>(agents);
    rollout.all_agents = all_agents;
    rollout.observation = rows_of(rows, agents, contract.model.observation_size);
    rollout.carry = rows_of(carry, agents, contract.model.carry_size());
    rollout.action =
        rows_of(out.action, agents, out.action.size() / std::max<std::size_t>(1, agents));
    rollout.mean = rows_of(out.mean, out.mean.empty() ? 0 : agents, contract.model.action_size);
    rollout.std = rows_of(out.std, out.std.empty() ? 0 : agents, contract.model.action_size);
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

/// Replaces the index that begins each row of `action` (agents, width) by what `table` (categories,
/// width) says of it.
void look_up(const std::vector<float>& table, std::size_t width, std::span<float> action) {
  if (table.empty()) return;
  for (std::size_t first = 0; first < action.size(); first += width) {
    const auto category = static_cast<std::size_t>(action[first]);
    std::copy_n(table.begin() + static_cast<std::ptrdiff_t>(category * width), width,
                action.begin() + static_cast<std::ptrdiff_t>(first));
  }
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

void replay_golden_rows(const Pilot::Impl& pilot, const GoldenRows& golden) {
  if (golden.rows == 0) return;
  const ModelSpec& model = pilot.contract.model;
  std::vector<float> carry = golden.carry;
  std::vector<float> action(golden.rows * model.action_width());
  std::vector<float> mean(golden.rows * model.action_size);
  std::vector<float> std(golden.rows * model.action_size);
  std::vector<float> value(golden.rows);
  std::vector<float> log_prob(golden.rows);
  const std::vector<std::int64_t> ids(golden.rows, 0);
  pilot.decide(golden.observation, carry, ids, DecisionMode::mean, 0, 0,
               {action, value, log_prob, mean, std}, Pilot::many);
  const auto check = [&](const char* what, std::span<const float> found,
                         std::span<const float> expected) {
    if (found.size() != expected.size()) {
      fail("'{}': '/golden/{}' has {} values ({} are needed) write the rows again", pilot.source,
           what, expected.size(), found.size());
    }
    const double error = deviation(found, expected);
    if (error <= golden.tolerance) return;
    fail(
        "'{}': its golden rows do not come out ('/golden/{}' is off by {:.3g}, allowed {:.3g}) the "
        "weights or the metadata are not those of the model that wrote the rows: convert it again",
        pilot.source, what, error, golden.tolerance);
  };
  if (!golden.mean.empty()) check("mean", mean, golden.mean);
  if (!golden.std.empty()) check("std", std, golden.std);
  check("action", action, golden.action);
  check("value", value, golden.value);
  check("next_carry", carry, golden.next_carry);
}

}  // namespace

Pilot::Pilot(const PolicyFile& policy, std::string source) {
  check_size(policy.contract.model, source);
  check_parameters(policy.contract.model, policy.parameters, source);
  impl_ = make_impl(policy, std::move(source));
  replay_golden_rows(*impl_, policy.golden);
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
  return impl_->contract.acting_width();
}
std::size_t Pilot::carry_size() const {
  return impl_->contract.model.carry_size();
}
const Observer& Pilot::observer() const {
  return impl_->observer;
}

void Pilot::observe(const Scene& scene, std::span<float> rows) const {
  impl_->observe(scene, rows);
}

void Pilot::decide(std::span<const float> rows, std::span<float> carry,
                   std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
                   std::int64_t decision, const Decisions& out, std::int64_t all_agents) const {
  const std::size_t agents = out.value.size();
  const auto fits = [this](std::span<const float> optional, std::size_t count) {
    return optional.empty() || optional.size() == count * contract().model.action_size;
  };
  if (rows.size() != agents * observation_size() || carry.size() != agents * carry_size() ||
      ids.size() != agents || out.action.size() != agents * action_size() ||
      out.log_prob.size() != agents || !fits(out.mean, agents) || !fits(out.std, agents)) {
    fail(
        "cannot decide for {} agents (observations {}, carry {}, ids {}, actions {} entries) give "
        "{}, {}, {} and {}",
        agents, rows.size(), carry.size(), ids.size(), out.action.size(),
        agents * observation_size(), agents * carry_size(), agents, agents * action_size());
  }
  impl_->decide(rows, carry, ids, mode, seed, decision, out, all_agents);
  look_up(contract().action.table, action_size(), out.action);
}

}  // namespace dempilot
