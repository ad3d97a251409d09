#include "plugin/c/dempilot.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "plugin/c/Boundary.hpp"
#include "plugin/c/LoadedPolicy.hpp"
#include "plugin/c/Rows.hpp"
#include "plugin/c/Runtime.hpp"
#include "plugin/c/VersionedStruct.hpp"

using namespace dempilot::c;

struct dempilot_policy {
  SharedPolicy loaded;
};

struct dempilot_agents {
  explicit dempilot_agents(SharedPolicy shared) : policy(std::move(shared)) {}

  std::size_t carry_size() const { return policy->pilot().carry_size(); }
  RowShape carry_shape() const { return {"carry", count, carry_size()}; }

  void resize(std::size_t agents) {
    check_agent_count(agents);
    carry.resize(agents * carry_size());  // new ones are zero
    count = agents;
  }

  SharedPolicy policy;
  std::size_t count = 0;
  std::vector<float> carry;  ///< (count, carry_size)
};

namespace {

/// Makes *policy of what `read` returns, a PolicyFile; `source` is what messages call it.
template <class Read>
void load(dempilot_policy** policy, const char* source, const Read& read) {
  auto handle = std::make_unique<dempilot_policy>();
  run_in_runtime([&] { handle->loaded = std::make_shared<const LoadedPolicy>(read(), source); });
  *policy = handle.release();
}

/// Destroys a handle, and the policy with the last of its users.
template <class Handle>
void destroy(const Handle* handle) {
  if (handle == nullptr) return;
  static_cast<void>(
      guarded(DEMPILOT_INTERNAL_ERROR, [&] { free_in_runtime([&] { delete handle; }); }));
}

}  // namespace

int dempilot_api_version(void) {
  return DEMPILOT_API_VERSION;
}

const char* dempilot_version(void) {
  return DEMPILOT_VERSION;
}

const char* dempilot_last_error(void) {
  return last_error();
}

dempilot_status dempilot_initialize(int threads) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] { start_runtime(threads); });
}

dempilot_status dempilot_policy_load(const char* path, dempilot_policy** policy) {
  if (policy != nullptr) *policy = nullptr;
  return guarded(DEMPILOT_POLICY_REFUSED, [&] {
    require(path, "path");
    require(policy, "policy");
    load(policy, path, [&] { return dempilot::load_policy_file(path); });
  });
}

dempilot_status dempilot_policy_load_bytes(const void* bytes, size_t size, const char* source,
                                           dempilot_policy** policy) {
  if (policy != nullptr) *policy = nullptr;
  return guarded(DEMPILOT_POLICY_REFUSED, [&] {
    require(bytes, "bytes");
    require(source, "source");
    require(policy, "policy");
    load(policy, source, [&] {
      const std::span file(static_cast<const std::byte*>(bytes), size);
      return dempilot::parse_policy_file(file, source);
    });
  });
}

void dempilot_policy_free(dempilot_policy* policy) {
  destroy(policy);
}

dempilot_status dempilot_policy_describe(const dempilot_policy* policy,
                                         dempilot_description* description) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(policy, "policy");
    require(description, "description");
    write_struct(policy->loaded->description(), description);
  });
}

const char* dempilot_policy_contract(const dempilot_policy* policy) {
  const dempilot_status status =
      guarded(DEMPILOT_INTERNAL_ERROR, [&] { require(policy, "policy"); });
  return status == DEMPILOT_OK ? policy->loaded->contract_text().c_str() : nullptr;
}

dempilot_status dempilot_policy_step(const dempilot_policy* policy, size_t agents,
                                     const float* observation, size_t observation_count,
                                     float* carry, size_t carry_count, const dempilot_draw* draw,
                                     const dempilot_outputs* outputs) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(policy, "policy");
    check_agent_count(agents);
    const LoadedPolicy& loaded = *policy->loaded;
    const auto rows = given_rows(observation, observation_count,
                                 {"observation", agents, loaded.pilot().observation_size()});
    const auto memory =
        given_rows(carry, carry_count, {"carry", agents, loaded.pilot().carry_size()});
    loaded.step(agents, rows, memory, draw, outputs);
  });
}

dempilot_status dempilot_agents_create(const dempilot_policy* policy, size_t count,
                                       dempilot_agents** agents) {
  if (agents != nullptr) *agents = nullptr;
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(policy, "policy");
    require(agents, "agents");
    auto handle = std::make_unique<dempilot_agents>(policy->loaded);
    handle->resize(count);
    *agents = handle.release();
  });
}

void dempilot_agents_free(dempilot_agents* agents) {
  destroy(agents);
}

dempilot_status dempilot_agents_count(const dempilot_agents* agents, size_t* count) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    require(count, "count");
    *count = agents->count;
  });
}

dempilot_status dempilot_agents_resize(dempilot_agents* agents, size_t count) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    agents->resize(count);
  });
}

dempilot_status dempilot_agents_step(dempilot_agents* agents, const float* observation,
                                     size_t observation_count, const dempilot_draw* draw,
                                     const dempilot_outputs* outputs) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    const std::size_t width = agents->policy->pilot().observation_size();
    const auto rows =
        given_rows(observation, observation_count, {"observation", agents->count, width});
    agents->policy->step(agents->count, rows, agents->carry, draw, outputs);
  });
}

dempilot_status dempilot_agents_reset(dempilot_agents* agents, const uint8_t* mask,
                                      size_t mask_count) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    if (mask == nullptr && mask_count == 0) {
      std::fill(agents->carry.begin(), agents->carry.end(), 0.0F);
      return;
    }
    const auto chosen = given_rows(mask, mask_count, {"mask", agents->count, 1});
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] == 0) continue;
      std::fill_n(agents->carry.data() + i * agents->carry_size(), agents->carry_size(), 0.0F);
    }
  });
}

dempilot_status dempilot_agents_carry_get(const dempilot_agents* agents, float* carry,
                                          size_t capacity) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    const auto room = room_for_rows(carry, capacity, agents->carry_shape());
    std::copy(agents->carry.begin(), agents->carry.end(), room.begin());
  });
}

dempilot_status dempilot_agents_carry_set(dempilot_agents* agents, const float* carry,
                                          size_t count) {
  return guarded(DEMPILOT_INTERNAL_ERROR, [&] {
    require(agents, "agents");
    const auto given = given_rows(carry, count, agents->carry_shape());
    std::copy(given.begin(), given.end(), agents->carry.begin());
  });
}
