// SPDX-License-Identifier: MIT
// Scans ask memory for rows some way ahead of those they read, where a processor by itself keeps too few of its
// requests in flight. How far is said from outside (memory_policy.hpp); here is how.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uintptr_t

#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Asks for nothing, in the place of asks_ahead.
struct asks_nothing {
    VICINAL_INLINE void next() noexcept {}
};

/// Where asks_ahead sends its requests.
struct memory_lines {
    static VICINAL_INLINE void ask(const std::byte* at) noexcept { prefetch_line(at); }
};

/// Goes along with a loop over one row, some way ahead of it, and asks for each line once. On an Intel processor
/// (family 6 model 207) that reads sq8 codes at 14.4 GB/s; 13.5 where lines are asked for twice or into the first-level
/// cache; 12.6 where those of a row are asked for at once, 8 where those of 64 rows are; 7.9 where none is.
template <class Memory = memory_lines>
class asks_ahead {
  public:
    /// at  the first byte to ask for;  step  the bytes that the loop reads each time, at most 128
    VICINAL_INLINE asks_ahead(const std::byte* at, std::size_t step) noexcept : at_(at), step_(step) {}
    /// Asks for the line that the next step begins in, unless the step before did.
    VICINAL_INLINE void next() noexcept {
        if (reinterpret_cast<std::uintptr_t>(at_) % line < step_) Memory::ask(at_);
        if (step_ > line) Memory::ask(at_ + line);
        at_ += step_;
    }

  private:
    static constexpr std::size_t line = 64;
    const std::byte* at_;
    std::size_t step_;
};

/// Says how far ahead a scan asks, in bytes; 0 is nowhere, for rows that caches hold. What is asked for past the last
/// row is as much, and never faults.
class scan_ahead {
  public:
    /// What suits rows that are read 32 at once, by which the hardware does not follow: it doubles their speed on AMD
    /// Zen 4 and 5 and on Intel family 6 model 207, where 12 and 16 KiB are within 5 % of it.
    static constexpr std::size_t of_groups = 8192;

    constexpr scan_ahead() noexcept = default;
    explicit constexpr scan_ahead(std::size_t bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return bytes_; }

    /// Asks for as many bytes as are scanned now, at `rows`, that far behind them.
    VICINAL_INLINE void ask(const std::byte* rows, std::size_t bytes) const noexcept {
        constexpr std::size_t most_lines = 256;
        if (bytes_ != 0) prefetch_lines(rows + bytes_, bytes, most_lines);
    }

    /// Calls scan(along) once, for a scan of `count` rows one after the other. along(row, step) makes what goes along
    /// with a loop over a row. So a scan that asks for nothing is a loop without a trace of it. Few rows are no scan:
    /// what lies behind them nobody may want.
    template <class Scan>
    VICINAL_INLINE void go_along(std::size_t count, const Scan& scan) const noexcept {
        constexpr std::size_t fewest = 32;
        if (bytes_ == 0 || count < fewest)
            scan([](const std::byte*, std::size_t) VICINAL_LAMBDA_INLINE { return asks_nothing{}; });
        else
            scan([bytes = bytes_](const std::byte* row, std::size_t step)
                     VICINAL_LAMBDA_INLINE { return asks_ahead<>(row + bytes, step); });
    }

  private:
    std::size_t bytes_ = 0;
};

}  // namespace simd

VICINAL_NAMESPACE_END
