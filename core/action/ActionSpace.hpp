#pragma once

#include <cmath>

#include "core/Backend.hpp"
#include "core/action/ActionMap.hpp"
#include "core/policy/Contract.hpp"
#include "core/policy/Transfer.hpp"

namespace dempilot {

/// An ActionMap with the numbers that it needs, in the memory of an execution space. Copying it
/// copies handles.
template <class Real, class ExecutionSpace>
struct ActionSpace : ActionMap<Real> {
  ActionSpace() = default;
  ActionSpace(const ActionSpaceSpec& spec, std::size_t action_size);

 private:
  Vector<Real, ExecutionSpace> centre_, half_, lower_, upper_;
};

template <class Real, class ExecutionSpace>
ActionSpace<Real, ExecutionSpace>::ActionSpace(const ActionSpaceSpec& spec,
                                               std::size_t action_size) {
  this->kind = spec.kind;
  this->size = static_cast<int>(action_size);
  this->width = static_cast<Real>(spec.width);
  this->radius = static_cast<Real>((1.0 - spec.eps) * spec.max_norm);
  this->eps = static_cast<Real>(spec.eps);
  const auto fill = [&](const char* label, auto&& value_of) {
    std::vector<double> values;
    for (std::size_t i = 0; i < action_size; ++i)
      values.push_back(value_of(spec.x_min[i], spec.x_max[i]));
    return upload<Real, ExecutionSpace>(values, label);
  };
  if (spec.kind == ActionSpaceKind::box) {
    centre_ = fill("DEMPilot::ActionSpace::centre",
                   [](double low, double high) { return (low + high) / 2; });
    double gain = -static_cast<double>(action_size) * std::log(spec.width);
    half_ = fill("DEMPilot::ActionSpace::half", [&](double low, double high) {
      const double extent = (1.0 - spec.eps) * (high - low) / 2;
      gain += std::log(extent);
      return extent;
    });
    this->log_gain = static_cast<Real>(gain);
  } else if (spec.kind == ActionSpaceKind::max_norm) {
    this->log_gain = static_cast<Real>(static_cast<double>(action_size) *
                                       std::log((1.0 - spec.eps) * spec.max_norm));
  } else if (spec.kind == ActionSpaceKind::clipped) {
    lower_ = fill("DEMPilot::ActionSpace::lower", [](double low, double) { return low; });
    upper_ = fill("DEMPilot::ActionSpace::upper", [](double, double high) { return high; });
  }
  this->centre = centre_.data();
  this->half = half_.data();
  this->lower = lower_.data();
  this->upper = upper_.data();
}

}  // namespace dempilot
