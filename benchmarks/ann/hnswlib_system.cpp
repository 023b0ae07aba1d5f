// SPDX-License-Identifier: MIT
// hnswlib, used as its own examples use it. Its header defines functions that are not inline: include it here only.
#include <hnswlib/hnswlib.h>

#include <atomic>   // for atomic
#include <thread>   // for thread
#include <utility>  // for move

#include "normalize.hpp"
#include "system.hpp"

#ifndef VICINAL_BENCH_HNSWLIB_VERSION
#define VICINAL_BENCH_HNSWLIB_VERSION "of unknown version"
#endif

namespace bench {
namespace {

std::unique_ptr<hnswlib::SpaceInterface<float>> make_space(std::size_t dim, metric distance) {
    if (distance == metric::l2) return std::make_unique<hnswlib::L2Space>(dim);
    return std::make_unique<hnswlib::InnerProductSpace>(dim);
}

class hnswlib_system final : public system {
  public:
    hnswlib_system(std::size_t dim, const build_params& params)
        : params_(params), space_(make_space(dim, params.distance)), normalized_query_(dim) {}

    void build(const matrix<float>& base) override {
        index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), base.rows, params_.degree,
                                                                   params_.ef_construction, params_.seed);
        add_row(base, 0);  // the entry point comes first, alone
        std::atomic<std::size_t> next{1};
        const auto work = [&] {
            for (std::size_t row; (row = next.fetch_add(1)) < base.rows;) add_row(base, row);
        };
        std::vector<std::thread> helpers;
        for (std::size_t i = 1; i < params_.threads; ++i) helpers.emplace_back(work);
        work();
        for (std::thread& helper : helpers) helper.join();
    }

    std::size_t search(std::span<const float> query, std::size_t ef, std::span<std::uint32_t> out) override {
        if (params_.distance == metric::cosine) {
            normalize(query, normalized_query_);
            query = normalized_query_;
        }
        index_->setEf(ef);
        auto farthest_first = index_->searchKnn(query.data(), out.size());
        const std::size_t count = farthest_first.size();
        for (std::size_t i = count; i-- > 0; farthest_first.pop())
            out[i] = static_cast<std::uint32_t>(farthest_first.top().second);
        return count;
    }

  private:
    void add_row(const matrix<float>& base, std::size_t row) {
        if (params_.distance != metric::cosine) return index_->addPoint(base[row].data(), row);
        std::vector<float> unit(base.dim);
        normalize(base[row], unit);
        index_->addPoint(unit.data(), row);
    }

    build_params params_;
    std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index_;
    std::vector<float> normalized_query_;
};

}  // namespace

std::vector<system_entry> hnswlib_systems() {
    return {
        {"hnswlib", "hnswlib " VICINAL_BENCH_HNSWLIB_VERSION, knob::ef,
         [](std::size_t dim, const build_params& params) { return std::make_unique<hnswlib_system>(dim, params); }}};
}

}  // namespace bench
