// SPDX-License-Identifier: MIT
// Calls in any order, compared with a naive model after each.
#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    input in({reinterpret_cast<const std::byte*>(data), size});
    all_subjects()[in.below(all_subjects().size())].operate(in);
    return 0;
}
