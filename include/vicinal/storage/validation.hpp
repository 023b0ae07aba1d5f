// SPDX-License-Identifier: MIT
// Every vector is validated here before an index or a search uses it.
#pragma once

#include <algorithm>    // for any_of, clamp, max
#include <array>        // for array
#include <cmath>        // for abs
#include <cstddef>      // for size_t
#include <cstdint>      // for int32_t, uint32_t
#include <cstdio>       // for snprintf
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The sum of squares in eight interleaved partial sums, which compilers vectorise without reordering.
[[nodiscard]] inline float sum_of_squares(std::span<const float> x) noexcept {
    std::array<float, 8> part{};
    std::size_t i = 0;
    for (; i + 8 <= x.size(); i += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) part[lane] += x[i + lane] * x[i + lane];
    for (std::size_t lane = 0; i < x.size(); ++i, ++lane) part[lane] += x[i] * x[i];
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

/// Whether a sum of squares is a number up to FLT_MAX/8. One unsigned comparison of the bits: NaN, infinity and
/// overflow all compare as larger, and no compiler flag about finite numbers can remove it. By Cauchy-Schwarz no inner
/// product or squared distance of two vectors that pass overflows.
[[nodiscard]] inline bool admissible(float squares) noexcept {
    constexpr auto limit = detail::bit_cast<std::uint32_t>((std::numeric_limits<float>::max)() / 8);
    return detail::bit_cast<std::uint32_t>(squares) <= limit;
}

/// The same for what a codec made of an admitted vector, which rounding may have made a little longer: up to FLT_MAX/5,
/// which still leaves every distance finite.
[[nodiscard]] inline bool admissible_when_decoded(float squares) noexcept {
    constexpr auto limit = detail::bit_cast<std::uint32_t>((std::numeric_limits<float>::max)() / 5);
    return detail::bit_cast<std::uint32_t>(squares) <= limit;
}

/// The same with a margin: for rows on their way in, so that no other order of summing finds one too long later.
[[nodiscard]] inline bool admissible_when_stored(float squares) noexcept {
    constexpr auto limit = detail::bit_cast<std::uint32_t>((std::numeric_limits<float>::max)() / 6);
    return detail::bit_cast<std::uint32_t>(squares) <= limit;
}

/// Whether it is, whatever is rounded, of vectors whose squares add up to no more than `largest`.
[[nodiscard]] inline bool leaves_admissible(double largest) noexcept {
    return largest <= double{(std::numeric_limits<float>::max)()} / 6 * 0.999;
}

/// Whether every admitted vector is admissible_when_stored after it went through a codec, without a look at it.
template <class Codec>
[[nodiscard]] bool keeps_admissible(const Codec& coder) noexcept {
    if constexpr (norm_bounded_codec<Codec>)
        return leaves_admissible(coder.largest_squares());
    else
        return norm_keeping_codec<Codec>;
}

/// Says which of two reasons kept a vector out.
[[noreturn]] VICINAL_COLD inline void fail_inadmissible(std::string_view name, std::span<const float> vector) {
    const std::string what(name);
    for (std::size_t i = 0; i < vector.size(); ++i)
        if (!has_finite_bits(vector[i]))
            fail(errc::non_finite,
                 what + ": component " + std::to_string(i) + " is " +
                     ((detail::bit_cast<std::uint32_t>(vector[i]) & 0x007FFFFFU) != 0 ? "NaN" : "infinite") +
                     ", all must be finite");
    fail(errc::magnitude, what + ": the sum of squares is " + std::to_string(squared_norm(vector)) +
                              ", it must not exceed FLT_MAX/8, " +
                              std::to_string(double{(std::numeric_limits<float>::max)()} / 8));
}

/// The least sum of squares of a vector that is stored, unless it is zero. Squares of its components, and of
/// differences a millionth as large, are then normal floats.
inline constexpr float least_squares = 0x1p-100F;

/// Whether the squares of a vector other than zero add up to less. By bits: -ffast-math flushes denormals.
/// squares  their sum
[[nodiscard]] inline bool is_vanishing(std::span<const float> vector, float squares) noexcept {
    if (detail::bit_cast<std::uint32_t>(squares) >= detail::bit_cast<std::uint32_t>(least_squares)) return false;
    for (const float x : vector)
        if ((detail::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU) != 0) return true;
    return false;
}

[[nodiscard]] inline std::string scientific(double x) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", x);
    return text.data();
}

/// Refuses a vector that is to be stored as whole numbers and has others.  throws  error{magnitude}
template <whole_codec Codec>
void require_whole(std::string_view what, std::span<const float> vector) {
    static constexpr auto least = static_cast<float>(Codec::least), most = static_cast<float>(Codec::most);
    const auto is_held = [](float x) {
        return x == static_cast<float>(static_cast<std::int32_t>(std::clamp(x, least, most)));
    };
    std::int32_t others = 0;
    for (const float x : vector) others += static_cast<std::int32_t>(!is_held(x));
    for (std::size_t i = 0; others != 0 && i < vector.size(); ++i)
        if (const float x = vector[i]; !is_held(x))
            fail(errc::magnitude, std::string(what) + ": component " + std::to_string(i) + " is " +
                                      scientific(double{x}) + ", codec " + std::string(std::string_view(Codec::name)) +
                                      " holds whole numbers from " + std::to_string(Codec::least) + " to " +
                                      std::to_string(Codec::most) + "; sq8 rounds others");
}

/// Refuses a prepared vector that is to be stored, if no distance could tell it from others as short: its squares would
/// underflow, or the codec would round its components away.
/// squares  the sum of its squares
/// throws   error{magnitude}
template <class Codec>
void require_resolvable(std::string_view what, std::span<const float> vector, float squares) {
    if constexpr (!codec<Codec>) {
        require_resolvable<typename Codec::coarse>(what, vector, squares);
        require_resolvable<typename Codec::fine>(what, vector, squares);
    } else {
        if (is_vanishing(vector, squares)) {
            fail(errc::magnitude, std::string(what) + ": the sum of squares is " + scientific(squared_norm(vector)) +
                                      ", it must be 0 or at least 2^-100, " + scientific(double{least_squares}) +
                                      "; scale the vectors up");
        }
        if constexpr (whole_codec<Codec>) require_whole<Codec>(what, vector);
        if constexpr (resolving_codec<Codec>) {
            float largest = 0;
            for (const float x : vector) largest = (std::max)(largest, std::abs(x));
            if (largest < Codec::min_magnitude && largest > 0)
                fail(errc::magnitude, std::string(what) + ": the largest component is " + scientific(double{largest}) +
                                          ", codec " + std::string(std::string_view(Codec::name)) +
                                          " tells components apart from " + scientific(double{Codec::min_magnitude}) +
                                          " on; scale the vectors up");
        }
    }
}

template <class Codec>
void require_resolvable(std::string_view what, std::span<const float> vector) {
    require_resolvable<Codec>(what, vector, sum_of_squares(vector));
}

template <class Codec>
void require_magnitude(std::string_view what, std::span<const float> vector) {
    if constexpr (bounded_codec<Codec>) {
        constexpr float limit = Codec::max_magnitude;
        for (std::size_t i = 0; i < vector.size(); ++i)
            if (vector[i] > limit || vector[i] < -limit)
                fail(errc::magnitude, std::string(what) + ": component " + std::to_string(i) + " is " +
                                          std::to_string(vector[i]) + ", codec " +
                                          std::string(std::string_view(Codec::name)) + " holds up to " +
                                          std::to_string(limit));
    }
}

/// Copies a vector that passed validate_and_prepare before to `out` as the metric wants it.
template <class Metric>
void prepare_validated(const Metric& metric, vector_view vector, std::span<float> out) {
    vector.read(out.data());
    if constexpr (preparing_metric<Metric>) static_cast<void>(metric.prepare(out));
}

/// Stands for a metric where its rows are stored as they come: refuses what it refuses, and changes nothing.
template <class Metric>
struct rows_as_given : Metric {
    [[nodiscard]] static bool prepare(std::span<float> row) noexcept {
        return std::any_of(row.begin(), row.end(), [](float x) { return x != 0.0F; });
    }
};
/// Returns what prepares rows that are to be stored by Codec; queries are prepared by the metric itself.
template <class Codec, class Metric>
[[nodiscard]] decltype(auto) preparer_of_rows(const Metric& metric) noexcept {
    if constexpr (keeps_as_given<Metric, Codec>)
        return rows_as_given<Metric>{metric};
    else
        return (metric);
}

/// A vector's components as floats: where they lie, or else in `room`, where they are read to.
[[nodiscard]] inline std::span<const float> as_floats(vector_view vector, std::span<float> room) noexcept {
    if (const float* const floats = vector.floats(); floats != nullptr) return {floats, vector.size()};
    vector.read(room.data());
    return room;
}

/// Copies `given` to `out` as the metric wants it, or throws saying why it cannot be used.
/// what     names the vector in messages, "query" or "vector"; a batch's row number is added by the caller
/// returns  the sum of squares of `given`
/// throws   error with dimension_mismatch, non_finite, magnitude or zero_norm
template <class Codec, class Metric>
float validate_and_prepare(const Metric& metric, std::string_view what, vector_view given, std::span<float> out) {
    if (given.size() != out.size()) fail_dimension(what, given.size(), out.size());
    const std::span<const float> vector = as_floats(given, out);
    const float squares = sum_of_squares(vector);
    if (!admissible(squares)) fail_inadmissible(what, vector);
    if (vector.data() != out.data())
        for (std::size_t i = 0; i < vector.size(); ++i) out[i] = vector[i];
    if constexpr (preparing_metric<Metric>)
        if (!metric.prepare(out))
            fail(errc::zero_norm, std::string(what) + " has norm 0; metric " +
                                      std::string(std::string_view(Metric::name)) + " needs a direction");
    if constexpr (codec<Codec>) {
        require_magnitude<Codec>(what, out);
    } else {
        require_magnitude<typename Codec::coarse>(what, out);
        require_magnitude<typename Codec::fine>(what, out);
    }
    return squares;
}

/// The same for a vector that is to be stored.
/// throws  as above, magnitude also of require_resolvable
template <class Codec, class Metric>
void validate_and_prepare_row(const Metric& metric, vector_view vector, std::span<float> out) {
    const float squares = validate_and_prepare<Codec>(preparer_of_rows<Codec>(metric), "vector", vector, out);
    require_resolvable<Codec>("vector", out, preparing_metric<Metric> ? sum_of_squares(out) : squares);
}

}  // namespace detail

VICINAL_NAMESPACE_END
