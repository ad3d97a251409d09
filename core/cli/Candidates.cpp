#include "core/cli/Candidates.hpp"

#include <algorithm>
#include <span>

#include "core/action/Distribution.hpp"
#include "core/policy/Policy.hpp"
#include "core/reference/ReferenceDistribution.hpp"
#include "core/reference/ReferencePolicy.hpp"

namespace dempilot::cli {
namespace {

using Quantities = std::map<std::string, std::vector<double>>;

template <class Real>
void append(std::vector<double>& to, const std::vector<Real>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Columns [first, first + width) of rows that are `stride` long.
template <class Real>
void append_columns(std::vector<double>& to, const std::vector<Real>& rows, std::size_t stride,
                    std::size_t first, std::size_t width) {
  for (std::size_t at = first; at + width <= rows.size() && width > 0; at += stride) {
    for (std::size_t i = 0; i < width; ++i)
      to.push_back(static_cast<double>(rows[at + i]));
  }
}

template <class Real>
void append_carry(Quantities& result, const ModelSpec& model, const std::vector<Real>& carry) {
  if (model.kind == ModelKind::lstm_actor_critic) {
    const std::size_t width = model.lstm_features;
    append_columns(result["single/h"], carry, 2 * width, 0, width);
    append_columns(result["single/c"], carry, 2 * width, width, width);
  } else {
    append(result["single/h"], carry);
  }
}

template <class Real>
void append_outputs(Quantities& result, const std::string& part, const Outputs<Real>& out) {
  append(result[part + "/mean"], out.mean.values);
  append(result[part + "/logits"], out.mean.values);
  append(result[part + "/std"], out.std.values);
  append(result[part + "/value"], out.value.values);
  append(result[part + "/action"], out.action.values);
}

template <class Real, class ExecutionSpace>
class PolicyCandidate final : public Candidate {
 public:
  PolicyCandidate(const GoldenFile& golden, ExecutionSpace space, std::string backend)
      : policy_(golden.model, golden.parameters, space),
        space_(space),
        backend_(std::move(backend)) {}

  std::string backend() const override { return backend_; }
  bool single_precision() const override { return sizeof(Real) == sizeof(float); }
  double rounding() const override {
    const bool chosen = nn::best_layer_form<Real, ExecutionSpace>() == nn::LayerForm::fused;
    return chosen ? nn::rounding_of(nn::precision_in_use()) : 0.0;
  }

  Quantities single(const GoldenFile& golden) override {
    Quantities result;
    const Shape& shape = golden.single_observation.shape;
    const Shape step_shape(shape.begin() + 1, shape.end());
    policy_.carry().reset({shape[1], shape[2]});
    for (std::size_t t = 0; t < shape[0]; ++t) {
      if (golden.reset_before) {
        policy_.carry().reset(
            std::span(golden.reset_before->values).subspan(t * shape[1], shape[1]));
      }
      const auto out = policy_.step(rows(golden.single_observation, step_shape, t));
      append_outputs(result, "single", out);
      const std::vector<Real> carry = policy_.carry().get().values;
      append_carry(result, golden.model, carry);
    }
    return result;
  }

  Quantities sequence(const GoldenFile& golden) override {
    Quantities result;
    const auto& observation = golden.sequence_observation;
    const auto out =
        policy_.sequence(rows(observation, observation.shape, 0), {}, golden.done_after);
    append_outputs(result, "sequence", out);
    result["distribution/deterministic_action"] = result["sequence/action"];
    return result;
  }

  Quantities distribution(const GoldenFile& golden) override {
    Quantities result;
    const auto& observation = golden.sequence_observation;
    const auto out =
        policy_.sequence(rows(observation, observation.shape, 0), {}, golden.done_after);
    if (golden.model.discrete) {
      append(result["distribution/log_prob"],
             categorical_log_prob<Real>(space_, out.mean, golden.discrete_action).values);
      append(result["distribution/entropy"], categorical_entropy<Real>(space_, out.mean).values);
      return result;
    }
    const GaussianDistribution<Real, ExecutionSpace> gaussian(golden.model.action_space,
                                                              golden.model.action_size, space_);
    const auto convert = [](const Array<double>& all) { return rows(all, all.shape, 0); };
    const auto point = gaussian.at_latent(out.mean, out.std, convert(golden.latent));
    append(result["distribution/action"], point.action.values);
    append(result["distribution/forward_log_det"], point.log_det.values);
    append(result["distribution/log_prob of latent"], point.log_prob.values);
    const auto& action = golden.expected.at("distribution/action");
    append(result["distribution/log_prob"],
           gaussian.log_prob(out.mean, out.std, convert(action)).values);
    append(result["distribution/base_entropy"], gaussian.base_entropy(out.std).values);
    append(result["distribution/entropy"], gaussian.entropy(out.mean, out.std).values);
    return result;
  }

 private:
  /// The `index`-th block of shape `shape`.
  static Array<Real> rows(const Array<double>& all, const Shape& shape, std::size_t index) {
    const auto count = element_count(shape);
    const auto first = all.values.begin() + static_cast<std::ptrdiff_t>(index * count);
    Array<Real> block{shape, std::vector<Real>(count)};
    std::transform(first, first + static_cast<std::ptrdiff_t>(count), block.values.begin(),
                   [](double x) { return static_cast<Real>(x); });
    return block;
  }

  Policy<Real, ExecutionSpace> policy_;
  ExecutionSpace space_;
  std::string backend_;
};

class ReferenceCandidate final : public Candidate {
 public:
  explicit ReferenceCandidate(const GoldenFile& golden)
      : policy_(golden.model, golden.parameters) {}

  std::string backend() const override { return "reference"; }
  bool single_precision() const override { return false; }

  Quantities single(const GoldenFile& golden) override {
    Quantities result;
    const Shape& shape = golden.single_observation.shape;
    const std::size_t size = golden.model.carry_size();
    std::vector<double> carry(shape[1] * shape[2] * size, 0.0);
    for (std::size_t t = 0; t < shape[0]; ++t) {
      for (std::size_t e = 0; e < shape[1]; ++e) {
        if (!golden.reset_before || golden.reset_before->values[t * shape[1] + e] == 0) continue;
        std::fill_n(carry.begin() + static_cast<std::ptrdiff_t>(e * shape[2] * size),
                    shape[2] * size, 0.0);
      }
      step("single", golden, golden.single_observation, t * shape[1] * shape[2],
           shape[1] * shape[2], carry, result);
      append_carry(result, golden.model, carry);
    }
    return result;
  }

  Quantities sequence(const GoldenFile& golden) override {
    Quantities result;
    const Shape& shape = golden.sequence_observation.shape;
    const std::size_t size = golden.model.carry_size();
    std::vector<double> carry(shape[1] * size, 0.0);
    for (std::size_t t = 0; t < shape[0]; ++t) {
      step("sequence", golden, golden.sequence_observation, t * shape[1], shape[1], carry, result);
      for (std::size_t b = 0; b < shape[1]; ++b) {
        if (!golden.done_after || golden.done_after->values[t * shape[1] + b] == 0) continue;
        std::fill_n(carry.begin() + static_cast<std::ptrdiff_t>(b * size), size, 0.0);
      }
    }
    result["distribution/deterministic_action"] = result["sequence/action"];
    return result;
  }

  Quantities distribution(const GoldenFile& golden) override {
    Quantities result;
    Quantities outputs = sequence(golden);
    const ActionSpaceSpec& space = golden.model.action_space;
    const std::size_t width = golden.model.action_size;
    const auto row_of = [width](const std::vector<double>& all, std::size_t row) {
      return std::span(all).subspan(row * width, width);
    };
    for (std::size_t row = 0; row < outputs["sequence/value"].size(); ++row) {
      const auto mean = row_of(outputs["sequence/mean"], row);
      const auto std = row_of(outputs["sequence/std"], row);
      const auto add = [&](const char* name, double value) {
        result["distribution/" + std::string(name)].push_back(value);
      };
      if (golden.model.discrete) {
        const auto action = static_cast<std::size_t>(golden.discrete_action.values[row]);
        add("log_prob", reference::categorical_log_prob(mean, action));
        add("entropy", reference::categorical_entropy(mean));
        continue;
      }
      const auto point = reference::at_latent(space, mean, std, row_of(golden.latent.values, row));
      append(result["distribution/action"], point.action);
      add("forward_log_det", point.log_det);
      add("log_prob of latent", point.log_prob);
      const auto& actions = golden.expected.at("distribution/action").values;
      const auto latent = reference::to_latent(space, row_of(actions, row));
      add("log_prob", reference::at_latent(space, mean, std, latent).log_prob);
      add("base_entropy", reference::gaussian_entropy(std));
      add("entropy", reference::entropy(space, mean, std));
    }
    return result;
  }

 private:
  void step(const std::string& part, const GoldenFile& golden, const Array<double>& observations,
            std::size_t first_row, std::size_t rows, std::span<double> carry, Quantities& result) {
    const std::size_t width = golden.model.observation_size;
    const std::size_t size = golden.model.carry_size();
    const std::span all(observations.values);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto decision = policy_.step(all.subspan((first_row + row) * width, width),
                                         carry.subspan(row * size, size));
      append(result[part + "/mean"], decision.mean);
      append(result[part + "/logits"], decision.mean);
      append(result[part + "/std"], decision.std);
      result[part + "/value"].push_back(decision.value);
      append(result[part + "/action"], decision.action);
    }
  }

  reference::ReferencePolicy policy_;
};

}  // namespace

std::vector<std::unique_ptr<Candidate>> make_candidates(const GoldenFile& golden) {
  std::vector<std::unique_ptr<Candidate>> candidates;
  candidates.push_back(std::make_unique<ReferenceCandidate>(golden));
  for_each_backend([&]<class ExecutionSpace>(ExecutionSpace space, const char* name) {
    candidates.push_back(
        std::make_unique<PolicyCandidate<double, ExecutionSpace>>(golden, space, name));
    candidates.push_back(
        std::make_unique<PolicyCandidate<float, ExecutionSpace>>(golden, space, name));
  });
  return candidates;
}

}  // namespace dempilot::cli
