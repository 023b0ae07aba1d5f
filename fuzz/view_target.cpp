// The same, mapped: a view reads damaged contents, and must do so safely.
#include "repair.hpp"
#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    const bytes_t file = repaired({reinterpret_cast<const std::byte*>(data), size});
    const subject& type = subject_for(file);
    type.view(file);
    // Only a view meets sections whose checksums are wrong: spoil them, structure and contents stay.
    bytes_t spoilt = file;
    if (spoilt.size() < vicinal::detail::header_size) return 0;
    const auto count = vicinal::detail::load_le<std::uint32_t>(&spoilt[44]);
    const std::size_t table = vicinal::detail::header_size;
    for (std::size_t i = 0; i < count; ++i) spoilt[table + i * 32 + 24] ^= std::byte{1};
    using vicinal::detail::crc32c;
    vicinal::detail::store_le(&spoilt[120], crc32c(0, bytes_view(spoilt).subspan(table, std::size_t{32} * count)));
    vicinal::detail::store_le(&spoilt[124], crc32c(0, bytes_view(spoilt).first(124)));
    type.view(spoilt);
    return 0;
}
