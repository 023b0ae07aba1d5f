// SPDX-License-Identifier: MIT
// What the fuzz targets share: taking values from the fuzzer's bytes, and stopping where a promise is broken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal_fuzz {

using bytes_t = std::vector<std::byte>;
using bytes_view = std::span<const std::byte>;

/// Ends the program, which is how a fuzzer learns of a finding.
inline void require(bool holds, const char* promise) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

/// Takes numbers from the front of the fuzzer's bytes; zeros when they are used up.
class input {
  public:
    explicit input(bytes_view bytes) : bytes_(bytes) {}
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    [[nodiscard]] bytes_view rest() const { return bytes_; }
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(bytes_.front());
        bytes_ = bytes_.subspan(1);
        return value;
    }
    std::uint32_t word() {
        std::uint32_t value = 0;
        for (unsigned shift = 0; shift < 32; shift += 8) value |= std::uint32_t{byte()} << shift;
        return value;
    }
    /// 0 to n - 1.
    std::size_t below(std::size_t n) { return n <= 256 ? byte() % n : word() % n; }
    /// A multiple of 1/4 from -32 to 31.75: squares and their sums are exact, and many distances are equal.
    float quarter() { return static_cast<float>(static_cast<std::int8_t>(byte())) / 4; }

  private:
    bytes_view bytes_;
};

/// The most bytes allocated at once since it began. Counts only in builds with AddressSanitizer, else 0.
class allocation_meter {
  public:
    allocation_meter();
    ~allocation_meter();
    [[nodiscard]] std::size_t peak() const;
};

}  // namespace vicinal_fuzz

/// Each target's entry, under libFuzzer's name, so that the same object serves the fuzzer and the replay.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
