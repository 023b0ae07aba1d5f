// SPDX-License-Identifier: MIT
// faiss: flat, IVF-Flat and HNSW-Flat, one query a call, one OpenMP thread while searching.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/utils/utils.h>
#include <omp.h>

#include <algorithm>  // for transform

#include "normalize.hpp"
#include "system.hpp"

namespace bench {
namespace {

int to_int(std::size_t value) { return static_cast<int>(value); }

faiss::MetricType faiss_metric(metric distance) {
    return distance == metric::l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
}

/// What the three indexes share; `Index` says how to make one and how to set its search parameter.
template <class Index>
class faiss_system final : public system {
  public:
    faiss_system(std::size_t dim, const build_params& params)
        : params_(params), index_(dim, params), normalized_query_(dim) {}

    void build(const matrix<float>& base) override {
        omp_set_num_threads(to_int(params_.threads));
        const auto rows = static_cast<faiss::Index::idx_t>(base.rows);
        if (params_.distance == metric::cosine) {
            matrix<float> units{base.rows, base.dim, std::vector<float>(base.values.size())};
            for (std::size_t row = 0; row < base.rows; ++row) normalize(base[row], units[row]);
            train_and_add(rows, units.values.data());
        } else {
            train_and_add(rows, base.values.data());
        }
        omp_set_num_threads(1);
    }

    std::size_t search(std::span<const float> query, std::size_t value, std::span<std::uint32_t> out) override {
        if (params_.distance == metric::cosine) {
            normalize(query, normalized_query_);
            query = normalized_query_;
        }
        labels_.resize(out.size());
        distances_.resize(out.size());
        index_.set(value);
        index_.index.search(1, query.data(), static_cast<faiss::Index::idx_t>(out.size()), distances_.data(),
                            labels_.data());
        // Where fewer were found, the rest of the labels is -1.
        const auto end = std::find(labels_.begin(), labels_.end(), faiss::Index::idx_t{-1});
        std::transform(labels_.begin(), end, out.begin(), [](auto label) { return static_cast<std::uint32_t>(label); });
        return static_cast<std::size_t>(end - labels_.begin());
    }

  private:
    void train_and_add(faiss::Index::idx_t rows, const float* data) {
        index_.index.train(rows, data);
        index_.index.add(rows, data);
    }

    build_params params_;
    Index index_;
    std::vector<float> normalized_query_;
    std::vector<faiss::Index::idx_t> labels_;
    std::vector<float> distances_;
};

struct flat {
    flat(std::size_t dim, const build_params& params) : index(to_int(dim), faiss_metric(params.distance)) {}
    void set(std::size_t) noexcept {}

    faiss::IndexFlat index;
};

struct ivf {
    ivf(std::size_t dim, const build_params& params)
        : quantizer(to_int(dim), faiss_metric(params.distance)),
          index(&quantizer, dim, params.lists, faiss_metric(params.distance)) {}
    void set(std::size_t nprobe) noexcept { index.nprobe = nprobe; }

    faiss::IndexFlat quantizer;
    faiss::IndexIVFFlat index;
};

struct hnsw {
    hnsw(std::size_t dim, const build_params& params)
        : index(to_int(dim), to_int(params.degree), faiss_metric(params.distance)) {
        index.hnsw.efConstruction = to_int(params.ef_construction);
    }
    void set(std::size_t ef) noexcept { index.hnsw.efSearch = to_int(ef); }

    faiss::IndexHNSWFlat index;
};

template <class Index>
system_entry entry(const char* name, knob searched_by) {
    const std::string library = "faiss " + std::to_string(FAISS_VERSION_MAJOR) + "." +
                                std::to_string(FAISS_VERSION_MINOR) + "." + std::to_string(FAISS_VERSION_PATCH) +
                                " (compiled for: " + faiss::get_compile_options() + ")";
    return {name, library, searched_by, [](std::size_t dim, const build_params& params) {
                return std::make_unique<faiss_system<Index>>(dim, params);
            }};
}

}  // namespace

std::vector<system_entry> faiss_systems() {
    return {entry<hnsw>("faiss-hnsw", knob::ef), entry<ivf>("faiss-ivf", knob::nprobe),
            entry<flat>("faiss-flat", knob::none)};
}

}  // namespace bench
