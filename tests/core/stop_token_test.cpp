// SPDX-License-Identifier: MIT
// What core/own_stop_token.hpp promises, asked of the standard's tokens, too, where there are some.
#include "vicinal/core/stop_token.hpp"

#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/own_stop_token.hpp"
#include "vicinal/params.hpp"

namespace {

struct chosen {
    using source = vicinal::stop_source;
    using token = vicinal::stop_token;
};
struct own {
    using source = vicinal::detail::own::stop_source;
    using token = vicinal::detail::own::stop_token;
};

#if defined(__cpp_lib_jthread)
static_assert(std::is_same_v<vicinal::stop_token, std::stop_token> &&
              std::is_same_v<decltype(vicinal::add_params::stop), std::stop_token>);
#endif
static_assert(std::is_nothrow_copy_constructible_v<own::token> && std::is_nothrow_move_constructible_v<own::token>);
static_assert(std::is_nothrow_copy_constructible_v<own::source> && std::is_nothrow_move_constructible_v<own::source>);

TEMPLATE_TEST_CASE("stop_token: a default-constructed one is never stopped", "", chosen, own) {
    const typename TestType::token none;
    CHECK_FALSE(none.stop_requested());
    CHECK_FALSE(none.stop_possible());
    CHECK(none == typename TestType::token());
}

TEMPLATE_TEST_CASE("stop_token: all tokens and copies of a source are stopped by the first request", "", chosen, own) {
    typename TestType::source source, copy = source, other;
    const auto token = source.get_token(), same = copy.get_token();
    CHECK(source == copy);
    CHECK(token == same);
    CHECK_FALSE(token == other.get_token());
    CHECK_FALSE(source == other);
    CHECK_FALSE(token.stop_requested());
    CHECK(copy.request_stop());
    CHECK_FALSE(source.request_stop());
    CHECK((token.stop_requested() && same.stop_requested() && source.stop_requested() && copy.stop_requested()));
    CHECK_FALSE(other.stop_requested());
}

TEMPLATE_TEST_CASE("stop_token: a stop is possible while a source lives or after a request", "", chosen, own) {
    typename TestType::token idle, asked;
    {
        typename TestType::source first, second;
        {
            const auto copy = first;
            idle = copy.get_token();
        }
        asked = second.get_token();
        CHECK((idle.stop_possible() && asked.stop_possible()));
        second.request_stop();
    }
    CHECK_FALSE(idle.stop_possible());
    CHECK_FALSE(idle.stop_requested());
    CHECK(asked.stop_possible());
    CHECK(asked.stop_requested());
}

TEMPLATE_TEST_CASE("stop_token: a source that was moved from stops nothing", "", chosen, own) {
    typename TestType::source source;
    const auto token = source.get_token();
    auto moved = std::move(source);
    CHECK_FALSE(source.stop_possible());  // NOLINT(bugprone-use-after-move): this is what is asked
    CHECK_FALSE(source.request_stop());
    CHECK_FALSE(source.stop_requested());
    CHECK(source.get_token() == typename TestType::token());
    CHECK_FALSE(token.stop_requested());
    CHECK(moved.stop_possible());
    CHECK(moved.request_stop());
    CHECK(token.stop_requested());
}

TEMPLATE_TEST_CASE("stop_token: swap exchanges", "", chosen, own) {
    typename TestType::source stopped, idle;
    stopped.request_stop();
    auto a = stopped.get_token(), b = idle.get_token();
    swap(a, b);
    CHECK((!a.stop_requested() && b.stop_requested()));
    a.swap(b);
    CHECK((a.stop_requested() && !b.stop_requested()));
    swap(stopped, idle);
    CHECK((!stopped.stop_requested() && idle.stop_requested()));
    stopped.swap(idle);
    CHECK((stopped.stop_requested() && !idle.stop_requested()));
}

TEMPLATE_TEST_CASE("stop_token: who sees a stop requested sees what was written before the request", "", chosen, own) {
    for (int round = 0; round < 50; ++round) {
        typename TestType::source source;
        std::atomic<int> firsts{0}, seen{0};
        int written = 0;  // plain, so that TSan says whether the token orders it
        std::vector<std::thread> threads;
        threads.emplace_back([&, mine = source]() mutable {
            written = 1;
            firsts += mine.request_stop() ? 1 : 0;
        });
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([&, token = source.get_token()] {
                while (!token.stop_requested()) std::this_thread::yield();
                seen += written;
            });
        for (std::thread& thread : threads) thread.join();
        CHECK((firsts == 1 && seen == 3));
        CHECK_FALSE(source.request_stop());
    }
}

}  // namespace
