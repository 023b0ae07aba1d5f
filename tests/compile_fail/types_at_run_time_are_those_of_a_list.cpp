// SPDX-License-Identifier: MIT
// expect: vicinal: open, open_view and make_index choose one of the types that the program has
// expect: vicinal: the indexes of one list have ids of one type
// expect: vicinal: index_types is a list of flat_index, ivf_index and hnsw_index
// expect: vicinal: the index has ids of another type than the any_index
#include <cstdint>
#include <utility>

#include "vicinal/flat.hpp"
#include "vicinal/index_types.hpp"

#ifdef MISUSE
using id_type = std::uint32_t;
#else
using id_type = std::uint64_t;
#endif
using other_type = vicinal::flat_index<vicinal::l2, vicinal::sq8, id_type>;
using types = vicinal::index_types<vicinal::flat_index<>, other_type>;

vicinal::any_index held(other_type index);
vicinal::any_index held(other_type index) { return vicinal::any_index(std::move(index)); }

vicinal::any_index opened(const char* path);
vicinal::any_index opened(const char* path) {
    static_cast<void>(types::names());
#ifdef MISUSE
    static_cast<void>(vicinal::index_types<vicinal::l2>{});
    return vicinal::open(path);
#else
    return vicinal::open<types>(path);
#endif
}
