// SPDX-License-Identifier: MIT
// Every vicinal index over every measured codec, under inner_product.
#include "vicinal_systems.hpp"

namespace bench {

template std::vector<vicinal_maker> vicinal_makers<vicinal::inner_product>();
template matrix<std::uint32_t> flat_neighbors<vicinal::inner_product>(const matrix<float>&, const matrix<float>&,
                                                                      std::size_t, std::size_t);

}  // namespace bench
