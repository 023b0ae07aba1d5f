// SPDX-License-Identifier: MIT
// The table of kernels that a program chooses when it runs, one table for each level of instruction sets. It lies
// between objects that are compiled with different flags, so all in it is plain: pointers, numbers and structs of them,
// outside of the library's namespace, whose name depends on those flags. Names that linkers see hold the version.
#pragma once

#include <atomic>   // for atomic
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t

#include "vicinal/version.hpp"

// VICINAL_DISPATCH_NAME(x) is what x of this version is called.
#define VICINAL_DISPATCH_NAME_2(major, minor, patch, x) vicinal_dispatch_##major##_##minor##_##patch##_##x
#define VICINAL_DISPATCH_NAME_1(major, minor, patch, x) VICINAL_DISPATCH_NAME_2(major, minor, patch, x)
#define VICINAL_DISPATCH_NAME(x) \
    VICINAL_DISPATCH_NAME_1(VICINAL_VERSION_MAJOR, VICINAL_VERSION_MINOR, VICINAL_VERSION_PATCH, x)

namespace vicinal_dispatch {

using std::size_t;
using bytes = const std::byte*;

// ---- which kernels: the first places in arrays of them

enum metric : unsigned char { l2, inner_product, cosine, squares_of_row, plain_sum, metrics };
enum codec : unsigned char { f32, f16, bf16, sq8, sq4, pq, codecs };
enum sum : unsigned char { product, squared_difference, weighted_difference, sums };
inline constexpr size_t most_bits = 8;       ///< of rabitq
inline constexpr size_t most_of_panel = 32;  ///< queries
inline constexpr size_t most_rows = 192;     ///< of `collect`

// ---- what kernels are told, as the structs of these names in simd/, core/ and codec/ have it

/// What `load` of a codec reads: lows and steps of sq8 and sq4, the codebook of pq.
struct codec_view {
    size_t code_size;
    const float* lows;
    const float* steps;
    const float* codebook;
};
/// detail::row_table
struct row_places {
    const std::uintptr_t* origins;
    size_t stride;
    unsigned shift;
    unsigned lines_ahead;
};
/// simd::integer_scale
struct scale {
    std::int32_t multiple;
    std::int64_t plus;
    float factor;
    float offset;
};
/// simd::scan_scale
struct lookup_scale {
    float step;
    float low;
};
/// simd::sign_query
struct sign_query {
    size_t factors_size;
    const std::uint8_t* tables;
    size_t width;
    lookup_scale scale;
    float base, slack, width_of_terms;
};
/// simd::pca_query
struct pca_query {
    size_t factors_size;
    const std::int16_t* weights;
    size_t width;
    std::int32_t zero;
    float base, scale, along, off;
};
/// simd::rotation_view
struct rotation {
    size_t dim;
    size_t size;
    size_t window;
    const float* signs;
};

// ---- kernels: simd/kernel_policy.hpp lists them. Queries of integers are of 16 bits for codes of 8, of 8 bits for 4.

using score_list_kernel = void (*)(const codec_view&, const float* query, size_t dim, const row_places&,
                                   const std::uint32_t* slots, size_t count, float* out) noexcept;
using score_block_kernel = void (*)(const codec_view&, const float* query, size_t dim, bytes first, size_t stride,
                                    size_t count, float* out, size_t ahead) noexcept;
using decode_kernel = void (*)(const codec_view&, bytes row, size_t dim, float* out) noexcept;
using weigh_kernel = scale (*)(const codec_view&, bytes row, const float* lows, const float* steps, size_t dim,
                               void* out) noexcept;
using integer_list_kernel = void (*)(const scale&, const void* query, size_t dim, const row_places&,
                                     const std::uint32_t* slots, size_t count, float* out) noexcept;
using integer_scan_kernel = std::uint64_t (*)(const void* query, size_t dim, unsigned shift, bytes first, size_t stride,
                                              size_t count, std::int32_t limit, size_t ahead) noexcept;

/// Kernels of codes of 8 or 4 bits.
struct integer_kernels {
    weigh_kernel weigh_query[2];  ///< of floats, of a row's code
    void (*round_query)(const float* query, size_t dim, float low, float scale, void* out) noexcept;
    void (*query_from_code)(bytes code, size_t dim, void* out) noexcept;
    integer_list_kernel list[sums];  ///< no weighted differences of 4 bits
    integer_scan_kernel scan[sums];  ///< none unless scans_integers
};

struct kernel_table {
    const char* level;
    size_t panel_size;
    bool scans_integers;

    score_list_kernel score_list[metrics][codecs];  ///< no plain_sum
    score_block_kernel score_block[metrics][codecs];
    decode_kernel decode[codecs];
    score_list_kernel score_rotated[2][most_bits];  ///< l2 and plain_sum of rabitq codes; query and dim are the width's

    integer_kernels of_8_bits;
    integer_kernels of_4_bits;
    void (*query_from_weighted_code)(bytes code, const std::int16_t* weights, size_t dim, std::int16_t* out) noexcept;

    void (*bit_list[2])(bytes query, size_t size, const row_places&, const std::uint32_t* slots, size_t count,
                        float* out) noexcept;  ///< of differing bits, of common ones
    void (*bit_block[2])(bytes query, size_t size, bytes first, size_t stride, size_t count, float* out,
                         size_t ahead) noexcept;

    float (*plane_lookup[2])(const float* codebook, float x, float y, float* entries,
                             float* most) noexcept;  ///< products, differences
    void (*round_to_bytes)(const float* entries, size_t count, float scale, float half, unsigned highest,
                           std::uint8_t* out) noexcept;
    std::uint64_t (*table_sums[2])(bytes first, size_t stride, size_t count, const std::uint8_t* tables, size_t dim,
                                   size_t ahead, float limit, float* out) noexcept;  ///< 2 and 4 together
    void (*make_columns)(bytes first, size_t stride, size_t count, size_t of_a_code, std::uint8_t* columns) noexcept;
    std::uint64_t (*column_sums)(const std::uint8_t* columns, size_t count, const std::uint8_t* tables, size_t dim,
                                 float limit, float* out) noexcept;  ///< 4 together
    lookup_scale (*make_lookup_tables)(const float* query, size_t dim, std::uint8_t* tables) noexcept;
    void (*sign_bounds[2])(bytes first, size_t stride, size_t count, const sign_query&, size_t ahead, float largest,
                           float* out) noexcept;  ///< of products, of squares
    void (*column_bounds[2])(const std::uint8_t* columns, bytes first, size_t stride, size_t count, const sign_query&,
                             float largest, float* out) noexcept;  ///< of products, of squares
    void (*pca_bounds[2])(bytes first, size_t stride, size_t count, const pca_query&, float lowest, float* out,
                          size_t ahead) noexcept;  ///< of squares, of products
    std::uint32_t (*not_above_32)(const float* values, float limit) noexcept;

    void (*rotate)(const rotation&, const float* vector, float* out, float* spare) noexcept;
    void (*rotate_back)(const rotation&, float* rotated, float* out, float* spare) noexcept;
    float (*dot)(const float* a, const float* b, size_t size) noexcept;
    float (*subtract)(const float* a, const float* b, size_t size, float* out) noexcept;
    void (*project_tile)(const float* relative, const float* directions, size_t dim, double* out) noexcept;

    void (*pack)(const float* const* query, size_t count, size_t dim, float* panel) noexcept;
    void (*collect)(const float* panel, size_t size, size_t dim, const float* const* row_at, size_t count,
                    const float* least, const float* slope, const float* term, std::uint16_t* counts,
                    std::uint16_t (*lists)[most_rows]) noexcept;
};

/// What a processor has, as bits, and what was made of it.
struct choice {
    const kernel_table* table;
    std::uint32_t features;
    const char* cap;  ///< what VICINAL_MAX_ISA says, or null
    bool cap_known;   ///< whether that is a level of this architecture
};

}  // namespace vicinal_dispatch

extern "C" {
/// The chosen table, null until `choose` was called.
extern std::atomic<const vicinal_dispatch::kernel_table*> VICINAL_DISPATCH_NAME(chosen);
/// Chooses the table, the first time it is called, and says how. Any thread may call it.
const vicinal_dispatch::choice* VICINAL_DISPATCH_NAME(choose)() noexcept;
}
