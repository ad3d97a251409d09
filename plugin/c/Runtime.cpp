#include "plugin/c/Runtime.hpp"

#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/Pilot.hpp"
#include "plugin/c/Boundary.hpp"

namespace dempilot::c {
namespace {

/// Keeps signals from a thread that is started meanwhile: they are the program's business.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// A thread that runs one task after the other for who asks. Never ends.
class Worker {
 public:
  /// Throws Refusal when there is no thread to have.
  Worker() {
    const SignalsBlocked here;
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::system_error& error) {
      throw Refusal(
          DEMPILOT_UNAVAILABLE,
          fmt::format("cannot start a thread ({}) allow the process another one", error.what()));
    }
  }

  /// Throws what `task` throws. For one caller at a time.
  void run(const std::function<void()>& task) {
    std::unique_lock lock(mutex_);
    task_ = &task;
    wake_.notify_all();
    wake_.wait(lock, [&] { return task_ == nullptr; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  [[noreturn]] void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return task_ != nullptr; });
      try {
        (*task_)();
      } catch (...) {
        failure_ = std::current_exception();
      }
      task_ = nullptr;
      wake_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  const std::function<void()>* task_ = nullptr;
  std::exception_ptr failure_;
};

/// Of the process. Never destroyed, so that it still serves who frees a policy when the process
/// ends.
struct Runtime {
  std::mutex turn;
  Worker* worker = nullptr;
  int threads = 0;  ///< 0: not started
  pid_t process = 0;
};

Runtime& runtime() {
  static Runtime& the_one = *new Runtime;
  return the_one;
}

/// Call in turn.
void start(int threads) {
  Runtime& self = runtime();
  if (self.threads > 0) return;
  if (self.worker == nullptr) self.worker = new Worker;
  self.process = getpid();
  self.worker->run([&] { initialize_runtime(threads); });
  self.threads = threads;
}

/// Call in turn.
void run_in_worker(const std::function<void()>& task) {
  Runtime& self = runtime();
  if (self.process != getpid()) {
    throw Refusal(DEMPILOT_UNAVAILABLE,
                  "the runtime is not here (it stayed in the process that this one was forked "
                  "from) load and step after the fork, or step with one thread");
  }
  self.worker->run(task);
}

}  // namespace

void start_runtime(int threads) {
  if (threads < 1) {
    refuse_argument("cannot start {} threads (at least one is needed) ask for 1 or more", threads);
  }
  const std::lock_guard turn(runtime().turn);
  start(threads);
}

void run_in_runtime(const std::function<void()>& task) {
  const std::lock_guard turn(runtime().turn);
  start(1);
  run_in_worker(task);
}

void compute_in_runtime(const std::function<void()>& task) {
  const std::lock_guard turn(runtime().turn);
  start(1);
  if (runtime().threads > 1) return run_in_worker(task);
  task();
}

void free_in_runtime(const std::function<void()>& task) {
  const std::lock_guard turn(runtime().turn);
  task();
}

}  // namespace dempilot::c
