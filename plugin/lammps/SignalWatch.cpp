// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/SignalWatch.h"

#include <signal.h>  // NOLINT: sigaction is POSIX

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>

namespace dempilot::lammps {
namespace {

constexpr std::array<int, 2> signals = {SIGTERM, SIGINT};

/// What is shared with the handler is atomic, and atomics without locks are all that it touches.
std::atomic<int> waiting{0};
static_assert(std::atomic<int>::is_always_lock_free);

/// Written before the handler is there.
std::array<struct sigaction, signals.size()> former{};
std::array<bool, signals.size()> installed{};

std::mutex mutex;
int watches = 0;

std::size_t place_of(int signal) {
  return signal == signals[0] ? 0 : 1;
}

/// Leaves the signal to whoever had it before, and raises it again: it comes once the handler that
/// may be running has returned. Only what may be called in a handler.
void hand_back(int signal) {
  sigaction(signal, &former[place_of(signal)], nullptr);
  raise(signal);
}

void note(int signal) {
  const int error = errno;
  int none = 0;
  if (!waiting.compare_exchange_strong(none, signal)) {
    waiting.store(0);
    hand_back(signal);
  }
  errno = error;
}

void install(std::size_t place) {
  struct sigaction ours {};
  ours.sa_handler = note;
  ours.sa_flags = SA_RESTART;
  sigemptyset(&ours.sa_mask);
  sigaction(signals[place], nullptr, &former[place]);
  installed[place] = former[place].sa_handler != SIG_IGN;
  if (installed[place]) sigaction(signals[place], &ours, nullptr);
}

/// Unless somebody else has taken the signal over meanwhile.
void restore(std::size_t place) {
  if (!installed[place]) return;
  struct sigaction current {};
  sigaction(signals[place], nullptr, &current);
  if (current.sa_handler == note) sigaction(signals[place], &former[place], nullptr);
  installed[place] = false;
}

}  // namespace

SignalWatch::SignalWatch() {
  const std::lock_guard lock(mutex);
  if (watches++ > 0) return;
  for (std::size_t place = 0; place < signals.size(); ++place)
    install(place);
}

SignalWatch::~SignalWatch() {
  int left = 0;
  {
    const std::lock_guard lock(mutex);
    if (--watches > 0) return;
    for (std::size_t place = 0; place < signals.size(); ++place)
      restore(place);
    left = waiting.exchange(0);
  }
  if (left != 0) raise(left);
}

int SignalWatch::noted() {
  return waiting.load();
}

void SignalWatch::follow() {
  const std::lock_guard lock(mutex);
  const int signal = waiting.exchange(0);
  if (signal == 0) return;
  hand_back(signal);
  if (watches > 0) install(place_of(signal));
}

}  // namespace dempilot::lammps
