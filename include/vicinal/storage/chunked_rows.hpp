// Rows of bytes that never move: growth adds chunks, a reader's pointer stays good.
#pragma once

#include <algorithm>    // for max
#include <bit>          // for bit_width
#include <cstddef>      // for size_t, byte
#include <memory>       // for unique_ptr
#include <new>          // for align_val_t
#include <span>         // for span
#include <type_traits>  // for is_trivially_copyable_v
#include <vector>       // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t cache_line = 64;

struct cache_line_delete {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t{cache_line}); }
};
using cache_aligned_bytes = std::unique_ptr<std::byte[], cache_line_delete>;

/// `size` uninitialised bytes on a cache line's boundary, with the kernels' over-read allowance behind them.
[[nodiscard]] inline cache_aligned_bytes allocate_aligned(std::size_t size) {
    const std::size_t padded = round_up(size, cache_line) + simd::over_read;
    return cache_aligned_bytes(static_cast<std::byte*>(::operator new[](padded, std::align_val_t{cache_line})));
}

/// Fixed-size rows in chunks of a power of two of rows. Or, for a mapped file, rows of somebody else's in one piece.
/// Threads: readers may use any row that was published to them while one writer reserves more.
class chunked_rows {
  public:
    /// row_bytes  bytes used of each row;  alignment  of each row, a power of two up to a cache line
    explicit chunked_rows(std::size_t row_bytes, std::size_t alignment = 1)
        : row_bytes_(row_bytes), stride_(std::max(round_up(row_bytes, alignment), alignment)) {
        constexpr std::size_t chunk_target = std::size_t{256} << 10;
        shift_ = std::max(6U, static_cast<unsigned>(std::bit_width(chunk_target / stride_)));
    }

    /// Uses `rows` rows lying `stride()` apart at `data` instead of memory of its own; they are never written.
    void borrow(const std::byte* data, std::size_t rows) {
        std::vector<std::byte*> chunk(1, const_cast<std::byte*>(data));
        owned_.clear();
        chunks_ = std::move(chunk);
        shift_ = 31;
        borrowed_ = rows;
    }

    /// Makes rows [0, rows) exist. Strong guarantee; existing rows stay where they are. New rows are uninitialised.
    void reserve(std::size_t rows) {
        const std::size_t per_chunk = std::size_t{1} << shift_;
        const std::size_t wanted = (rows + per_chunk - 1) >> shift_;
        if (wanted > chunks_.capacity()) {
            const std::size_t room = std::max(wanted, chunks_.size() * 2);
            owned_.reserve(room);
            chunks_.reserve(room);
        }
        while (chunks_.size() < wanted) {
            owned_.push_back(allocate_aligned(per_chunk * stride_));
            chunks_.push_back(owned_.back().get());
        }
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return chunks_.size() << shift_; }
    [[nodiscard]] std::size_t rows_per_chunk() const noexcept { return std::size_t{1} << shift_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    /// Bytes of memory this object owns.
    [[nodiscard]] std::size_t memory() const noexcept {
        return owned_.size() * ((stride_ << shift_) + simd::over_read) + chunks_.capacity() * 2 * sizeof(void*);
    }

    [[nodiscard]] VICINAL_INLINE const std::byte* operator[](slot_t slot) const noexcept { return table()[slot]; }
    [[nodiscard]] VICINAL_INLINE std::byte* operator[](slot_t slot) noexcept {
        return const_cast<std::byte*>(table()[slot]);
    }
    [[nodiscard]] VICINAL_INLINE simd::row_table table() const noexcept { return {chunks_.data(), stride_, shift_}; }

  private:
    std::size_t row_bytes_;
    std::size_t stride_;
    unsigned shift_;
    std::size_t borrowed_ = 0;
    std::vector<cache_aligned_bytes> owned_;
    std::vector<std::byte*> chunks_;
};

/// One T per row, as `chunked_rows` keeps them.
template <class T>
class chunked_array {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    void reserve(std::size_t count) { rows_.reserve(count); }
    void borrow(const std::byte* data, std::size_t count) { rows_.borrow(data, count); }
    [[nodiscard]] std::size_t capacity() const noexcept { return rows_.capacity(); }
    [[nodiscard]] std::size_t memory() const noexcept { return rows_.memory(); }
    [[nodiscard]] VICINAL_INLINE T& operator[](slot_t slot) noexcept { return *reinterpret_cast<T*>(rows_[slot]); }
    [[nodiscard]] VICINAL_INLINE const T& operator[](slot_t slot) const noexcept {
        return *reinterpret_cast<const T*>(rows_[slot]);
    }

  private:
    chunked_rows rows_{sizeof(T), alignof(T)};
};

}  // namespace detail

VICINAL_NAMESPACE_END
