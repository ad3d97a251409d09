#include "plugin/lammps/SignalWatch.h"

#include <gtest/gtest.h>
#include <signal.h>  // NOLINT: sigaction is POSIX

#include <atomic>
#include <memory>

namespace dempilot::lammps {
namespace {

std::atomic<int> heard{0};

void hear(int signal) {
  heard = 100 * heard + signal;
}

/// Somebody who handled the signals before, and gets them back after each test.
class Signals : public ::testing::Test {
 protected:
  void SetUp() override {
    heard = 0;
    former_term_ = signal(SIGTERM, hear);
    former_int_ = signal(SIGINT, hear);
  }
  void TearDown() override {
    signal(SIGTERM, former_term_);
    signal(SIGINT, former_int_);
  }
  static sighandler_t handler(int number) {
    struct sigaction current {};
    sigaction(number, nullptr, &current);
    return current.sa_handler;
  }

 private:
  sighandler_t former_term_ = SIG_DFL;
  sighandler_t former_int_ = SIG_DFL;
};

TEST_F(Signals, AreNotedAndFollowedWhenTold) {
  const SignalWatch watch;
  EXPECT_EQ(SignalWatch::noted(), 0);
  raise(SIGTERM);
  EXPECT_EQ(heard, 0);
  EXPECT_EQ(SignalWatch::noted(), SIGTERM);
  SignalWatch::follow();
  EXPECT_EQ(heard, SIGTERM);
  EXPECT_EQ(SignalWatch::noted(), 0);
}

TEST_F(Signals, AreWatchedOnWhenFollowingDidNotEndTheProcess) {
  const SignalWatch watch;
  raise(SIGINT);
  SignalWatch::follow();
  raise(SIGTERM);
  EXPECT_EQ(heard, SIGINT);
  EXPECT_EQ(SignalWatch::noted(), SIGTERM);
  SignalWatch::follow();
  EXPECT_EQ(heard, 100 * SIGINT + SIGTERM);
}

TEST_F(Signals, NothingIsFollowedWithoutOne) {
  const SignalWatch watch;
  SignalWatch::follow();
  EXPECT_EQ(heard, 0);
}

TEST_F(Signals, ASecondOneIsFollowedAtOnce) {
  const SignalWatch watch;
  raise(SIGINT);
  raise(SIGINT);
  EXPECT_EQ(heard, SIGINT);
  EXPECT_EQ(SignalWatch::noted(), 0);
}

TEST_F(Signals, OneThatWaitsIsFollowedWhenTheLastWatchGoes) {
  auto first = std::make_unique<SignalWatch>();
  auto second = std::make_unique<SignalWatch>();
  raise(SIGTERM);
  first.reset();
  EXPECT_EQ(heard, 0);
  second.reset();
  EXPECT_EQ(heard, SIGTERM);
}

TEST_F(Signals, GoBackToWhomTheyBelonged) {
  {
    const SignalWatch first;
    const SignalWatch second;
    EXPECT_NE(handler(SIGTERM), hear);
    EXPECT_NE(handler(SIGINT), hear);
  }
  EXPECT_EQ(handler(SIGTERM), hear);
  EXPECT_EQ(handler(SIGINT), hear);
}

TEST_F(Signals, AreLeftToWhoeverTookThemMeanwhile) {
  {
    const SignalWatch watch;
    signal(SIGTERM, SIG_IGN);
  }
  EXPECT_EQ(handler(SIGTERM), SIG_IGN);
  EXPECT_EQ(handler(SIGINT), hear);
}

TEST_F(Signals, ThatAreIgnoredStayIgnored) {
  signal(SIGINT, SIG_IGN);
  const SignalWatch watch;
  EXPECT_EQ(handler(SIGINT), SIG_IGN);
  raise(SIGINT);
  EXPECT_EQ(SignalWatch::noted(), 0);
}

TEST(SignalWatchDeath, FollowingTheDefaultEndsTheProcess) {
  EXPECT_EXIT(
      {
        signal(SIGTERM, SIG_DFL);
        const SignalWatch watch;
        raise(SIGTERM);
        SignalWatch::follow();
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace dempilot::lammps
