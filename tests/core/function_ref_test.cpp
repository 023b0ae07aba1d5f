// SPDX-License-Identifier: MIT
// What core/function_ref.hpp promises.
#include "vicinal/core/function_ref.hpp"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"

namespace {

using vicinal::function_ref;

int twice(int x) { return 2 * x; }

TEST_CASE("function_ref: is empty by default and when copied from an empty one") {
    const function_ref<int(int)> empty;
    const function_ref<int(int)> copy = empty;
    CHECK_FALSE(empty);
    CHECK_FALSE(copy);
}

TEST_CASE("function_ref: calls the object itself, not a copy") {
    int calls = 0;
    auto count = [calls](int by) mutable { return calls += by; };
    const function_ref<int(int)> ref = count;
    CHECK(ref(2) == 2);
    CHECK(ref(3) == 5);
    CHECK(count(0) == 5);
}

TEST_CASE("function_ref: a copy refers to the callable, not to the reference it was made from") {
    auto one = [](int) { return 1; };
    auto two = [](int) { return 2; };
    function_ref<int(int)> first = one;
    const function_ref<int(int)> copy = first;
    first = function_ref<int(int)>(two);
    CHECK(copy(0) == 1);
    CHECK(first(0) == 2);
}

TEST_CASE("function_ref: const callables, functions and pointers to functions are callables") {
    const auto thrice = [](int x) { return 3 * x; };
    CHECK(function_ref<int(int)>(thrice)(5) == 15);
    CHECK(function_ref<int(int)>(twice)(5) == 10);
    int (*const pointer)(int) = &twice;
    CHECK(function_ref<int(int)>(pointer)(6) == 12);
}

TEST_CASE("function_ref: arguments and results that only move are moved through") {
    auto pass = [](std::unique_ptr<int> p) { return p; };
    const function_ref<std::unique_ptr<int>(std::unique_ptr<int>)> ref = pass;
    CHECK(*ref(std::make_unique<int>(7)) == 7);
    auto append = [](std::string& s) { s += "x"; };
    std::string text = "a";
    function_ref<void(std::string&)>{append}(text);
    CHECK(text == "ax");
}

TEST_CASE("function_ref: an exception of the callable passes through") {
    auto throws = [] { throw std::runtime_error("mine"); };
    CHECK_THROWS_WITH(function_ref<void()>(throws)(), "mine");
}

TEST_CASE("function_ref: is two words, and takes only what can be called") {
    STATIC_REQUIRE(sizeof(function_ref<void()>) == 2 * sizeof(void*));
    STATIC_REQUIRE(std::is_trivially_copyable_v<function_ref<void()>>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<function_ref<int(int)>, std::string>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<function_ref<int(int)>, int (*)(std::string)>);
}

}  // namespace
