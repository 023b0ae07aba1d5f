// SPDX-License-Identifier: MIT
// The library's one type of exception, and the functions that throw it.
#pragma once

#include <cstdint>      // for uint64_t
#include <stdexcept>    // for runtime_error
#include <string>       // for string, to_string
#include <string_view>  // for string_view

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

/// What went wrong, for programs; the message says it for people. A call that throws leaves the index as it was.
enum class errc : std::uint8_t {
    invalid_argument,    ///< a parameter outside its stated range
    dimension_mismatch,  ///< a vector's length differs from the index's dimension
    non_finite,          ///< a component is NaN or infinite
    magnitude,     ///< a vector too long (a sum of squares above FLT_MAX/8, a component beyond what the codec holds) or
                   ///< too short (a sum of squares below 2^-100 but not 0, components the codec would round away)
    zero_norm,     ///< a zero vector where the metric needs a direction (cosine)
    duplicate_id,  ///< `add` of an id the index holds, or twice in one batch
    not_found,     ///< `get` or `update` of an id the index does not hold
    capacity,      ///< more rows than the index can number
    read_only,     ///< a change of a view, or of what a thread was changing when its process forked
    io,            ///< the operating system or a stream refused a read or a write
    corrupt_file,  ///< the bytes are not a whole vicinal file
    unsupported_version,  ///< a file of a later format version than this library reads
    wrong_type,           ///< an index, or a sound file of one, of another kind, metric, codec or id type
    limit_exceeded,       ///< a load beyond the caller's load_limits
    cancelled,            ///< the call's stop token was triggered
    reentrant_call,       ///< a filter or progress callable wants to change the index that calls it
};

/// The name of `code` as written in the enum.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument: return "invalid_argument";
        case errc::dimension_mismatch: return "dimension_mismatch";
        case errc::non_finite: return "non_finite";
        case errc::magnitude: return "magnitude";
        case errc::zero_norm: return "zero_norm";
        case errc::duplicate_id: return "duplicate_id";
        case errc::not_found: return "not_found";
        case errc::capacity: return "capacity";
        case errc::read_only: return "read_only";
        case errc::io: return "io";
        case errc::corrupt_file: return "corrupt_file";
        case errc::unsupported_version: return "unsupported_version";
        case errc::wrong_type: return "wrong_type";
        case errc::limit_exceeded: return "limit_exceeded";
        case errc::cancelled: return "cancelled";
        case errc::reentrant_call: return "reentrant_call";
    }
    return "unknown";
}

/// What a call throws that refuses to do its work. `what()` names the values that disagree; `code()` is for programs.
class error : public std::runtime_error {
  public:
    error(errc code, const std::string& message) : std::runtime_error("vicinal: " + message), code_(code) {}
    [[nodiscard]] errc code() const noexcept { return code_; }

  private:
    errc code_;
};

namespace detail {

// These are not inlined, because the code that builds messages is much larger than the checks that call it.
[[noreturn]] VICINAL_COLD inline void fail(errc code, const std::string& message) { throw error(code, message); }

[[noreturn]] VICINAL_COLD inline void fail_dimension(std::string_view what, std::size_t got, std::size_t want) {
    throw error(errc::dimension_mismatch, std::string(what) + " has " + std::to_string(got) +
                                              " components, the index has " + std::to_string(want));
}

/// Refuses `value` outside [low, high], naming all three.
inline void require_range(std::string_view what, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value < low || value > high)
        fail(errc::invalid_argument, std::string(what) + " is " + std::to_string(value) + ", it must be from " +
                                         std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace detail

VICINAL_NAMESPACE_END
