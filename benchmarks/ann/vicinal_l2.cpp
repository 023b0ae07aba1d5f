// SPDX-License-Identifier: MIT
// Every vicinal index over every measured codec, under l2.
#include "vicinal_systems.hpp"

namespace bench {

template std::vector<vicinal_maker> vicinal_makers<vicinal::l2>();
template matrix<std::uint32_t> flat_neighbors<vicinal::l2>(const matrix<float>&, const matrix<float>&, std::size_t,
                                                           std::size_t);

}  // namespace bench
