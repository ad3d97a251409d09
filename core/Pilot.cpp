#include "core/Pilot.hpp"

#include <utility>

#include "core/Backend.hpp"
#include "core/Error.hpp"
#include "core/PilotOn.hpp"
#include "core/nn/simd/TileOps.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {

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
  Impl() = default;
  virtual ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  virtual const Contract& contract() const = 0;
  virtual const Observer& observer() const = 0;
  virtual void observe(const Scene& scene, std::span<float> rows) const = 0;
  virtual void decide(std::span<const float> rows, std::span<float> carry,
                      std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
                      std::int64_t decision, const Decisions& out,
                      std::int64_t all_agents) const = 0;
};

namespace {

template <class ExecutionSpace>
class HostImpl final : public Pilot::Impl {
 public:
  HostImpl(const PolicyFile& policy, std::string source) : pilot_(policy, std::move(source)) {}

  const Contract& contract() const override { return pilot_.contract(); }
  const Observer& observer() const override { return pilot_.observer(); }

  void observe(const Scene& scene, std::span<float> rows) const override {
    pilot_.observe(scene, rows);
    pilot_.space().fence();
  }

  void decide(std::span<const float> rows, std::span<float> carry,
              std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
              std::int64_t decision, const Pilot::Decisions& out,
              std::int64_t all_agents) const override {
    pilot_.decide(rows, carry, ids, mode, seed, decision, out, all_agents);
    pilot_.space().fence();
  }

 private:
  PilotOn<ExecutionSpace> pilot_;
};

std::unique_ptr<Pilot::Impl> make_impl(const PolicyFile& policy, std::string source) {
  initialize_runtime(1);
#ifdef KOKKOS_ENABLE_OPENMP
  if (Kokkos::OpenMP{}.concurrency() > 1) {
    return std::make_unique<HostImpl<Kokkos::OpenMP>>(policy, std::move(source));
  }
#endif
#ifdef DEMPILOT_HAS_SERIAL
  return std::make_unique<HostImpl<Kokkos::Serial>>(policy, std::move(source));
#else
  return std::make_unique<HostImpl<Kokkos::DefaultHostExecutionSpace>>(policy, std::move(source));
#endif
}

}  // namespace

Pilot::Pilot(const PolicyFile& policy, std::string source) {
  check_size(policy.contract.model, source);
  check_parameters(policy.contract.model, policy.parameters, source);
  impl_ = make_impl(policy, std::move(source));
}
Pilot::~Pilot() = default;
Pilot::Pilot(Pilot&&) noexcept = default;
Pilot& Pilot::operator=(Pilot&&) noexcept = default;

const Contract& Pilot::contract() const {
  return impl_->contract();
}
std::size_t Pilot::observation_size() const {
  return impl_->contract().model.observation_size;
}
std::size_t Pilot::action_size() const {
  return impl_->contract().acting_width();
}
std::size_t Pilot::carry_size() const {
  return impl_->contract().model.carry_size();
}
const Observer& Pilot::observer() const {
  return impl_->observer();
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
}

}  // namespace dempilot
