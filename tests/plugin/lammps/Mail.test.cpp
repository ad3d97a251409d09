#include "plugin/lammps/Mail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "plugin/lammps/Collective.h"

namespace dempilot::lammps {
namespace {

struct Place {
  Place() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  }
  int rank = 0;
  int ranks = 0;
};

std::size_t size_between(int from, int to) {
  return static_cast<std::size_t>((from * 7 + to * 3) % 5) * 1000U;  // some are empty
}

std::byte content(int from, int to) {
  return static_cast<std::byte>(16 * from + to + 1);
}

TEST(Mail, BringsEveryParcelToItsRank) {
  const Place here;
  Mail mail(MPI_COMM_WORLD);
  Parcels outgoing, incoming;
  double memory = 0.0;
  for (int turn = 0; turn < 3; ++turn) {
    outgoing.clear();
    incoming.clear();
    for (int other = 0; other < here.ranks; ++other) {
      outgoing.add(other).bytes.assign(size_between(here.rank, other), content(here.rank, other));
      incoming.add(other);
    }
    mail.deliver(outgoing.all(), incoming.all());
    for (const Parcel& parcel : incoming.all()) {
      EXPECT_EQ(parcel.bytes.size(), size_between(parcel.rank, here.rank));
      EXPECT_TRUE(std::all_of(parcel.bytes.begin(), parcel.bytes.end(), [&](std::byte each) {
        return each == content(parcel.rank, here.rank);
      }));
    }
    const double now = mail.memory_usage() + outgoing.memory_usage() + incoming.memory_usage();
    EXPECT_TRUE(turn == 0 || now == memory) << now;
    memory = now;
  }
}

TEST(Mail, BringsParcelsLongerThanAMessage) {
  const Place here;
  // Only the first two ranks: this takes memory.
  if (here.rank > 1) return;
  const int other = std::min(1 - here.rank, here.ranks - 1);
  Mail mail(MPI_COMM_WORLD);
  Parcels outgoing, incoming;
  const std::size_t size = message_bytes + 12345;
  Parcel& parcel = outgoing.add(other);
  parcel.bytes.assign(size, std::byte{1});
  parcel.bytes[message_bytes - 1] = std::byte{2};
  parcel.bytes[message_bytes] = std::byte{3};
  parcel.bytes[size - 1] = std::byte{4};
  incoming.add(other);
  mail.deliver(outgoing.all(), incoming.all());
  EXPECT_TRUE(incoming.all()[0].bytes == parcel.bytes);
}

TEST(Collective, GathersPointsOfAllRanksEverywhere) {
  const Place here;
  std::vector<double> mine;
  for (int n = 0; n < 3 * (here.rank % 3); ++n)  // none on some
    mine.push_back(100.0 * here.rank + n);
  std::vector<double> all = {1.0};
  gather_everywhere(mine, all, MPI_COMM_WORLD);
  std::vector<double> expected;
  for (int rank = 0; rank < here.ranks; ++rank) {
    for (int n = 0; n < 3 * (rank % 3); ++n)
      expected.push_back(100.0 * rank + n);
  }
  EXPECT_EQ(all, expected);
}

}  // namespace
}  // namespace dempilot::lammps
