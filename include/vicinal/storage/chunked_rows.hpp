// SPDX-License-Identifier: MIT
// Rows of bytes that never move: growth adds chunks and shrinking drops them, a reader's pointer stays good.
#pragma once

#include <algorithm>    // for copy_n, max, min
#include <array>        // for array
#include <atomic>       // for atomic, memory_order_relaxed
#include <bit>          // for bit_floor, bit_width
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uintptr_t
#include <new>          // for align_val_t
#include <type_traits>  // for is_trivially_copyable_v
#include <utility>      // for exchange, swap

#include "vicinal/core/types.hpp"
#include "vicinal/simd/kernels.hpp"
#include "vicinal/simd/memory_policy.hpp"

#if defined(__linux__)
#include <sys/mman.h>  // for madvise
#endif

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t page_bytes = 4096;  ///< the least that systems give memory by

/// Whether so many bytes are more than a processor's caches hold.
[[nodiscard]] constexpr bool beyond_caches(std::size_t bytes) noexcept { return bytes > std::size_t{16} << 20; }

/// A number that a writer changes beside readers, who conclude nothing else from it.
class shared_count {
  public:
    shared_count(std::size_t value = 0) noexcept : value_(value) {}  // NOLINT: implicit, it is a number
    shared_count(const shared_count& other) noexcept : value_(std::size_t{other}) {}
    shared_count& operator=(const shared_count& other) noexcept { return *this = std::size_t{other}; }
    shared_count& operator=(std::size_t value) noexcept {
        value_.store(value, std::memory_order_relaxed);
        return *this;
    }
    operator std::size_t() const noexcept { return value_.load(std::memory_order_relaxed); }  // NOLINT: as above

  private:
    std::atomic<std::size_t> value_;
};

/// Has the system give memory for [begin, begin + size) now, by writing what is there. Kernels of readers may read as
/// far past the row before `begin` as they ever do, so those bytes are left alone, and as many behind are taken.
inline void touch_pages(std::byte* begin, std::size_t size) noexcept {
    for (std::size_t at = simd::over_read; at < size + simd::over_read;) {
        auto* const byte = reinterpret_cast<unsigned char*>(begin + at);
#if defined(VICINAL_GNU)
        (void)__atomic_fetch_or(byte, static_cast<unsigned char>(0), __ATOMIC_RELAXED);
#else
        auto* const same = static_cast<volatile unsigned char*>(byte);
        *same = *same;
#endif
        at += page_bytes - reinterpret_cast<std::uintptr_t>(byte) % page_bytes;
    }
}

/// Gives the system's memory for the whole pages of [begin, end) back; what is read there from now on is anything.
/// Returns whether the system could.
[[nodiscard]] inline bool discard_pages([[maybe_unused]] std::byte* begin, [[maybe_unused]] std::byte* end) noexcept {
#if defined(__linux__) && defined(MADV_DONTNEED)
    const auto first = round_up(reinterpret_cast<std::uintptr_t>(begin), page_bytes);
    const auto last = reinterpret_cast<std::uintptr_t>(end) / page_bytes * page_bytes;
    return first >= last ||
           ::madvise(begin + (first - reinterpret_cast<std::uintptr_t>(begin)), last - first, MADV_DONTNEED) == 0;
#else
    return false;
#endif
}

/// Memory on a cache line's boundary; large blocks on a huge page's. One word: bit 0 of the address tells which.
class aligned_block {
  public:
    aligned_block() = default;
    /// `size` uninitialised bytes, with the kernels' over-read allowance behind them.
    explicit aligned_block(std::size_t size) {
        const bool huge = size >= 2 * huge_page;
        void* const data = ::operator new[](round_up(size, cache_line) + simd::over_read, alignment(huge));
#if defined(MADV_HUGEPAGE)
        // Random rows of a large index miss the translation cache on 4 KiB pages. Advice only: failure costs speed.
        if (huge) (void)::madvise(data, size / huge_page * huge_page, MADV_HUGEPAGE);
#endif
        word_ = reinterpret_cast<std::uintptr_t>(data) | (huge ? 1 : 0);
    }
    aligned_block(aligned_block&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
    aligned_block& operator=(aligned_block&& other) noexcept {
        std::swap(word_, other.word_);
        return *this;
    }
    ~aligned_block() {
        if (word_ != 0) ::operator delete[](get(), alignment((word_ & 1) != 0));
    }
    [[nodiscard]] std::byte* get() const noexcept { return reinterpret_cast<std::byte*>(word_ & ~std::uintptr_t{1}); }
    [[nodiscard]] explicit operator bool() const noexcept { return word_ != 0; }

  private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;
    [[nodiscard]] static std::align_val_t alignment(bool huge) noexcept {
        return std::align_val_t{huge ? huge_page : cache_line};
    }
    std::uintptr_t word_ = 0;
};

/// Fixed-size rows in segments that double the total, addressed by a table that never moves. Or, for a mapped file,
/// rows of somebody else's in one piece. A segment begins at row 0 or at a power of two of at least 64. Threads:
/// readers may use any row that was published to them, and ask for `memory`, while one writer reserves and touches
/// more, or gives back what lies beyond.
class chunked_rows {
  public:
    /// row_bytes  bytes used of each row;  alignment  of each row, a power of two up to a cache line
    explicit chunked_rows(std::size_t row_bytes, std::size_t alignment = 1)
        : row_bytes_(row_bytes),
          stride_((std::max)(round_up(row_bytes, alignment), alignment)),
          shift_(first_shift(stride_)) {}

    /// Uses rows lying `stride()` apart at `data` instead of memory of its own; they are never written.
    void borrow(const std::byte* data) noexcept {
        shift_ = everything;
        origins_[0] = reinterpret_cast<std::uintptr_t>(data);
    }

    /// The first `rows` rows again, in memory of its own.
    [[nodiscard]] chunked_rows owned(std::size_t rows) const {
        chunked_rows copy(*this, shape_of{});
        copy.reserve(rows);
        copy.touched_ = rows;
        for (std::size_t first = 0, end = std::size_t{1} << copy.shift_; first < rows; first = end, end *= 2)
            std::copy_n((*this)[static_cast<slot_t>(first)], ((std::min)(end, rows) - first) * stride_,
                        copy[static_cast<slot_t>(first)]);
        return copy;
    }

    /// Makes rows [0, rows) exist. Strong guarantee; existing rows stay where they are. New rows are uninitialised, and
    /// take address space only until they are touched.
    void reserve(std::size_t rows) {
        const std::size_t had = segments_;
        try {
            while (capacity() < rows) append_segment();
        } catch (...) {
            while (segments_ > had) drop_segment();
            throw;
        }
    }
    /// Has the system give memory for rows [0, rows), which exist, before anybody waits for it.
    void touch(std::size_t rows) noexcept {
        for (std::size_t first = touched_; first < rows;) {
            const std::size_t end = (std::min)(rows, segment_end(first));
            touch_pages((*this)[static_cast<slot_t>(first)], (end - first) * stride_);
            first = end;
        }
        if (touched_ < rows) touched_ = rows;
    }
    /// Gives back what rows [0, rows) do not need: segments, but for a small one, and of the last segment left its
    /// pages.
    void fit(std::size_t rows) noexcept {
        drop_segments(rows);
        discard(rows);
    }
    /// The same where rows may come again: keeps room for a third more, so that nothing is dropped and made again as
    /// rows come and go.
    void give_back(std::size_t rows) noexcept {
        drop_segments(rows + rows / 3);
        if (touched_ > rows + rows / 3 + small_segment / stride_) discard(rows + rows / 6);
    }

    /// Rows there is memory for.
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_of(segments_); }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    /// Whether rows may be more than a processor's caches hold. Of a file nobody says how many there are.
    [[nodiscard]] bool beyond_caches() const noexcept {
        return borrowed() || detail::beyond_caches(capacity() * stride_);
    }
    /// How far ahead a scan asks that reads rows one after the other; one that reads groups of them at once.
    [[nodiscard]] simd::scan_ahead ahead_in_turn() const noexcept {
        return simd::scan_ahead(beyond_caches() ? simd::current_scan_ahead() : 0);
    }
    [[nodiscard]] simd::scan_ahead ahead_of_groups() const noexcept {
        return simd::scan_ahead(beyond_caches() ? simd::scan_ahead::of_groups : 0);
    }
    /// Bytes of memory this object owns: those of rows touched, in whole pages.
    [[nodiscard]] std::size_t memory() const noexcept { return memory_of(touched_, segments_); }
    /// Bytes of address space this object takes.
    [[nodiscard]] std::size_t reserved() const noexcept { return reserved_by(segments_); }
    /// What both would be of an object that has had `rows` rows and never more.
    [[nodiscard]] std::size_t memory_of(std::size_t rows) const noexcept { return memory_of(rows, segments_of(rows)); }
    [[nodiscard]] std::size_t reserved_of(std::size_t rows) const noexcept { return reserved_by(segments_of(rows)); }

    [[nodiscard]] VICINAL_INLINE const std::byte* operator[](slot_t slot) const noexcept { return places()[slot]; }
    [[nodiscard]] VICINAL_INLINE std::byte* operator[](slot_t slot) noexcept {
        return const_cast<std::byte*>(places()[slot]);
    }
    /// Where the rows lie, for kernels that walk them: it also says how much of a row to ask for.
    [[nodiscard]] VICINAL_INLINE simd::row_table table() const noexcept {
        simd::row_table rows = places();
        rows.lines_ahead = simd::current_row_lines();
        return rows;
    }

  private:
    struct shape_of {};
    static constexpr unsigned everything = 31;  // in one segment
    [[nodiscard]] bool borrowed() const noexcept { return shift_ == everything; }
    /// Just that. Single rows are looked up by it, so it asks nothing of the processor.
    [[nodiscard]] VICINAL_INLINE simd::row_table places() const noexcept { return {origins_.data(), stride_, shift_}; }
    chunked_rows(const chunked_rows& other, shape_of)
        : row_bytes_(other.row_bytes_), stride_(other.stride_), shift_(first_shift(other.stride_)) {}
    [[nodiscard]] static unsigned first_shift(std::size_t stride) noexcept {
        constexpr std::size_t first_segment = std::size_t{16} << 10;
        return (std::max)(6U, static_cast<unsigned>(std::bit_width(first_segment / stride)));
    }
    /// Which rows the segment of `row` has: [segment_begin, segment_end).
    [[nodiscard]] std::size_t segment_begin(std::size_t row) const noexcept {
        return row >> shift_ == 0 ? 0 : std::bit_floor(row);
    }
    [[nodiscard]] std::size_t segment_end(std::size_t row) const noexcept {
        return row >> shift_ == 0 ? std::size_t{1} << shift_ : 2 * std::bit_floor(row);
    }

    [[nodiscard]] std::size_t capacity_of(std::size_t segments) const noexcept {
        return segments == 0 ? 0 : std::size_t{1} << (shift_ + segments - 1);
    }
    [[nodiscard]] std::size_t segments_of(std::size_t rows) const noexcept {
        std::size_t segments = 0;
        while (capacity_of(segments) < rows) ++segments;
        return segments;
    }
    [[nodiscard]] std::size_t memory_of(std::size_t rows, std::size_t segments) const noexcept {
        if (rows == 0) return 0;
        const std::size_t before = segment_begin(rows - 1);  // whole segments
        const std::size_t last =
            (std::min)(round_up((rows - before) * stride_, page_bytes), (segment_end(before) - before) * stride_);
        return before * stride_ + last + segments * simd::over_read;
    }
    [[nodiscard]] std::size_t reserved_by(std::size_t segments) const noexcept {
        return capacity_of(segments) * stride_ + segments * simd::over_read;
    }

    void append_segment() {
        const std::size_t first = capacity();
        const std::size_t count = first == 0 ? std::size_t{1} << shift_ : first;
        const std::size_t number = segments_;
        owned_[number] = aligned_block(count * stride_);
        origins_[number] = reinterpret_cast<std::uintptr_t>(owned_[number].get()) - first * stride_;
        segments_ = number + 1;
    }
    void drop_segments(std::size_t rows) noexcept {
        while (segments_ > 1 && rows <= capacity() / 2) drop_segment();
        if (segments_ == 1 && rows == 0 && capacity() * stride_ > small_segment) drop_segment();
        if (touched_ > capacity()) touched_ = capacity();
    }
    /// Gives back the pages of touched rows from `rows` on. Kernels may read a little past the row before them.
    void discard(std::size_t rows) noexcept {
        while (touched_ > rows) {
            const std::size_t first = (std::max)(rows, segment_begin(touched_ - 1));
            const std::size_t count = segment_end(first) - first;
            std::byte* const begin = (*this)[static_cast<slot_t>(first)];
            if (!discard_pages(begin + simd::over_read, begin + count * stride_)) return;
            touched_ = first;
        }
    }
    void drop_segment() noexcept {
        segments_ = segments_ - 1;
        const aligned_block dropped = std::move(owned_[segments_]);
    }

    static constexpr std::size_t max_segments = 33;
    static constexpr std::size_t small_segment = std::size_t{64} << 10;
    std::size_t row_bytes_;
    std::size_t stride_;
    unsigned shift_;
    shared_count segments_;
    shared_count touched_;  ///< rows whose memory the system has given
    std::array<std::uintptr_t, max_segments> origins_{};
    std::array<aligned_block, max_segments> owned_{};
};

/// One T per row, as `chunked_rows` keeps them.
template <class T>
class chunked_array {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    void reserve(std::size_t count) { rows_.reserve(count); }
    void touch(std::size_t count) noexcept { rows_.touch(count); }
    void borrow(const std::byte* data) noexcept { rows_.borrow(data); }
    /// The elements as rows of their bytes.
    [[nodiscard]] chunked_rows& rows() noexcept { return rows_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return rows_.capacity(); }
    [[nodiscard]] const chunked_rows& rows() const noexcept { return rows_; }
    [[nodiscard]] VICINAL_INLINE T& operator[](slot_t slot) noexcept { return *reinterpret_cast<T*>(rows_[slot]); }
    [[nodiscard]] VICINAL_INLINE const T& operator[](slot_t slot) const noexcept {
        return *reinterpret_cast<const T*>(rows_[slot]);
    }

  private:
    chunked_rows rows_{sizeof(T), alignof(T)};
};

}  // namespace detail

VICINAL_NAMESPACE_END
