// SPDX-License-Identifier: MIT
// What a metric with a state needs of an index: a place in files, and a comparison with another.
#pragma once

#include <array>        // for array
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <cstdio>       // for snprintf
#include <memory>       // for unique_ptr
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/error.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Refuses an empty index whose metric, which it was not given, is none for its vectors as it begins.
/// throws  what the metric's check throws
template <class State>
void require_metric_fits([[maybe_unused]] const State& state) {
    if constexpr (stateful_metric<typename State::metric_type>) state.metric.check(state.dim);
}
/// Gives an empty index its metric.
/// throws  what the metric's check throws
template <class State>
[[nodiscard]] std::unique_ptr<State> with_metric(std::unique_ptr<State> state, typename State::metric_type metric) {
    metric.check(state->dim);
    state->metric = std::move(metric);
    return state;
}

[[nodiscard]] inline std::string exact_text(float x) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", double{x});
    return text.data();
}

/// Where two states of a metric differ first, in words; empty if they do not.
/// of_a, of_b  whose they are: "in the file", "was given"
template <stateful_metric Metric>
[[nodiscard]] std::string difference_of(const Metric& a, const Metric& b, std::size_t dim, const std::string& of_a,
                                        const std::string& of_b) {
    if constexpr (weighted_metric<Metric>)
        for (std::size_t i = 0; i < dim; ++i)
            if (bit_cast<std::uint32_t>(a.weights()[i]) != bit_cast<std::uint32_t>(b.weights()[i]))
                return "weight " + std::to_string(i) + " is " + exact_text(a.weights()[i]) + " " + of_a + ", " +
                       exact_text(b.weights()[i]) + " " + of_b;
    const std::vector<std::byte> one = a.state(), other = b.state();
    std::size_t i = 0;
    while (i < one.size() && i < other.size() && one[i] == other[i]) ++i;
    if (i == one.size() && i == other.size()) return {};
    const auto value = [i](const std::vector<std::byte>& bytes) {
        return i < bytes.size() ? std::to_string(std::to_integer<unsigned>(bytes[i])) : "missing";
    };
    return "byte " + std::to_string(i) + " of its state is " + value(one) + " " + of_a + ", " + value(other) + " " +
           of_b;
}
/// throws  error{code} saying where the states of two metrics differ, if they do
/// call    begins the message
template <class Metric>
void require_same_state(const Metric& a, const Metric& b, std::size_t dim, errc code, std::string_view call,
                        const std::string& of_a, const std::string& of_b) {
    if (const std::string difference = difference_of(a, b, dim, of_a, of_b); !difference.empty())
        fail(code, std::string(call) + ": of metric " + std::string(std::string_view(Metric::name)) + " " + difference);
}

}  // namespace detail

VICINAL_NAMESPACE_END
