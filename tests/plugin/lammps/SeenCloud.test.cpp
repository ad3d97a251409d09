#include "plugin/lammps/SeenCloud.h"

#include <gtest/gtest.h>

#include <vector>

namespace dempilot::lammps {
namespace {

SeenParticle particle(int n) {
  const double x = n;
  return {{x, x + 0.25, x + 0.5}, 1000000000000 + n, {-x, -x - 0.25, -x - 0.5}, 0.1 * n, 3 * n};
}

void expect_particle(const SeenParticles& seen, std::size_t place, int n,
                     const WantedColumns& wanted) {
  const SeenParticle expected = particle(n);
  EXPECT_EQ(seen.identity[place], expected.identity);
  for (std::size_t d = 0; d < 3; ++d) {
    EXPECT_EQ(seen.position[3 * place + d], expected.position[d]);
    EXPECT_TRUE(!wanted.velocity || seen.velocity[3 * place + d] == expected.velocity[d]);
  }
  EXPECT_TRUE(!wanted.radius || seen.radius[place] == expected.radius);
  EXPECT_TRUE(!wanted.type || seen.type[place] == expected.type);
}

TEST(SeenCloud, TravelsInMessages) {
  for (const WantedColumns wanted : {WantedColumns{},
                                     {true, false, false},
                                     {false, true, false},
                                     {false, false, true},
                                     {true, true, true}}) {
    SeenCloud sent;
    std::vector<std::byte> message;
    // Three clouds one after the other, one of them empty.
    sent.start(wanted);
    for (const int n : {1, 2, 3})
      sent.add(particle(n));
    sent.pack(message);
    sent.start(wanted);
    sent.pack(message);
    sent.add(particle(7));
    sent.pack(message);

    SeenCloud received;
    received.start(wanted);
    received.add(particle(9));
    std::span<const std::byte> rest = message;
    for (int cloud = 0; cloud < 3; ++cloud)
      rest = received.unpack(rest);
    EXPECT_TRUE(rest.empty());

    const SeenParticles seen = received.view();
    ASSERT_EQ(seen.count, 5U);
    const std::vector<int> order = {9, 1, 2, 3, 7};
    for (std::size_t place = 0; place < order.size(); ++place)
      expect_particle(seen, place, order[place], wanted);
    EXPECT_EQ(seen.velocity != nullptr, wanted.velocity);
    EXPECT_EQ(seen.radius != nullptr, wanted.radius);
    EXPECT_EQ(seen.type != nullptr, wanted.type);
  }
}

TEST(SeenCloud, KeepsItsMemoryButNotItsParticles) {
  SeenCloud cloud;
  cloud.start({true, true, true});
  for (int n = 0; n < 100; ++n)
    cloud.add(particle(n));
  const double memory = cloud.memory_usage();
  EXPECT_GE(memory, 100.0 * (3 * 8 + 8 + 3 * 8 + 8 + 4));
  cloud.start({});
  EXPECT_EQ(cloud.size(), 0U);
  EXPECT_EQ(cloud.view().velocity, nullptr);
  cloud.start({true, true, true});
  for (int n = 0; n < 100; ++n)
    cloud.add(particle(n));
  EXPECT_EQ(cloud.size(), 100U);
  EXPECT_EQ(cloud.memory_usage(), memory);
}

}  // namespace
}  // namespace dempilot::lammps
