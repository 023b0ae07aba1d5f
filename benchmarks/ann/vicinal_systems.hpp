// SPDX-License-Identifier: MIT
// Every vicinal index over every codec, for one metric. Each metric is instantiated in a source file of its own, so
// that they compile side by side.
#pragma once

#include <numeric>      // for iota
#include <type_traits>  // for type_identity
#include <utility>      // for move
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>
#include <vicinal/ivf.hpp>

#include "system.hpp"

namespace bench {

/// How to make one index type.
struct vicinal_maker {
    std::string name;
    knob searched_by = knob::none;
    std::unique_ptr<system> (*make)(std::size_t dim, const build_params& params) = nullptr;
};

/// All of them, in the same order for every metric.
template <class Metric>
[[nodiscard]] std::vector<vicinal_maker> vicinal_makers();

template <class Metric>
[[nodiscard]] matrix<std::uint32_t> flat_neighbors(const matrix<float>& base, const matrix<float>& queries,
                                                   std::size_t k, std::size_t threads);

/// What is measured; add a codec here.
template <class... Codecs>
struct codec_list {};
using measured_codecs =
    codec_list<vicinal::f32, vicinal::f16, vicinal::bf16, vicinal::sq8, vicinal::two_level<vicinal::sq8, vicinal::f32>,
               vicinal::two_level<vicinal::sq4, vicinal::f32>, vicinal::two_level<vicinal::sq4, vicinal::sq8>>;
/// The same for scans alone: flat and ivf.
using measured_scan_codecs = codec_list<vicinal::pq, vicinal::two_level<vicinal::pq, vicinal::f32>,
                                        vicinal::two_level<vicinal::rabitq<1>, vicinal::f32>>;

// ---- the three kinds of index: what to call them, how to make one, what a search takes

template <class Metric, class Codec>
struct flat_kind {
    static constexpr std::string_view name = "flat";
    static constexpr knob searched_by = knob::none;
    using index = vicinal::flat_index<Metric, Codec>;

    static index make(std::size_t dim, const build_params&) { return index(dim); }
    static std::size_t search(const index& on, std::span<const float> query, std::span<vicinal::neighbor<>> out,
                              std::size_t) {
        return on.search(query, out);
    }
};

template <class Metric, class Codec>
struct ivf_kind {
    static constexpr std::string_view name = "ivf";
    static constexpr knob searched_by = knob::nprobe;
    using index = vicinal::ivf_index<Metric, Codec>;

    static index make(std::size_t dim, const build_params& params) {
        return index(dim, {.lists = params.lists, .seed = params.seed});
    }
    static std::size_t search(const index& on, std::span<const float> query, std::span<vicinal::neighbor<>> out,
                              std::size_t nprobe) {
        return on.search(query, out, {.nprobe = nprobe});
    }
};

template <class Metric, class Codec>
struct hnsw_kind {
    static constexpr std::string_view name = "hnsw";
    static constexpr knob searched_by = knob::ef;
    using index = vicinal::hnsw_index<Metric, Codec>;

    static index make(std::size_t dim, const build_params& params) {
        return index(dim, {.degree = params.degree, .ef_construction = params.ef_construction, .seed = params.seed});
    }
    static std::size_t search(const index& on, std::span<const float> query, std::span<vicinal::neighbor<>> out,
                              std::size_t ef) {
        return on.search(query, out, {.ef = ef});
    }
};

// ---- definitions; explicitly instantiated in vicinal_<metric>.cpp

namespace detail {

[[nodiscard]] inline vicinal::matrix_view<const float> view(const matrix<float>& m) {
    return {m.values.data(), m.rows, m.dim};
}

template <class Index>
void add_rows(Index& index, const matrix<float>& base, std::size_t threads) {
    std::vector<std::uint64_t> ids(base.rows);
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    index.add(ids, view(base), {.threads = threads});
}

template <class Kind>
class vicinal_system final : public system {
  public:
    vicinal_system(std::size_t dim, const build_params& params)
        : index_(Kind::make(dim, params)), threads_(params.threads), reorder_(params.reorder) {}

    void build(const matrix<float>& base) override {
        add_rows(index_, base, threads_);
        if constexpr (requires { index_.reorder(); })
            if (reorder_) index_.reorder();
    }

    std::size_t search(std::span<const float> query, std::size_t value, std::span<std::uint32_t> out) override {
        hits_.resize(out.size());
        const std::size_t count = Kind::search(index_, query, hits_, value);
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint32_t>(hits_[i].id);
        return count;
    }

    [[nodiscard]] std::optional<std::size_t> bytes() const override { return index_.memory().total; }

  private:
    typename Kind::index index_;
    std::size_t threads_;
    bool reorder_;
    std::vector<vicinal::neighbor<>> hits_;
};

/// A codec's own name, or the names of a two_level's codecs as in "sq8+f32".
template <class Codec>
[[nodiscard]] std::string name_of() {
    if constexpr (vicinal::codec<Codec>)
        return std::string(std::string_view(Codec::name));
    else
        return name_of<typename Codec::coarse>() + "+" + name_of<typename Codec::fine>();
}

template <class Kind, class Codec>
[[nodiscard]] vicinal_maker maker() {
    return {std::string(Kind::name) + ":" + name_of<Codec>(), Kind::searched_by,
            [](std::size_t dim, const build_params& params) -> std::unique_ptr<system> {
                return std::make_unique<vicinal_system<Kind>>(dim, params);
            }};
}

template <class Metric, class... Codecs, class... ScanCodecs>
[[nodiscard]] std::vector<vicinal_maker> makers(codec_list<Codecs...>, codec_list<ScanCodecs...>) {
    return {maker<flat_kind<Metric, Codecs>, Codecs>()..., maker<ivf_kind<Metric, Codecs>, Codecs>()...,
            maker<flat_kind<Metric, ScanCodecs>, ScanCodecs>()..., maker<ivf_kind<Metric, ScanCodecs>, ScanCodecs>()...,
            maker<hnsw_kind<Metric, Codecs>, Codecs>()...};
}

}  // namespace detail

template <class Metric>
std::vector<vicinal_maker> vicinal_makers() {
    return detail::makers<Metric>(measured_codecs{}, measured_scan_codecs{});
}

template <class Metric>
matrix<std::uint32_t> flat_neighbors(const matrix<float>& base, const matrix<float>& queries, std::size_t k,
                                     std::size_t threads) {
    vicinal::flat_index<Metric, vicinal::f32> index(base.dim);
    detail::add_rows(index, base, threads);
    const auto table = index.search(detail::view(queries), k, {.threads = threads});
    matrix<std::uint32_t> truth{queries.rows, k, std::vector<std::uint32_t>(queries.rows * k)};
    for (std::size_t query = 0; query < queries.rows; ++query)
        for (std::size_t i = 0; i < k; ++i) truth[query][i] = static_cast<std::uint32_t>(table[query][i].id);
    return truth;
}

extern template std::vector<vicinal_maker> vicinal_makers<vicinal::l2>();
extern template std::vector<vicinal_maker> vicinal_makers<vicinal::inner_product>();
extern template std::vector<vicinal_maker> vicinal_makers<vicinal::cosine>();
extern template matrix<std::uint32_t> flat_neighbors<vicinal::l2>(const matrix<float>&, const matrix<float>&,
                                                                  std::size_t, std::size_t);
extern template matrix<std::uint32_t> flat_neighbors<vicinal::inner_product>(const matrix<float>&, const matrix<float>&,
                                                                             std::size_t, std::size_t);
extern template matrix<std::uint32_t> flat_neighbors<vicinal::cosine>(const matrix<float>&, const matrix<float>&,
                                                                      std::size_t, std::size_t);

}  // namespace bench
