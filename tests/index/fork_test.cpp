// SPDX-License-Identifier: MIT
// A program forks while its threads search and change an index. The child searches, saves and changes its copy.
#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/sanitized.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

// Sanitizers have locks of their own, of their allocators too, which a fork may leave locked.
#if !defined(VICINAL_TEST_SANITIZED)

namespace {

using namespace vicinal_test;
using f32_graph = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;  // a macro takes no comma

const dataset rows = gaussian(300, 8, 4);
constexpr std::uint64_t first_new = 100000;

std::vector<std::uint64_t> ids_from(std::uint64_t first, std::size_t count) {
    std::vector<std::uint64_t> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

template <class Index>
void train_if_it_learns(Index& index) {
    if constexpr (requires { index.train(rows.view()); }) index.train(rows.view());
}

enum class outcome { good, refused, bad };

/// Forks. What doing it comes to in the child, which must be over within a minute.
template <class Do>
outcome in_child(const Do& it) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        outcome came = outcome::bad;
        try {
            if (it()) came = outcome::good;
        } catch (const vicinal::error& e) {
            if (e.code() == vicinal::errc::read_only) came = outcome::refused;
        }
        ::_exit(static_cast<int>(came));
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return outcome::bad;
    return static_cast<outcome>(WEXITSTATUS(status));
}

/// What a child does with the index that other threads searched and changed, none of them for long.
template <class Index>
bool does_everything(Index& index) {
    if (index.search(rows[7], 1)[0].id != 7) return false;
    if (index.search(rows.view().rows(0, 20), 1, {.threads = 2})[7][0].id != 7) return false;
    std::vector<std::byte> bytes;
    index.save(bytes);
    if (Index::load(bytes).size() != index.size()) return false;
    index.add(std::uint64_t{500000}, rows[9]);
    return index.remove(std::uint64_t{9}) && index.search(rows[9], 1)[0].id == 500000 && index.check().ok();
}

TEMPLATE_TEST_CASE("fork: a child searches, saves and changes an index in use", "", vicinal::flat_index<vicinal::l2>,
                   vicinal::ivf_index<vicinal::l2>, f32_graph) {
    TestType index(rows.dim);
    train_if_it_learns(index);
    index.add(ids_from(0, 300), rows.view());
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop) (void)index.search(rows[5], 10);
    });
    std::thread writer([&] {
        for (std::uint64_t id = first_new; !stop; ++id) {
            index.add(id, rows[1]);
            index.remove(id);
        }
    });
    int refused = 0, bad = 0;
    for (int round = 0; round < 20 && bad == 0; ++round) {  // a child that hangs takes its minute
        const outcome came = in_child([&] { return does_everything(index); });
        refused += came == outcome::refused ? 1 : 0;
        bad += came == outcome::bad ? 1 : 0;
    }
    stop = true;
    reader.join();
    writer.join();
    CHECK(bad == 0);
    CHECK(refused < 5);  // not one but where the machine keeps the writer from running for a tenth of a second
    CHECK(index.check().ok());
}

bool refused(vicinal::errc code, const std::function<void()>& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        return e.code() == code;
    }
    return false;
}

TEMPLATE_TEST_CASE("fork: a child only searches what was being changed for long", "", vicinal::flat_index<vicinal::l2>,
                   f32_graph) {
    TestType index(rows.dim);
    index.add(ids_from(0, 300), rows.view());
    std::promise<void> begun, released;
    std::thread writer([&, waited = false]() mutable {
        index.add(ids_from(first_new, 100), rows.view().rows(0, 100), {.progress = [&](auto, auto) {
                      if (!std::exchange(waited, true)) begun.set_value(), released.get_future().wait();
                  }});
    });
    begun.get_future().wait();
    const auto only_searches = [&] {
        std::vector<std::byte> bytes;
        return index.search(rows[150], 1)[0].id == 150 &&
               refused(vicinal::errc::read_only, [&] { index.add(std::uint64_t{500000}, rows[9]); }) &&
               refused(vicinal::errc::read_only, [&] { index.remove(std::uint64_t{9}); }) &&
               refused(vicinal::errc::read_only, [&] { index.save(bytes); });
    };
    CHECK(in_child(only_searches) == outcome::good);
    CHECK(in_child([&] { return in_child(only_searches) == outcome::good; }) == outcome::good);
    released.set_value();
    writer.join();
    CHECK(index.size() == 400);
    CHECK(in_child([&] { return index.remove(std::uint64_t{9}); }) == outcome::good);
}

TEST_CASE("fork: a callback may fork, and both processes finish the call") {
    vicinal::flat_index<vicinal::l2> index(rows.dim);
    pid_t child = -1;
    const auto fork_once = [&] {
        if (child == -1 && (child = ::fork()) == 0) ::alarm(60);
    };
    const auto finished_by_both = [&](bool good) {
        if (child == 0) ::_exit(good ? 0 : 1);
        int status = 0;
        const bool both =
            good && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        child = -1;
        return both;
    };
    index.add(ids_from(0, 300), rows.view(), {.progress = [&](auto, auto) { fork_once(); }});
    index.add(std::uint64_t{1000}, rows[3]);
    CHECK(finished_by_both(index.size() == 301));
    const auto forks = [&](std::uint64_t) {
        fork_once();
        return true;
    };
    const bool found = index.search(rows[7], 1, {.filter = forks})[0].id == 7;
    index.remove(std::uint64_t{1000});
    CHECK(finished_by_both(found && index.size() == 300));
}

}  // namespace

#endif
#endif
