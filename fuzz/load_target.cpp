// SPDX-License-Identifier: MIT
// Bytes of any index type, loaded as they are.
#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    const bytes_view file(reinterpret_cast<const std::byte*>(data), size);
    subject_for(file).load(file);
    return 0;
}
