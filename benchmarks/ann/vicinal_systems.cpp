// SPDX-License-Identifier: MIT
// The table of vicinal's indexes, whatever the metric.
#include "vicinal_systems.hpp"

#include <vicinal/version.hpp>

namespace bench {
namespace {

std::vector<vicinal_maker> makers_for(metric distance) {
    switch (distance) {
        case metric::l2: return vicinal_makers<vicinal::l2>();
        case metric::inner_product: return vicinal_makers<vicinal::inner_product>();
        case metric::cosine: return vicinal_makers<vicinal::cosine>();
    }
    return {};
}

}  // namespace

std::vector<system_entry> vicinal_systems() {
    const std::string library = "vicinal " + std::to_string(VICINAL_VERSION_MAJOR) + "." +
                                std::to_string(VICINAL_VERSION_MINOR) + "." + std::to_string(VICINAL_VERSION_PATCH);
    const std::vector<vicinal_maker> makers = makers_for(metric::l2);
    std::vector<system_entry> entries;
    for (std::size_t i = 0; i < makers.size(); ++i)
        entries.push_back(
            {makers[i].name, library, makers[i].searched_by, [i](std::size_t dim, const build_params& params) {
                 return makers_for(params.distance)[i].make(dim, params);
             }});
    return entries;
}

matrix<std::uint32_t> exact_neighbors(metric distance, const matrix<float>& base, const matrix<float>& queries,
                                      std::size_t k, std::size_t threads) {
    switch (distance) {
        case metric::l2: return flat_neighbors<vicinal::l2>(base, queries, k, threads);
        case metric::inner_product: return flat_neighbors<vicinal::inner_product>(base, queries, k, threads);
        case metric::cosine: return flat_neighbors<vicinal::cosine>(base, queries, k, threads);
    }
    return {};
}

}  // namespace bench
