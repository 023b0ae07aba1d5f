// SPDX-License-Identifier: MIT
// What ann_bench measures: anything that builds over rows and answers one query at a time.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <functional>   // for function
#include <memory>       // for unique_ptr
#include <optional>     // for optional
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "../dataset/matrix.hpp"

namespace bench {

enum class metric : std::uint8_t { l2, inner_product, cosine };

[[nodiscard]] constexpr std::string_view to_string(metric m) noexcept {
    switch (m) {
        case metric::l2: return "l2";
        case metric::inner_product: return "ip";
        case metric::cosine: return "cosine";
    }
    return "unknown";
}

/// The parameter a system's search takes; it decides which list of values is swept.
enum class knob : std::uint8_t { none, ef, nprobe };

[[nodiscard]] constexpr std::string_view to_string(knob k) noexcept {
    switch (k) {
        case knob::none: return "-";
        case knob::ef: return "ef";
        case knob::nprobe: return "nprobe";
    }
    return "unknown";
}

/// How to build, in the words of vicinal; a system reads what applies to it.
struct build_params {
    metric distance = metric::l2;
    std::size_t degree = 16;            ///< M of HNSW
    std::size_t ef_construction = 200;  ///< ef_construction of HNSW
    std::size_t lists = 1024;           ///< nlist of IVF
    std::size_t threads = 1;
    std::uint64_t seed = 7;
    bool reorder = false;  ///< put a graph's rows in order when they are in
};

class system {
  public:
    system() = default;
    system(const system&) = delete;
    system& operator=(const system&) = delete;
    virtual ~system() = default;

    /// Called once. Row i is known as i afterwards.
    virtual void build(const matrix<float>& base) = 0;

    /// Writes up to out.size() row numbers, closest first, and returns how many. One thread at a time.
    virtual std::size_t search(std::span<const float> query, std::size_t value_of_knob,
                               std::span<std::uint32_t> out) = 0;

    /// The bytes the index says it holds, if it says.
    [[nodiscard]] virtual std::optional<std::size_t> bytes() const { return std::nullopt; }
};

/// A line in the table of what can be measured.
struct system_entry {
    std::string name;     ///< as in --index
    std::string library;  ///< with its version
    knob searched_by = knob::none;
    std::function<std::unique_ptr<system>(std::size_t dim, const build_params& params)> make;
};

/// One function per library; those of absent libraries are not linked.
[[nodiscard]] std::vector<system_entry> vicinal_systems();
[[nodiscard]] std::vector<system_entry> hnswlib_systems();
[[nodiscard]] std::vector<system_entry> faiss_systems();

/// The k base rows closest to each query, closest first, by vicinal::flat_index over f32.
[[nodiscard]] matrix<std::uint32_t> exact_neighbors(metric distance, const matrix<float>& base,
                                                    const matrix<float>& queries, std::size_t k, std::size_t threads);

}  // namespace bench
