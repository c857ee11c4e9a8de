// test_simulation            the suite of ./dev test
// test_simulation --seeds N [--seed S] [--crash-at K] [--first]   N seeds from S on: what ./dev simulate runs; --first
//                            (at the end) stops at the first broken promise

#include <cstdio>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "world.h"

namespace flowmend::simulation {
namespace {

std::string describe(const Options& options, const Outcome& outcome) {
  std::string text;
  for (const auto& line : outcome.trace) text += line + "\n";
  text += "invariant: " + outcome.violation->invariant + "\nbroken by: " + outcome.violation->what +
          "\nrepeat it: ./dev simulate --seed " + std::to_string(options.seed) + " --seeds 1";
  if (options.crash_at) text += " --crash-at " + std::to_string(*options.crash_at);
  return text + "\n";
}

struct Totals {
  std::size_t seeds = 0, steps = 0, crashes = 0, runs = 0, effects = 0, clock_jumps = 0, disk_faults = 0;
  void add(const Outcome& outcome) {
    ++seeds;
    steps += outcome.steps;
    crashes += outcome.crashes;
    runs += outcome.runs;
    effects += outcome.effects;
    clock_jumps += outcome.clock_jumps;
    disk_faults += outcome.disk_faults;
  }
  void print() const {
    std::printf(
        "%zu seeds: %zu steps, %zu crashes, %zu runs, %zu effects, %zu clock jumps, %zu times a full or broken disk\n",
        seeds, steps, crashes, runs, effects, clock_jumps, disk_faults);
  }
};

/// Each block of seeds is a test of its own, so that one fault does not hide the others.
class Seeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Seeds, HoldEveryPromise) {
  Totals totals;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 50; ++seed) {
    const Options options{seed, {}};
    const auto outcome = simulate(options);
    totals.add(outcome);
    ASSERT_FALSE(outcome.violation) << describe(options, outcome);
  }
  totals.print();
  EXPECT_GT(totals.runs, 500u) << "the made flows hardly run";
  EXPECT_GT(totals.effects, 500u) << "the made flows hardly send anything";
  EXPECT_GT(totals.crashes, 50u) << "the process hardly dies";
}
INSTANTIATE_TEST_SUITE_P(Simulation, Seeds, testing::Range<std::uint64_t>(1, 501, 50));

TEST(Simulation, TheSameSeedLivesTheSameLife) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(simulate({seed, {}}).fingerprint, simulate({seed, {}}).fingerprint) << "seed " << seed;
}

TEST(Simulation, ACrashBeforeAnyStepBreaksNoPromise) {
  for (std::uint64_t seed = 9001; seed <= 9003; ++seed) {
    std::size_t steps = 60;
    for (std::size_t crash_at = 1; crash_at < steps; crash_at += 1 + crash_at / 40) {
      const Options options{seed, crash_at};
      const auto outcome = simulate(options);
      ASSERT_FALSE(outcome.violation) << describe(options, outcome);
      steps = outcome.steps;
    }
  }
}

int run_seeds(std::uint64_t first, std::uint64_t count, std::optional<std::size_t> crash_at, int broken_max) {
  Totals totals;
  int broken = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Options options{seed, crash_at};
    const auto outcome = simulate(options);
    totals.add(outcome);
    if (outcome.violation) {
      std::fputs(describe(options, outcome).c_str(), stdout);
      std::fflush(stdout);
      if (++broken == broken_max) break;
    }
  }
  totals.print();
  std::printf(broken == 0 ? "every promise was kept\n" : "%d seeds broke a promise\n", broken);
  return broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace flowmend::simulation

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);  // quarantines and refused reads are provoked
  std::uint64_t first = 1;
  std::uint64_t count = 0;
  std::optional<std::size_t> crash_at;
  const int broken_max = std::strcmp(argv[argc - 1], "--first") == 0 ? 1 : 3;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seeds") == 0) count = std::stoull(argv[i + 1]);
    if (std::strcmp(argv[i], "--seed") == 0) first = std::stoull(argv[i + 1]), count = count == 0 ? 1 : count;
    if (std::strcmp(argv[i], "--crash-at") == 0) crash_at = std::stoull(argv[i + 1]);
  }
  if (count != 0) return flowmend::simulation::run_seeds(first, count, crash_at, broken_max);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
