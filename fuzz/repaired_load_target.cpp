// SPDX-License-Identifier: MIT
// The same, with lengths and checksums put right first, so that the contents are what is judged.
#include "repair.hpp"
#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    const bytes_t file = repaired({reinterpret_cast<const std::byte*>(data), size});
    subject_for(file).load(file);
    return 0;
}
