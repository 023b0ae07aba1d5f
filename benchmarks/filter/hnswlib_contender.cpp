// SPDX-License-Identifier: MIT
// hnswlib 0.7 or newer with a functor as filter, as its own examples use it. Its header defines functions that are not
// inline: include it here only. It does not count distances of searches.
#include <hnswlib/hnswlib.h>

#include <optional>  // for optional

#include "contender.hpp"

namespace bench {
namespace {

class functor final : public hnswlib::BaseFilterFunctor {
  public:
    explicit functor(const row_filter& rows) : rows_(rows) {}
    bool operator()(hnswlib::labeltype id) override { return rows_(id); }

  private:
    const row_filter& rows_;
};

class hnswlib_contender final : public contender {
  public:
    hnswlib_contender(const matrix<float>& rows, const std::filesystem::path& file) : space_(rows.dim) {
        if (std::filesystem::exists(file)) {
            index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(&space_, file.string());
            return;
        }
        index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(&space_, rows.rows, 16, 200, 7);
        for (std::size_t row = 0; row < rows.rows; ++row) index_->addPoint(rows[row].data(), row);
        if (!file.empty()) index_->saveIndex(file.string());
    }

    [[nodiscard]] std::vector<std::string> strategies() const override { return {"ef 64", "ef 16", "ef 256"}; }
    [[nodiscard]] bool takes(form given) const override { return given == form::callable; }

    std::size_t search(std::span<const float> query, const row_filter* filter, form, const std::string& strategy,
                       std::span<vicinal::neighbor<>> out, vicinal::search_stats&) override {
        index_->setEf(std::stoul(strategy.substr(3)));
        std::optional<functor> admits;
        if (filter != nullptr) admits.emplace(*filter);
        auto farthest_first = index_->searchKnn(query.data(), out.size(), admits ? &*admits : nullptr);
        const std::size_t count = farthest_first.size();
        for (std::size_t i = count; i-- > 0; farthest_first.pop())
            out[i] = {farthest_first.top().second, farthest_first.top().first};
        return count;
    }

  private:
    hnswlib::L2Space space_;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index_;
};

}  // namespace

std::vector<contender_kind> hnswlib_contenders() {
    return {{"hnswlib", [](const matrix<float>& rows, const std::filesystem::path& file) {
                 return std::make_unique<hnswlib_contender>(rows, file);
             }}};
}

}  // namespace bench
