// SPDX-License-Identifier: MIT
// What a flat_index holds: rows, without gaps between the live ones.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t

#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

template <class Metric, class Codec, class Id, class Isa>
struct state : index_rows<Metric, Codec, Id, Isa> {
    static constexpr std::uint32_t kind = 1;  ///< in files
    using params_type = flat_search_params<Id>;

    explicit state(std::size_t dimension) : index_rows<Metric, Codec, Id, Isa>(dimension, row_spacing::dense) {}
};

}  // namespace detail::flat

VICINAL_NAMESPACE_END
