// SPDX-License-Identifier: MIT
// The index types that are fuzzed, each behind a few functions, so that a type is compiled once for all targets.
#pragma once

#include <span>
#include <vector>

#include "support.hpp"
#include "vicinal/io/reader.hpp"

namespace vicinal_fuzz {

struct subject {
    const char* name;                     ///< for file names
    vicinal::detail::file_header holds;   ///< what its files' headers say
    void (*load)(bytes_view file);        ///< loads the bytes; what loads must be whole and usable
    void (*view)(bytes_view file);        ///< views them; nothing asked of the view may do harm
    void (*operate)(input& in);           ///< a sequence of calls, compared with a naive model
    bytes_t (*sample)(std::size_t rows);  ///< a small valid file
    void (*import)(bytes_view file);      ///< takes over another library's file, then as load; null where none can be
};

/// One file of subjects/ each. Between them every index, metric and codec, and ids of several widths.
[[nodiscard]] subject flat_l2_f32();
[[nodiscard]] subject flat_cosine_sq4();
[[nodiscard]] subject ivf_l2_f32();
[[nodiscard]] subject ivf_ip_sq8_f16();
[[nodiscard]] subject hnsw_l2_f32();
[[nodiscard]] subject hnsw_cosine_bf16();

[[nodiscard]] inline std::span<const subject> all_subjects() {
    static const subject all[] = {flat_l2_f32(),    flat_cosine_sq4(), ivf_l2_f32(),
                                  ivf_ip_sq8_f16(), hnsw_l2_f32(),     hnsw_cosine_bf16()};
    return all;
}

/// The type whose files have such a header, or the first one, which has to refuse the file.
[[nodiscard]] inline const subject& subject_for(bytes_view file) {
    using namespace vicinal::detail;
    if (file.size() >= header_size) {
        try {
            const file_header header = decode_header(file.first<header_size>(), "");
            for (const subject& one : all_subjects())
                if (one.holds.kind == header.kind && one.holds.metric == header.metric &&
                    one.holds.codec == header.codec && one.holds.id_bits == header.id_bits &&
                    one.holds.id_signed == header.id_signed)
                    return one;
        } catch (const vicinal::error&) {
        }
    }
    return all_subjects().front();
}

}  // namespace vicinal_fuzz
