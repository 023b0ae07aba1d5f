// SPDX-License-Identifier: MIT
// Sets of ids in files: what a user has seen, what is in stock.
#pragma once

#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <filesystem>   // for path
#include <iosfwd>       // for istream, ostream
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/filter/id_set.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/io/source.hpp"
#include "vicinal/io/writer.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class Id>
[[nodiscard]] file_header id_set_header(std::size_t size) {
    file_header made = header_of<Id>(index_kind::ids, "ids", "blocks", 1);
    made.rows = size;
    return made;
}

/// Names the sections of a set's file, which refer to the set.
template <class Id>
[[nodiscard]] section_writer id_set_writer(const id_set<Id>& set) {
    std::vector<std::byte> forms;
    std::vector<std::uint32_t> counts;
    std::uint64_t values = 0, words = 0;
    for (const id_block& block : set.blocks()) {
        forms.push_back(static_cast<std::byte>(block.stored_as()));
        const bool bitmap = block.stored_as() == id_block::form::bitmap;
        counts.push_back(static_cast<std::uint32_t>(bitmap ? block.words().size() : block.values().size()));
        (bitmap ? words : values) += counts.back();
    }
    section_writer out(id_set_header<Id>(set.size()));
    out.add(section_type("HIGH"), std::span<const id_key<Id>>(set.highs()));
    out.add_bytes(section_type("FORM"), std::move(forms));
    out.template add_streamed<std::uint32_t>(
        section_type("CNTS"), set.blocks().size(),
        [kept = std::move(counts)](const auto& sink) { sink(std::span<const std::uint32_t>(kept)); });
    out.template add_streamed<std::uint16_t>(section_type("VALS"), values, [&set](const auto& sink) {
        for (const id_block& block : set.blocks()) sink(block.values());
    });
    out.template add_streamed<std::uint64_t>(section_type("WORD"), words, [&set](const auto& sink) {
        for (const id_block& block : set.blocks()) sink(block.words());
    });
    return out;
}

/// Makes the blocks of a set from the sections of a file, each checked before it is used.
template <class Id>
class id_set_reader {
  public:
    using key_type = id_key<Id>;
    explicit id_set_reader(const file_image& file)
        : file_(file),
          values_(file.array<std::uint16_t>(section_type("VALS"))),
          words_(file.array<std::uint64_t>(section_type("WORD"))) {}

    [[nodiscard]] id_set<Id> set() {
        const auto forms = file_.array<std::byte>(section_type("FORM"));
        const auto counts = file_.array<std::uint32_t>(section_type("CNTS"), forms.size());
        const auto highs = file_.array<key_type>(section_type("HIGH"), forms.size());
        std::vector<id_block> blocks;
        blocks.reserve(forms.size());
        for (; at_ < forms.size(); ++at_) {
            if (at_ != 0 && !(highs[at_ - 1] < highs[at_])) refuse("is not behind the one before");
            blocks.push_back(block(static_cast<std::uint8_t>(forms[at_]), counts[at_]));
            if (blocks.back().size() == 0) refuse("has no id");
            require_ids(highs[at_], blocks.back());
        }
        if (!values_.empty() || !words_.empty()) fail_corrupt(file_.name(), "numbers follow those of its last block");
        id_set<Id> made = id_set<Id>::of_blocks({highs.begin(), highs.end()}, std::move(blocks));
        if (made.size() != file_.header().rows)
            fail_corrupt(file_.name(), "its blocks have " + std::to_string(made.size()) + " ids, its header says " +
                                           std::to_string(file_.header().rows));
        return made;
    }

  private:
    [[noreturn]] void refuse(const char* what) const {
        fail_corrupt(file_.name(), "block " + std::to_string(at_) + " of its ids " + what);
    }
    /// Takes the next `count` numbers from those that are left.
    template <class T>
    [[nodiscard]] std::span<const T> taken(std::span<const T>& left, std::size_t count) const {
        if (count > left.size()) refuse("has more numbers than are left");
        const auto part = left.first(count);
        left = left.subspan(count);
        return part;
    }
    [[nodiscard]] id_block block(std::uint8_t form, std::uint32_t count) {
        if (form == static_cast<std::uint8_t>(id_block::form::bitmap)) {
            if (count != id_block::word_count) refuse("is a bitmap of another length than 65536 bits");
            const auto words = taken(words_, count);
            return id_block::of_words({words.begin(), words.end()});
        }
        const bool runs = form == static_cast<std::uint8_t>(id_block::form::runs);
        if (!runs && form != static_cast<std::uint8_t>(id_block::form::array)) refuse("is of no form that there is");
        if (runs ? count % 2 != 0 : count > id_block::most_in_array) refuse("has a number too many");
        const auto values = taken(values_, count);
        for (std::size_t i = 1; i < values.size(); ++i)  // a run may be of one number, its first and its last
            if (runs && i % 2 == 1 ? values[i] < values[i - 1] : values[i] <= values[i - 1])
                refuse("has numbers that do not ascend");
        return runs ? id_block::of_runs(values) : id_block::of(values);
    }
    /// The file may be of ids that are narrower than the numbers that stand for them.
    void require_ids(key_type high, const id_block& block) const {
        using limits = std::numeric_limits<typename integer_of<Id>::type>;
        if constexpr (sizeof(Id) < sizeof(key_type)) {
            const key_type lowest = key_of(static_cast<Id>((limits::min)()));
            const key_type highest = key_of(static_cast<Id>((limits::max)()));
            const bool within = high <= highest >> 16U && high >= lowest >> 16U;
            if (!within || (high << 16U | block.next(0)) < lowest || (high << 16U | block.last()) > highest)
                refuse("has ids that its type cannot hold");
        } else if (high > ~key_type{0} >> 16U) {
            refuse("has ids that its type cannot hold");
        }
    }

    const file_image& file_;
    std::span<const std::uint16_t> values_;
    std::span<const std::uint64_t> words_;
    std::size_t at_ = 0;
};

template <class Id>
[[nodiscard]] id_set<Id> read_id_set(const file_image& file) {
    require_type(file.header(), id_set_header<Id>(0), file.name());
    return id_set_reader<Id>(file).set();
}

}  // namespace detail

/// Writes a set to `path` atomically, as an index is saved; options.note is of no use. The file is about as large as
/// the set in memory.
/// throws   error: io, cancelled; the old file is then as before
/// threads  others may read the set meanwhile, none may change it
template <identifier Id>
void save_ids(const id_set<Id>& set, const std::filesystem::path& path, const save_options& options = {}) {
    detail::id_set_writer(set).save(path, options);
}
/// Writes the same bytes to a binary stream, before or behind an index if you like.
template <identifier Id>
void save_ids(const id_set<Id>& set, std::ostream& stream, const save_options& options = {}) {
    detail::id_set_writer(set).write(stream, options);
}
template <identifier Id>
void save_ids(const id_set<Id>& set, std::vector<std::byte>& bytes, const save_options& options = {}) {
    bytes = detail::id_set_writer(set).to_bytes(options);
}

/// Reads a set. Every byte is checked before it is used, so the file may come from a stranger.
/// throws  error: io, corrupt_file, unsupported_version, wrong_type (a file of something else, or of other ids),
///         limit_exceeded, cancelled
template <identifier Id = std::uint64_t>
[[nodiscard]] id_set<Id> load_ids(const std::filesystem::path& path, const load_limits& limits = {}) {
    return detail::read_id_set<Id>(detail::file_image(detail::read_path(path, limits), detail::checksums::now, limits));
}
template <identifier Id = std::uint64_t>
[[nodiscard]] id_set<Id> load_ids(std::istream& stream, const load_limits& limits = {}) {
    return detail::read_id_set<Id>(
        detail::file_image(detail::read_stream(stream, limits), detail::checksums::now, limits));
}
template <identifier Id = std::uint64_t>
[[nodiscard]] id_set<Id> load_ids(std::span<const std::byte> bytes, const load_limits& limits = {}) {
    return detail::read_id_set<Id>(
        detail::file_image(detail::read_span(bytes, limits), detail::checksums::now, limits));
}

VICINAL_NAMESPACE_END
