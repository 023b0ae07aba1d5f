// SPDX-License-Identifier: MIT
// How scans ask memory for what they read next: what suits this processor by default, and measuring what does.
#pragma once

#include <algorithm>  // for min_element, nth_element
#include <atomic>     // for atomic_thread_fence
#include <chrono>     // for duration, milliseconds, steady_clock
#include <cstddef>    // for ptrdiff_t, size_t, byte
#include <cstdint>    // for uint32_t
#include <iterator>   // for size
#include <vector>     // for vector

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/scoring/dispatched_pairs.hpp"
#include "vicinal/simd/memory_policy.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

/// How searches read memory. It decides how fast they are, never what they find. All in it are plain numbers, which may
/// be stored and set again on another day; they are worth something on the same kind of machine only.
struct memory_settings {
    /// How many bytes ahead scans ask for rows that they read one after the other, where these are more than caches
    /// hold (16 MiB): single searches of flat_index and ivf_index by f32, f16, bf16, sq8, sq4 and pca8. At most
    /// 32768; 0 leaves all to the hardware.
    std::uint32_t scan_ahead = 0;

    friend bool operator==(const memory_settings&, const memory_settings&) = default;
};

/// The settings that suit the family of this processor, by what was measured on it: 6144 bytes on Intel with AVX-512, 0
/// on AMD and on all that nobody has measured. Takes some microseconds. Any thread may call it.
[[nodiscard]] inline memory_settings default_memory_settings() noexcept {
    return {simd::scan_ahead_of(simd::this_processor())};
}

/// The settings in use: the default ones until set_memory_settings() was called. Any thread may call it. O(1).
[[nodiscard]] inline memory_settings current_memory_settings() noexcept { return {simd::current_scan_ahead()}; }

/// Has all searches of the process that begin from now on use `settings`, in code compiled with the same flags. Any
/// thread may call it, beside searches too. Throws error (invalid_argument) and changes nothing if a number is more
/// than it may be. O(1).
inline void set_memory_settings(const memory_settings& settings) {
    detail::require_range("scan_ahead", settings.scan_ahead, 0, simd::farthest_scan_ahead);
    simd::chosen_scan_ahead.store(settings.scan_ahead, std::memory_order_relaxed);
}

namespace detail {

/// Times scans that ask various distances ahead, over memory that is in no cache.
class ahead_trial {
  public:
    static constexpr std::uint32_t distances[] = {0, 2048, 4096, 6144, 8192};
    static constexpr std::size_t tried = std::size(distances);

    ahead_trial() : memory_(slices * slice_bytes + simd::farthest_scan_ahead) {
        touch_pages(memory_.get(), slices * slice_bytes);
        for (float& x : query_) x = 0.0F;
    }
    /// Scans once by each distance.
    void go_round() {
        for (std::size_t d = 0; d < tried; ++d) times_[d].push_back(scan<f32>(distances[d]) + scan<f16>(distances[d]));
    }
    /// Asking must gain a twentieth, and of the distances that are about as good as the best the least is taken: what
    /// is asked for past the last row is lost.
    [[nodiscard]] std::uint32_t best() {
        double medians[tried];
        for (std::size_t d = 0; d < tried; ++d) {
            const auto middle = times_[d].begin() + static_cast<std::ptrdiff_t>(times_[d].size() / 2);
            std::nth_element(times_[d].begin(), middle, times_[d].end());
            medians[d] = *middle;
        }
        const double least = *std::min_element(medians, medians + tried);
        if (least > 0.95 * medians[0]) return 0;
        std::size_t d = 1;
        while (medians[d] > 1.02 * least) ++d;
        return distances[d];
    }

  private:
    static constexpr std::size_t slice_bytes = std::size_t{256} << 10;
    static constexpr std::size_t slices = 128;
    static constexpr std::size_t dim = 256;

    /// Seconds of a scan of the next slice, 64 rows at a time as an index does it.
    template <class Codec>
    [[nodiscard]] double scan(std::uint32_t ahead) {
        using clock = std::chrono::steady_clock;
        using kernels = kernels_for<l2, Codec, simd::native_kernels>;
        constexpr std::size_t block = 64;
        const Codec codec{dim};
        const std::size_t stride = codec.code_size();
        const std::byte* const first = memory_.get() + next_++ % slices * slice_bytes;
        forget(first);
        const auto start = clock::now();
        for (std::size_t at = 0; at < slice_bytes; at += block * stride) {
            float out[block];
            kernels::score_block(l2{}, codec, query_, dim, first + at, stride, block, out, simd::scan_ahead(ahead));
            kept_ = out[0];
        }
        return std::chrono::duration<double>(clock::now() - start).count();
    }
    /// Puts a slice out of the caches where there is a way; elsewhere all slices together are more than most hold.
    static void forget([[maybe_unused]] const std::byte* first) noexcept {
#if defined(VICINAL_FLUSH)
        for (std::size_t i = 0; i < slice_bytes; i += 64) VICINAL_FLUSH(first + i);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // not before all of it is gone
#endif
    }

    aligned_block memory_;
    std::size_t next_ = 0;
    float query_[dim + simd::over_read / sizeof(float)];
    std::vector<double> times_[tried];  // seconds, one a round
    volatile float kept_ = 0;           // so that no scan is left out
};

}  // namespace detail

/// Measures which settings suit this machine, and returns them; it changes nothing: hand them to set_memory_settings().
/// Call it once, when little else runs, and store what it returns if starts must be fast. Takes about 40 ms on one core
/// and 32 MiB, which are given back. Any thread may call it. Throws std::bad_alloc.
[[nodiscard]] inline memory_settings calibrate() {
    using clock = std::chrono::steady_clock;
    constexpr auto enough = std::chrono::milliseconds(25);
    constexpr int most_rounds = 12;
    detail::ahead_trial trial;
    const auto start = clock::now();
    for (int round = 0; round < most_rounds; ++round) {
        trial.go_round();
        if (clock::now() - start > enough) break;
    }
    return {trial.best()};
}

VICINAL_NAMESPACE_END
