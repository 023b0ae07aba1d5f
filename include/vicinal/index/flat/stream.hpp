// SPDX-License-Identifier: MIT
// The rows of a flat index one by one, closest first.
#pragma once

#include <algorithm>  // for make_heap, pop_heap
#include <memory>     // for make_unique
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/flat/search.hpp"
#include "vicinal/index/flat/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

/// All rows were scored when the stream began; a heap yields them in order as they are asked for.
template <class State>
class stream final : public neighbor_stream<typename State::id_type>::source {
    using neighbor_type = neighbor<typename State::id_type>;

  public:
    stream(const State& index, std::vector<neighbor_type> hits, const search_stats& did)
        : index_(index), hits_(std::move(hits)), did_(did) {
        std::make_heap(hits_.begin(), hits_.end(), farther);
    }
    bool next(neighbor_type& out) override {
        while (!hits_.empty()) {
            std::pop_heap(hits_.begin(), hits_.end(), farther);
            out = hits_.back();
            hits_.pop_back();
            if (holds(index_, out.id)) return true;
        }
        return false;
    }
    [[nodiscard]] search_stats stats() const override { return did_; }

  private:
    static bool farther(const neighbor_type& a, const neighbor_type& b) noexcept { return closer(b, a); }
    const State& index_;
    std::vector<neighbor_type> hits_;
    search_stats did_;
};

template <class State>
[[nodiscard]] neighbor_stream<typename State::id_type> nearest(const State& index, vector_view query,
                                                               const typename State::params_type& params) {
    const float everywhere = detail::infinite();
    search_stats did;
    auto hits = collect_within(index, query, everywhere, params, &did);
    return neighbor_stream<typename State::id_type>(std::make_unique<stream<State>>(index, std::move(hits), did));
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
