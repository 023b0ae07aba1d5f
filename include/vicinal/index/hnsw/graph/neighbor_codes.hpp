// What a graph over packed<Fine> knows of its links' targets: a sign per component, and two numbers, for each link.
#pragma once

#include <algorithm>  // for copy_n, fill, fill_n, find
#include <bit>        // for bit_cast
#include <cmath>      // for abs
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint8_t, uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/simd/fast_scan.hpp"
#include "vicinal/simd/rotation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A query as neighbour codes are scanned by: rotated, and tabulated.
struct scan_query {
    padded_vector rotated;
    padded_vector spare;
    padded_vector tables;
    simd::scan_scale scale;

    [[nodiscard]] std::size_t memory() const noexcept {
        return (rotated.span().size() + spare.span().size() + tables.span().size()) * sizeof(float);
    }
};

/// Codes of the level-0 links of every row, by RaBitQ (Gao, Long 2024) relative to the row itself. With d = neighbour -
/// row, R the rotation and s the signs of R d, <R v, s> |d|^2 / |R d|_1 is an estimate of <v, d> for any v, without
/// bias over R. Hence, for a query q at distance D from row c,
///     l2                     |q - n|^2  is about  D + |d|^2 + 2 f <R c, s> - 2 f <R q, s>     with f = |d|^2 / |R d|_1
///     inner_product, cosine  the same for -<q, n>:  D - <c, d> + f <R c, s> - f <R q, s>
/// where only <R q, s> depends on the query: a sum of table entries. The rest are a link's offset and factor. Of inner
/// products the second line holds with any point c' in place of c, and is the better the closer that is to q; it is c
/// less what rows have in common (link_distances.hpp), as queries may not share it.
///
/// A row has ceil(capacity / 32) blocks of 32 links: codes as simd/fast_scan.hpp wants them, and 32 offsets and 32
/// factors; zeros where there is no link. Threads: as for chunked_rows.
template <class Metric, class Fine, class Isa>
class neighbor_codes {
    using isa = typename Isa::isa;
    static constexpr std::size_t lanes = simd::scan_lanes;
    static constexpr bool squares = Metric::form == sum_form::squared_difference;

  public:
    /// One row, made beside readers.
    struct row {
        std::vector<std::byte> codes;
        std::vector<float> factors;
    };

    neighbor_codes(std::size_t dim, std::size_t capacity)
        : rotation_(dim),
          capacity_(capacity),
          codes_(blocks() * block_bytes(), cache_line),
          factors_(blocks() * block_factors * sizeof(float), cache_line) {}

    [[nodiscard]] std::size_t blocks() const noexcept { return (capacity_ + lanes - 1) / lanes; }
    [[nodiscard]] std::size_t code_bytes() const noexcept { return codes_.row_bytes(); }
    [[nodiscard]] std::size_t factor_count() const noexcept { return factors_.row_bytes() / sizeof(float); }
    [[nodiscard]] std::size_t memory() const noexcept { return codes_.memory() + factors_.memory(); }
    [[nodiscard]] std::size_t reserved() const noexcept { return codes_.reserved() + factors_.reserved(); }
    /// While nothing is kept yet. The rotation stays, which at a large dimension is larger than many a file.
    void set_capacity(std::size_t capacity) {
        capacity_ = capacity;
        codes_ = chunked_rows(blocks() * block_bytes(), cache_line);
        factors_ = chunked_rows(blocks() * block_factors * sizeof(float), cache_line);
    }
    void reserve(std::size_t rows) {
        codes_.reserve(rows);
        factors_.reserve(rows);
    }
    void touch(std::size_t rows) noexcept {
        codes_.touch(rows);
        factors_.touch(rows);
    }
    /// As hnsw_graph::give_back.
    void give_back(std::size_t rows, bool at_once) noexcept {
        for (chunked_rows* const array : {&codes_, &factors_}) at_once ? array->fit(rows) : array->give_back(rows);
    }
    void borrow(std::span<const std::byte> codes, std::span<const float> factors) noexcept {
        codes_.borrow(codes.data());
        factors_.borrow(reinterpret_cast<const std::byte*>(factors.data()));
    }
    /// Calls f(rows, count) for what is kept of the first `count` rows.
    template <class F>
    void for_each_array(F&& f, std::size_t count) {
        f(codes_, count);
        f(factors_, count);
    }
    [[nodiscard]] std::span<const std::byte> codes(slot_t slot) const noexcept { return {codes_[slot], code_bytes()}; }
    [[nodiscard]] std::span<const float> factors(slot_t slot) const noexcept {
        return {reinterpret_cast<const float*>(factors_[slot]), factor_count()};
    }
    /// Whether nothing is kept of links from the `count`-th on.
    [[nodiscard]] bool is_zero_beyond(slot_t slot, std::size_t count) const noexcept {
        for (std::size_t i = count; i < blocks() * lanes; ++i) {
            const std::byte* const signs = codes_[slot] + i / lanes * block_bytes() + simd::scan_place(i % lanes);
            for (std::size_t at = 0; at < block_bytes(); at += lanes)
                if (signs[at] != std::byte{0}) return false;
            const float* const both = factors(slot).data() + i / lanes * block_factors + i % lanes;
            if (std::bit_cast<std::uint32_t>(both[0]) != 0 || std::bit_cast<std::uint32_t>(both[lanes]) != 0)
                return false;
        }
        return true;
    }
    /// Puts a row in place. Readers are out.
    void set(slot_t slot, std::span<const std::byte> codes, std::span<const float> factors) noexcept {
        std::copy_n(codes.data(), codes.size(), codes_[slot]);
        std::copy_n(factors.data(), factors.size(), reinterpret_cast<float*>(factors_[slot]));
    }
    void set(slot_t slot, const row& made) noexcept { set(slot, made.codes, made.factors); }
    /// Of a row without links. Readers are out.
    void clear(slot_t slot) noexcept {
        std::fill_n(codes_[slot], code_bytes(), std::byte{0});
        std::fill_n(reinterpret_cast<float*>(factors_[slot]), factor_count(), 0.0F);
    }

    // ---- making
    // --------------------------------------------------------------------------------------------------------

    /// Buffers of one thread that makes rows.
    class maker {
      public:
        /// mean  what rows have in common: rows' products with queries are estimated as if it were taken off the row
        maker(const neighbor_codes& of, const code_store<Fine>& store, std::span<const float> mean = {})
            : of_(of),
              store_(store),
              mean_(mean),
              center_(store.dim()),
              other_(store.dim()),
              rotated_center_(of.rotation_.size()),
              rotated_(of.rotation_.size()),
              spare_(of.rotation_.size()) {}

        /// The codes of `links` of row `slot`, which has `had` links now: what is known of those is kept, by whatever mean it was
        /// made.
        void make(slot_t slot, std::span<const slot_t> links, std::span<const slot_t> had, row& out) {
            out.codes.assign(of_.code_bytes(), std::byte{0});
            out.factors.assign(of_.factor_count(), 0.0F);
            bool ready = false;
            for (std::size_t i = 0; i < links.size(); ++i) {
                const std::size_t was =
                    static_cast<std::size_t>(std::find(had.begin(), had.end(), links[i]) - had.begin());
                if (was < had.size()) {
                    keep(slot, was, i, out);
                    continue;
                }
                if (!ready) {
                    store_.read(slot, center_);
                    reference_ = center_;
                    for (std::size_t k = 0; k < mean_.size(); ++k) reference_[k] -= mean_[k];
                    of_.rotation_.template apply<isa>(reference_.data(), rotated_center_.data(), spare_.data());
                    ready = true;
                }
                add(links[i], i, out);
            }
        }

      private:
        void keep(slot_t slot, std::size_t from, std::size_t to, row& out) const noexcept {
            simd::copy_signs(of_.codes(slot).data() + from / lanes * of_.block_bytes(), from % lanes,
                             out.codes.data() + to / lanes * of_.block_bytes(), to % lanes, of_.rotation_.size());
            const auto factors = of_.factors(slot);
            for (const std::size_t which : {std::size_t{0}, lanes})
                out.factors[to / lanes * block_factors + which + to % lanes] =
                    factors[from / lanes * block_factors + which + from % lanes];
        }
        void add(slot_t link, std::size_t at, row& out) {
            store_.read(link, other_);
            double squares_of_d = 0;
            double with_center = 0;
            for (std::size_t i = 0; i < other_.size(); ++i) {
                const double d = double{other_[i]} - double{center_[i]};
                squares_of_d += d * d;
                with_center += d * double{reference_[i]};
                other_[i] = static_cast<float>(d);
            }
            of_.rotation_.template apply<isa>(other_.data(), rotated_.data(), spare_.data());
            simd::set_signs(out.codes.data() + at / lanes * of_.block_bytes(), at % lanes, rotated_.data(),
                            rotated_.size());
            double total = 0;
            double center = 0;
            for (std::size_t i = 0; i < rotated_.size(); ++i) {
                total += std::abs(double{rotated_[i]});
                center += rotated_[i] >= 0.0F ? double{rotated_center_[i]} : -double{rotated_center_[i]};
            }
            const double factor = total > 0 ? squares_of_d / total : 0.0;
            const double offset = squares ? squares_of_d + 2.0 * factor * center : factor * center - with_center;
            float* const block = out.factors.data() + at / lanes * block_factors + at % lanes;
            block[0] = finite(offset);
            block[lanes] = finite(squares ? -2.0 * factor : -factor);
        }
        [[nodiscard]] static float finite(double x) noexcept {
            constexpr double most = std::numeric_limits<float>::max();
            return static_cast<float>(x > most ? most : x < -most ? -most : x);
        }

        const neighbor_codes& of_;
        const code_store<Fine>& store_;
        std::span<const float> mean_;
        std::vector<float> center_;
        std::vector<float> reference_;  // c' of the formulas
        std::vector<float> other_;
        std::vector<float> rotated_center_;
        std::vector<float> rotated_;
        std::vector<float> spare_;
    };

    // ---- scanning
    // ------------------------------------------------------------------------------------------------------

    /// query  dim prepared floats
    void prepare(const float* query, scan_query& out) const {
        out.rotated.resize(rotation_.size());
        out.spare.resize(rotation_.size());
        out.tables.resize(rotation_.size());
        rotation_.template apply<isa>(query, out.rotated.data(), out.spare.data());
        out.scale = simd::make_tables<simd::lanes<isa>>(out.rotated.data(), rotation_.size(),
                                                        reinterpret_cast<std::uint8_t*>(out.tables.data()));
    }
    VICINAL_INLINE void prefetch(slot_t slot) const noexcept {
        simd::prefetch_lines(codes_[slot], codes_.row_bytes(), 64);
        simd::prefetch_lines(factors_[slot], factors_.row_bytes());
    }
    /// Estimates of the query's distances to the links in block `block` of row `slot`, which is itself at `distance`.
    VICINAL_INLINE void scan(const scan_query& query, slot_t slot, std::size_t block, float distance,
                             float* out) const noexcept {
        const auto* const factors = reinterpret_cast<const float*>(factors_[slot]) + block * block_factors;
        simd::scan_32<simd::lanes<isa>>(codes_[slot] + block * block_bytes(),
                                        reinterpret_cast<const std::uint8_t*>(query.tables.data()), rotation_.size(),
                                        query.scale, distance, factors, factors + lanes, out);
    }

    /// Which of 32 estimates are not above `limit`, as bits.
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* estimates, float limit) noexcept {
        return simd::not_above_32<simd::lanes<isa>>(estimates, limit);
    }

  private:
    static constexpr std::size_t block_factors = 2 * lanes;
    [[nodiscard]] std::size_t block_bytes() const noexcept { return simd::scan_bytes(rotation_.size()); }

    simd::rotation rotation_;
    std::size_t capacity_;
    chunked_rows codes_;
    chunked_rows factors_;
};

/// Where a codec keeps none.
struct no_neighbor_codes {
    struct row {};
    no_neighbor_codes(std::size_t, std::size_t) noexcept {}
    [[nodiscard]] static std::size_t memory() noexcept { return 0; }
    [[nodiscard]] static std::size_t reserved() noexcept { return 0; }
    static void set_capacity(std::size_t) noexcept {}
    static void reserve(std::size_t) noexcept {}
    static void touch(std::size_t) noexcept {}
    static void give_back(std::size_t, bool) noexcept {}
    static void clear(slot_t) noexcept {}
};

}  // namespace detail

VICINAL_NAMESPACE_END
