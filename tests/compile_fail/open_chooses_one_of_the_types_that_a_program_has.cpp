// SPDX-License-Identifier: MIT
// expect: vicinal: open, open_view and make_index choose one of the types that the program has
#include "vicinal/flat.hpp"
#include "vicinal/index_types.hpp"

vicinal::any_index opened(const char* path);
vicinal::any_index opened(const char* path) {
#ifdef MISUSE
    return vicinal::open(path);
#else
    return vicinal::open<vicinal::index_types<vicinal::flat_index<>>>(path);
#endif
}
