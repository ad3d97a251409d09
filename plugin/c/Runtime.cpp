#include "plugin/c/Runtime.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

#include "core/Pilot.hpp"
#include "plugin/c/Boundary.hpp"

namespace dempilot::c {
namespace {

/// Of the process. Nothing here has a destructor to run, so that it still serves who frees a policy
/// when the process ends.
struct Runtime {
  std::mutex mutex;
  int threads = 0;  ///< 0: not started
};
constinit Runtime runtime;
constinit thread_local bool owns_runtime = false;

/// Puts back the number of threads of the caller's own parallel regions, which starting Kokkos
/// changes.
class OpenMpSettings {
 public:
#ifdef _OPENMP
  OpenMpSettings() : threads_(omp_get_max_threads()) {}
  ~OpenMpSettings() {
    omp_set_num_threads(threads_);
  }
#else
  OpenMpSettings() = default;
#endif
  OpenMpSettings(const OpenMpSettings&) = delete;
  OpenMpSettings& operator=(const OpenMpSettings&) = delete;

 private:
#ifdef _OPENMP
  int threads_;
#endif
};

/// Call with the mutex held.
void start(int threads) {
  if (runtime.threads > 0) return;
  const OpenMpSettings settings_of_the_caller;
  initialize_runtime(threads);
  runtime.threads = threads;
  owns_runtime = true;
}

}  // namespace

void start_runtime(int threads) {
  if (threads < 1) {
    refuse_argument("cannot start {} threads (at least one is needed) ask for 1 or more", threads);
  }
  const RuntimeLock lock(runtime.mutex);
  start(threads);
}

RuntimeLock enter_runtime() {
  RuntimeLock lock(runtime.mutex);
  start(1);
  if (runtime.threads > 1 && !owns_runtime) {
    throw Refusal(DEMPILOT_WRONG_THREAD,
                  fmt::format("cannot compute in this thread (another one called "
                              "dempilot_initialize and owns the {} threads) load and step there, "
                              "or initialize with one thread",
                              runtime.threads));
  }
  return lock;
}

RuntimeLock hold_runtime() {
  return RuntimeLock(runtime.mutex);
}

}  // namespace dempilot::c
