// SPDX-License-Identifier: MIT
// A program that is killed at any moment, while it writes, checkpoints or replays, loses nothing that it was told is
// durable. Set VICINAL_TEST_LONG=1 for 2000 kills (scripts/durable_campaign.sh).
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "durable/support.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;
using graph = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
constexpr std::size_t writers = 3;

bool long_form() { return std::getenv("VICINAL_TEST_LONG") != nullptr; }

/// The vector that a writer's n-th change gives to a key. Each key has one writer.
std::vector<float> nth_vector(std::uint64_t n) { return vector_of(n); }
id key_of(std::size_t writer, std::uint64_t n) { return n % 37 * writers + writer; }
/// Every fifth change removes what the one before had put there.
bool removes(std::uint64_t n) { return n % 5 == 4; }

/// What a writer leaves after so many changes.
void make_model(model& held, std::size_t writer, std::uint64_t changes) {
    for (std::uint64_t n = 0; n < changes; ++n)
        if (removes(n))
            held.erase(key_of(writer, n - 1));
        else
            held[key_of(writer, n)] = nth_vector(n);
}

/// One writer's n-th change, and that it was acknowledged. A pipe keeps what was written after its writer is dead.
struct acknowledgement {
    std::uint32_t writer;
    std::uint32_t n;
};

template <class Index>
void write_one(vicinal::durable<Index>& d, std::size_t writer, std::uint64_t n) {
    if (removes(n))
        d.remove(key_of(writer, n - 1));
    else
        d.upsert(key_of(writer, n), nth_vector(n),
                 {.payload = bytes_of(std::to_string(writer) + ":" + std::to_string(n))});
}

/// Opens the directory and changes it until it is killed.
/// noexcept: no exception may take the child into the tests that follow.
template <class Index, class Make>
[[noreturn]] void write_for_ever(const std::filesystem::path& path, const Make& make, std::vector<std::uint64_t> from,
                                 int tell) noexcept {
    auto d = vicinal::durable<Index>::open(path, make, {.checkpoint_ratio = 0.5, .checkpoint_bytes = 6000});
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            for (std::uint64_t n = from[w];; ++n) {
                write_one(d, w, n);
                const acknowledgement done{static_cast<std::uint32_t>(w), static_cast<std::uint32_t>(n)};
                if (::write(tell, &done, sizeof done) != sizeof done) std::abort();
            }
        });
    threads[0].join();
    std::abort();
}

/// Kills a writer at a random moment. Returns how many changes of each were acknowledged, added to those of before.
template <class Index, class Make>
std::vector<std::uint64_t> kill_one(const std::filesystem::path& path, const Make& make,
                                    std::vector<std::uint64_t> acknowledged, std::size_t microseconds) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        write_for_ever<Index>(path, make, acknowledged, ends[1]);
    }
    ::close(ends[1]);
    std::thread killer([&] {
        ::usleep(static_cast<useconds_t>(microseconds));
        ::kill(child, SIGKILL);
    });
    acknowledgement one{};
    while (::read(ends[0], &one, sizeof one) == sizeof one) acknowledged[one.writer] = one.n + 1;
    killer.join();
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ends[0]);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
    return acknowledged;
}

/// What a directory held when it was opened after kills.
struct tally {
    std::size_t kills = 0, lost = 0, checkpoints = 0, torn = 0;
    std::uint64_t acknowledged = 0;
};

/// Opens what was left and compares it with the model; each writer may be one change further than it was told.
template <class Index>
std::vector<std::uint64_t> compare(const std::filesystem::path& path, std::vector<std::uint64_t> acknowledged,
                                   tally& counts) {
    auto d = vicinal::durable<Index>::open(path, {.checkpoint_ratio = 0});
    counts.torn += d.opened().torn_bytes != 0 ? 1 : 0;
    counts.checkpoints += d.opened().snapshot_sequence != 0 ? 1 : 0;
    REQUIRE(d->check().ok());
    for (std::size_t combination = 0; combination < 1U << writers; ++combination) {
        model held;
        std::vector<std::uint64_t> reached = acknowledged;
        for (std::size_t w = 0; w < writers; ++w) {
            reached[w] += combination >> w & 1U;
            make_model(held, w, reached[w]);
        }
        if (equals(d.index(), held)) return reached;
    }
    ++counts.lost;
    return acknowledged;
}

template <class Index, class Make>
void campaign(const Make& make, std::size_t kills, std::uint64_t seed, tally& counts) {
    const quick_directory folder;
    const auto path = folder / "d";
    numbers random(seed);
    { auto d = vicinal::durable<Index>::open(path, make); }
    std::vector<std::uint64_t> reached(writers);
    for (std::size_t kill = 0; kill < kills; ++kill) {
        INFO("kill " << kill << " of seed " << seed);
        const auto before = reached;
        const auto acknowledged = kill_one<Index>(path, make, reached, 200 + random.below(random.below(40000) + 1));
        reached = compare<Index>(path, acknowledged, counts);
        REQUIRE(counts.lost == 0);
        for (std::size_t w = 0; w < writers; ++w) counts.acknowledged += acknowledged[w] - before[w];
        ++counts.kills;
        for (const std::string& name : names_in(path)) REQUIRE_FALSE(name.starts_with(".vicinal-"));
    }
}

}  // namespace

TEST_CASE("durable kill: nothing that was acknowledged is lost, whenever the program is killed") {
    const std::size_t kills = long_form() ? 1000 : 12;
    tally counts;
    campaign<flat>(empty_flat, kills, 1, counts);
    campaign<graph>([] { return graph(dim, {.degree = 4, .ef_construction = 20}); }, kills, 2, counts);
    CHECK(counts.lost == 0);
    CHECK(counts.checkpoints > 0);
    CHECK(counts.acknowledged > kills);
    if (long_form())
        WARN(counts.kills << " kills, " << counts.acknowledged << " changes acknowledged, " << counts.lost
                          << " times some lost; " << counts.checkpoints << " times behind a checkpoint, " << counts.torn
                          << " torn ends cut");
}
