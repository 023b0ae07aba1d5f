// SPDX-License-Identifier: MIT
// The same, mapped: a view reads damaged contents, and must do so safely.
#include "repair.hpp"
#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    using namespace vicinal::detail;
    bytes_t file = repaired({reinterpret_cast<const std::byte*>(data), size});
    // Only a view meets sections whose checksums are wrong. Every other input, by its own checksum, has them spoilt;
    // structure and contents stay.
    if (file.size() >= header_size && (std::to_integer<unsigned>(file[124]) & 1U) != 0) {
        const auto count = load_le<std::uint32_t>(&file[44]);
        for (std::size_t i = 0; i < count; ++i) file[header_size + i * section_entry_size + 24] ^= std::byte{1};
        store_le(&file[120], crc32c(0, bytes_view(file).subspan(header_size, section_entry_size * count)));
        store_le(&file[124], crc32c(0, bytes_view(file).first(124)));
    }
    subject_for(file).view(file);
    return 0;
}
