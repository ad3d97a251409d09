#include "core/PilotOn.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/Error.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/Launch.hpp"
#include "core/policy/Transfer.hpp"

namespace dempilot {
namespace {

/// The rows of a span as a view. The caller's constness is not the view's element type's.
template <class ExecutionSpace, class T>
Borrowed<T**, ExecutionSpace> rows_of(std::span<T> values, std::size_t rows, std::size_t columns) {
  return Borrowed<T**, ExecutionSpace>(values.data(), rows, columns);
}

/// Replaces the index that begins each row of `action` (agents, width) by what `table` (categories,
/// width) says of it.
template <class ExecutionSpace>
struct TableReader {
  static constexpr const char* label = "DEMPilot::PilotOn::look_up";
  Matrix<float, ExecutionSpace> table;
  Borrowed<float**, ExecutionSpace> action;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const auto category = static_cast<std::size_t>(action(agent, 0));
    for (std::size_t k = 0; k < table.extent(1); ++k)
      action(agent, k) = table(category, k);
  }
};

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

/// Compares what came out with what a policy file says must.
class GoldenCheck {
 public:
  GoldenCheck(const std::string& source, double tolerance)
      : source_(source), tolerance_(tolerance) {}

  void operator()(const char* what, const std::vector<float>& found,
                  std::span<const float> expected) const {
    if (found.size() != expected.size()) {
      fail("'{}': '/golden/{}' has {} values ({} are needed) write the rows again", source_, what,
           expected.size(), found.size());
    }
    const double error = deviation(found, expected);
    if (error <= tolerance_) return;
    fail(
        "'{}': its golden rows do not come out ('/golden/{}' is off by {:.3g}, allowed {:.3g}) the "
        "weights or the metadata are not those of the model that wrote the rows: convert it again",
        source_, what, error, tolerance_);
  }

 private:
  const std::string& source_;
  double tolerance_;
};

}  // namespace

template <class ExecutionSpace>
PilotOn<ExecutionSpace>::PilotOn(const PolicyFile& policy, std::string source, ExecutionSpace space,
                                 nn::Precision precision)
    : contract_(policy.contract),
      source_(std::move(source)),
      space_(std::move(space)),
      observer_(policy.contract.observation),
      network_(policy.contract.model, policy.parameters,
               nn::best_layer_form<float, ExecutionSpace>(), precision) {
  const std::vector<float>& table = contract_.action.table;
  if (!table.empty()) {
    table_ = upload<float, ExecutionSpace>(table, table.size() / contract_.acting_width(),
                                           "DEMPilot::PilotOn::table");
  }
  const bool rounds = network_.form == nn::LayerForm::fused;
  replay(policy.golden,
         std::max(policy.golden.tolerance, rounds ? nn::rounding_of(precision) : 0.0));
}

template <class ExecutionSpace>
void PilotOn<ExecutionSpace>::step(std::span<const float> rows, std::span<float> carry,
                                   std::span<const std::int64_t> ids, DecisionMode mode,
                                   std::uint64_t seed, std::int64_t decision,
                                   const Pilot::Decisions& out, std::int64_t all_agents) const {
  const ModelSpec& model = contract_.model;
  const std::size_t agents = out.value.size();
  if (agents == 0) return;
  const auto view = [agents](auto values, std::size_t columns) {
    return rows_of<ExecutionSpace>(values, values.empty() ? 0 : agents, columns);
  };
  nn::Rollout<float, ExecutionSpace> rollout;
  rollout.agents = static_cast<int>(agents);
  rollout.all_agents = all_agents;
  rollout.observation = view(rows, model.observation_size);
  rollout.carry = view(carry, model.carry_size());
  rollout.action = view(out.action, out.action.size() / agents);
  rollout.mean = view(out.mean, model.action_size);
  rollout.std = view(out.std, model.action_size);
  rollout.value = view(out.value, 1);
  rollout.log_prob = view(out.log_prob, 1);
  rollout.sample = mode == DecisionMode::sample;
  rollout.ids = view(ids, 1);
  rollout.seed = seed;
  rollout.first_decision = decision;
  nn::forward(space_, network_, rollout);
}

template <class ExecutionSpace>
void PilotOn<ExecutionSpace>::decide(std::span<const float> rows, std::span<float> carry,
                                     std::span<const std::int64_t> ids, DecisionMode mode,
                                     std::uint64_t seed, std::int64_t decision,
                                     const Pilot::Decisions& out, std::int64_t all_agents) const {
  step(rows, carry, ids, mode, seed, decision, out, all_agents);
  if (table_.extent(0) == 0) return;
  const std::size_t agents = out.value.size();
  launch(space_, agents,
         TableReader<ExecutionSpace>{
             table_, rows_of<ExecutionSpace>(out.action, agents, table_.extent(1))});
}

template <class ExecutionSpace>
void PilotOn<ExecutionSpace>::replay(const GoldenRows& golden, double tolerance) const {
  if (golden.rows == 0) return;
  const ModelSpec& model = contract_.model;
  const auto copied = [](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    return upload<T, ExecutionSpace>(values, 1, "DEMPilot::PilotOn::golden");
  };
  const auto room = [&copied](std::size_t count) { return copied(std::vector<float>(count)); };
  const auto span = [](const auto& view) { return std::span(view.data(), view.size()); };
  const auto values = [](const Matrix<float, ExecutionSpace>& view) {
    return download<float, ExecutionSpace>(view, {view.size()}).values;
  };
  const auto observation = copied(golden.observation);
  const auto carry = copied(golden.carry);
  const auto ids = copied(std::vector<std::int64_t>(golden.rows, 0));
  const auto action = room(golden.rows * model.action_width());
  const auto mean = room(golden.rows * model.action_size);
  const auto std = room(golden.rows * model.action_size);
  const auto value = room(golden.rows);
  const auto log_prob = room(golden.rows);
  step(span(observation), span(carry), span(ids), DecisionMode::mean, 0, 0,
       {span(action), span(value), span(log_prob), span(mean), span(std)}, Pilot::many);
  space_.fence();
  const GoldenCheck check(source_, tolerance);
  if (!golden.mean.empty()) check("mean", values(mean), golden.mean);
  if (!golden.std.empty()) check("std", values(std), golden.std);
  check("action", values(action), golden.action);
  check("value", values(value), golden.value);
  check("next_carry", values(carry), golden.next_carry);
}

#ifdef DEMPILOT_HAS_SERIAL
template class PilotOn<Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
template class PilotOn<Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
template class PilotOn<Kokkos::Cuda>;
#endif

}  // namespace dempilot
