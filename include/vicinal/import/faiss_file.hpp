// SPDX-License-Identifier: MIT
// Reads a file that faiss::write_index wrote: what it holds, where it lies, every count and link checked.
#pragma once

#include <algorithm>    // for find, max
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint32_t, int32_t, uint64_t, int64_t
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/core/number_as.hpp"
#include "vicinal/import/faiss_types.hpp"
#include "vicinal/import/parts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The contents of a file that faiss::write_index wrote, referred to where they lie; every count and link checked.
///
/// What is relied on, from faiss 1.7.3, faiss/impl/index_write.cpp: fields lie as the machine that wrote them has them
/// in memory, here 64-bit and little-endian. An index begins with four characters for its type, dimension (i32), rows
/// (i64), two unused numbers of 8 bytes, whether it is trained (1 byte), metric (i32: 0 inner product, 1 L2; others are
/// followed by an argument). A vector is its number of elements (u64) and these; codes count in words of 4 bytes. Then
///     IxF2, IxFI  codes
///     IwFl        lists (u64), nprobe (u64), the quantizer, an index itself; kind of direct map (1 byte), its vector
///     of
///                 i64, and one of pairs of them if the kind is 2; the inverted lists: "ilar", lists (u64), bytes of a
///                 code (u64), then "full" and a vector of each list's length (u64), or "sprs" and a vector of numbers
///                 and lengths of lists that are not empty; then for each list its codes and ids (i64)
///     IHNf        vectors of probabilities (binary64), of how many links a row has up to each level (i32), of levels
///                 from 1 (i32), of where each row's links begin (u64), of links (i32, -1 for none, and from there on);
///                 entry row, highest level, efConstruction, efSearch, an unused number (i32 each); the rows, an index
///                 itself
///     IxMp, IxM2  an index, and a vector of the label (i64) of each of its ids
class faiss_file {
  public:
    struct list {
        std::size_t number;
        std::size_t rows;
        std::span<const std::byte> codes;
        std::span<const std::byte> ids;
    };

    faiss_file(std::span<const std::byte> bytes, std::string name, const load_limits& limits)
        : name_(std::move(name)), limits_(limits), in_(bytes, name_) {
        if (bytes.size() > limits.max_bytes) exceed("bytes", "max_bytes", bytes.size(), limits.max_bytes);
        head top = read_head(part::whole);
        if (is_map(top.type)) {
            mapped_ = true;
            const head outer = top;
            top = read_head(part::whole);
            require_alike(top, outer);
            read_index(top);
            map_ = read_vector(8, rows_);
        } else {
            read_index(top);
        }
        in_.finish();
    }
    faiss_file(const faiss_file&) = delete;
    faiss_file& operator=(const faiss_file&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] index_kind kind() const noexcept { return kind_; }
    [[nodiscard]] bool is_l2() const noexcept { return is_l2_; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    /// Of flat and hnsw: the components of row i.
    [[nodiscard]] const std::byte* vector(std::size_t row) const noexcept { return vectors_.data() + row * 4 * dim_; }
    /// What the row whose id is `id` within the index is called outside.
    /// throws  error{corrupt_file}
    [[nodiscard]] std::int64_t label(std::int64_t id) const {
        if (!mapped_) return id;
        if (id < 0 || static_cast<std::uint64_t>(id) >= rows_)
            refuse("its map has labels for " + std::to_string(rows_) + " ids, a row has " + std::to_string(id));
        return load_le<std::int64_t>(&map_[8 * static_cast<std::size_t>(id)]);
    }
    // Of ivf.
    [[nodiscard]] std::size_t lists() const noexcept { return lists_; }
    [[nodiscard]] bool trained() const noexcept { return trained_; }
    [[nodiscard]] std::span<const std::byte> centroids() const noexcept { return centroids_; }
    [[nodiscard]] const std::vector<list>& filled() const noexcept { return filled_; }
    // Of hnsw.
    [[nodiscard]] imported_graph graph() const {
        imported_graph made(rows_, degree_);
        for (std::size_t row = 0; row < rows_; ++row) made.set_level(row, level(row));
        for (std::size_t row = 0; row < rows_; ++row)
            for (std::size_t l = 0; l <= level(row); ++l) read_links(made, row, l);
        return made;
    }
    [[nodiscard]] std::size_t beam() const noexcept { return beam_; }

    [[noreturn]] void refuse(const std::string& why) const { fail_corrupt(name_, why); }

  private:
    /// What an index within the file is for.
    enum class part { whole, quantizer, storage };
    struct head {
        std::string type;
        std::size_t dim;
        std::size_t rows;
        bool trained;
        bool is_l2;
    };

    [[noreturn]] void exceed(const char* what, const char* field, std::uint64_t value, std::uint64_t limit) const {
        fail(errc::limit_exceeded, name_ + ": the number of " + what + " is " + std::to_string(value) +
                                       ", load_limits::" + field + " is " + std::to_string(limit));
    }
    [[nodiscard]] std::string four() {
        const auto bytes = in_.take_bytes(4);
        return {reinterpret_cast<const char*>(bytes.data()), 4};
    }
    /// A vector of elements of `width` bytes, no longer than what is left. Its bytes.
    [[nodiscard]] std::span<const std::byte> read_vector(std::size_t width) {
        const auto count = in_.take<std::uint64_t>();
        if (count > in_.left() / width)
            refuse("it announces " + std::to_string(count) + " elements of " + std::to_string(width) + " bytes, " +
                   std::to_string(in_.left()) + " bytes are left");
        return in_.take_bytes(count * width);
    }
    /// The same of as many elements as are expected.
    [[nodiscard]] std::span<const std::byte> read_vector(std::size_t width, std::uint64_t expected) {
        const auto bytes = read_vector(width);
        if (bytes.size() / width != expected)
            refuse("it has " + std::to_string(bytes.size() / width) + " elements of " + std::to_string(width) +
                   " bytes where " + std::to_string(expected) + " are expected");
        return bytes;
    }
    template <class T>
    [[nodiscard]] static T at(std::span<const std::byte> vector, std::size_t i) noexcept {
        return load_le<T>(&vector[i * sizeof(T)]);
    }

    [[noreturn]] void refuse_type(std::string_view type, part of) const {
        const char* const holds = of == part::whole       ? "it holds "
                                  : of == part::quantizer ? "its lists are found by "
                                                          : "its rows are in ";
        fail(errc::wrong_type, name_ + ": " + holds + faiss_name(type) + ", which is not supported; " +
                                   (of == part::whole ? "IndexFlat, IndexIVFFlat and IndexHNSWFlat are read, alone or "
                                                        "in an IndexIDMap"
                                                      : "an IndexFlat is read"));
    }
    [[nodiscard]] static bool is_flat(std::string_view type) noexcept {
        return type == "IxF2" || type == "IxFI" || type == "IxFl";
    }
    [[nodiscard]] static bool is_map(std::string_view type) noexcept { return type == "IxMp" || type == "IxM2"; }

    [[nodiscard]] head read_head(part of) {
        head read;
        read.type = four();
        const bool readable = is_flat(read.type) ||
                              (of == part::whole && (is_map(read.type) || read.type == "IwFl" || read.type == "IHNf"));
        // What is known, but not read, may go on in another way. What is not known must look like an index.
        if (!readable && find_faiss_type(read.type) != nullptr) refuse_type(read.type, of);
        if (read.type[0] != 'I' || !valid_section_type(part_type(read.type)))
            refuse("it does not begin as a faiss index: its first four bytes name no type");
        const auto dim = in_.take<std::int32_t>();
        const auto rows = in_.take<std::int64_t>();
        static_cast<void>(in_.take_bytes(16));
        const auto trained = in_.take<std::uint8_t>();
        const auto metric = in_.take<std::int32_t>();
        if (dim < 1 || rows < 0 || trained > 1 || static_cast<std::uint32_t>(dim) > std::uint32_t{1} << 20 ||
            static_cast<std::uint64_t>(rows) > max_slots)
            refuse("its header is none: dimension " + std::to_string(dim) + ", " + std::to_string(rows) + " rows");
        if (metric != 0 && metric != 1)
            fail(errc::wrong_type, name_ + ": its metric is faiss's number " + std::to_string(metric) +
                                       "; 0, inner product, and 1, L2, are read");
        read.dim = static_cast<std::size_t>(dim);
        read.rows = static_cast<std::size_t>(rows);
        read.trained = trained == 1;
        read.is_l2 = metric == 1;
        if (read.rows > limits_.max_rows) exceed("rows", "max_rows", read.rows, limits_.max_rows);
        if (read.dim > limits_.max_dim) exceed("dimensions", "max_dim", read.dim, limits_.max_dim);
        if (!readable) refuse_type(read.type, of);
        return read;
    }
    void require_alike(const head& inner, const head& outer) const {
        if (inner.dim != outer.dim || inner.rows != outer.rows || inner.is_l2 != outer.is_l2)
            refuse("an index of dimension " + std::to_string(outer.dim) + " and " + std::to_string(outer.rows) +
                   " rows has one inside of dimension " + std::to_string(inner.dim) + " and " +
                   std::to_string(inner.rows) + " rows, or of another metric");
    }
    [[nodiscard]] std::span<const std::byte> read_codes(const head& flat) {
        return read_vector(4, std::uint64_t{flat.rows} * flat.dim);
    }

    void read_index(const head& top) {
        dim_ = top.dim;
        rows_ = top.rows;
        is_l2_ = top.is_l2;
        if (is_flat(top.type)) {
            kind_ = index_kind::flat;
            vectors_ = read_codes(top);
        } else if (top.type == "IwFl") {
            kind_ = index_kind::ivf;
            read_ivf(top);
        } else if (top.type == "IHNf") {
            kind_ = index_kind::hnsw;
            read_hnsw(top);
        } else {
            refuse_type(top.type, part::whole);  // a map in a map
        }
    }

    void read_ivf(const head& top) {
        const auto lists = in_.take<std::uint64_t>();
        static_cast<void>(in_.take<std::uint64_t>());  // nprobe
        if (lists < 1 || lists > max_lists)
            refuse("it has " + std::to_string(lists) + " lists, 1 to " + std::to_string(max_lists) + " are possible");
        lists_ = static_cast<std::size_t>(lists);
        trained_ = top.trained;
        const head quantizer = read_head(part::quantizer);
        if (quantizer.dim != dim_ || quantizer.rows != (trained_ ? lists_ : 0))
            refuse("its " + std::to_string(lists_) + " lists of dimension " + std::to_string(dim_) + " have " +
                   std::to_string(quantizer.rows) + " centroids of dimension " + std::to_string(quantizer.dim));
        centroids_ = read_codes(quantizer);
        const auto direct_map = in_.take<std::uint8_t>();
        if (direct_map > 2) refuse("its direct map is of kind " + std::to_string(direct_map));
        static_cast<void>(read_vector(8));
        if (direct_map == 2) static_cast<void>(read_vector(16));
        read_lists();
        if (!trained_ && rows_ != 0) refuse("it has rows, but is not trained");
    }
    void read_lists() {
        const std::string type = four();
        if (type != "ilar")
            fail(errc::wrong_type, name_ + ": its lists are " + faiss_name(type) + ", ArrayInvertedLists are read");
        const auto lists = in_.take<std::uint64_t>();
        const auto code_size = in_.take<std::uint64_t>();
        if (lists != lists_ || code_size != 4 * dim_)
            refuse("its " + std::to_string(lists_) + " lists of dimension " + std::to_string(dim_) + " hold codes of " +
                   std::to_string(code_size) + " bytes in " + std::to_string(lists) + " lists");
        const std::string form = four();
        if (form == "full") {
            const auto sizes = read_vector(8, lists_);
            for (std::size_t l = 0; l < lists_; ++l)
                if (const auto n = at<std::uint64_t>(sizes, l); n != 0) add_list(l, n);
        } else if (form == "sprs") {
            const auto sizes = read_vector(8);
            if (sizes.size() % 16 != 0) refuse("a list has no length");
            for (std::size_t i = 0; i < sizes.size() / 8; i += 2) {
                const auto number = at<std::uint64_t>(sizes, i);
                if (number >= lists_ || (!filled_.empty() && number <= filled_.back().number))
                    refuse("list " + std::to_string(number) + " of " + std::to_string(lists_) +
                           " is none, or not in its place");
                add_list(static_cast<std::size_t>(number), at<std::uint64_t>(sizes, i + 1));
            }
        } else {
            refuse("the lengths of its lists are neither \"full\" nor \"sprs\"");
        }
        std::uint64_t sum = 0;
        for (list& one : filled_) {
            one.codes = in_.take_bytes(std::uint64_t{one.rows} * 4 * dim_);
            one.ids = in_.take_bytes(std::uint64_t{one.rows} * 8);
            sum += one.rows;
        }
        if (sum != rows_) refuse("its lists hold " + std::to_string(sum) + " rows, it has " + std::to_string(rows_));
    }
    void add_list(std::size_t number, std::uint64_t rows) {
        if (rows > rows_)
            refuse("list " + std::to_string(number) + " has " + std::to_string(rows) + " rows of " +
                   std::to_string(rows_));
        filled_.push_back({number, number_as<std::size_t>(rows), {}, {}});
    }

    void read_hnsw(const head& top) {
        static_cast<void>(read_vector(8));
        const auto room = read_vector(4);
        levels_ = read_vector(4, rows_);
        const auto offsets = read_vector(8, std::uint64_t{rows_} + 1);
        links_ = read_vector(4);
        const auto entry = in_.take<std::int32_t>();
        const auto highest = in_.take<std::int32_t>();
        const auto beam = in_.take<std::int32_t>();
        static_cast<void>(in_.take_bytes(8));
        const head storage = read_head(part::storage);
        require_alike(storage, top);
        vectors_ = read_codes(storage);

        if (beam < 1 || beam > 1 << 20) refuse("efConstruction is " + std::to_string(beam));
        beam_ = static_cast<std::size_t>(beam);
        read_room(room);
        if (rows_ == 0 ? entry != -1 || highest != -1
                       : entry < 0 || static_cast<std::size_t>(entry) >= rows_ ||
                             highest != at<std::int32_t>(levels_, static_cast<std::size_t>(entry)) - 1)
            refuse("searches begin at row " + std::to_string(entry) + ", level " + std::to_string(highest));
        std::uint64_t begin = 0;
        first_.reserve(rows_);
        for (std::size_t row = 0; row < rows_; ++row) {
            const auto levels = at<std::int32_t>(levels_, row);
            if (levels < 1 || static_cast<std::size_t>(levels) >= room_.size())
                refuse("row " + std::to_string(row) + " is on " + std::to_string(levels) + " levels");
            if (at<std::uint64_t>(offsets, row) != begin)
                refuse("the links of row " + std::to_string(row) + " begin at " +
                       std::to_string(at<std::uint64_t>(offsets, row)) + ", expected " + std::to_string(begin));
            first_.push_back(number_as<std::size_t>(begin));
            begin += room_[static_cast<std::size_t>(levels)];
            if (begin > links_.size() / 4) break;
        }
        if (begin != links_.size() / 4 || at<std::uint64_t>(offsets, rows_) != begin)
            refuse("it has room for " + std::to_string(links_.size() / 4) + " links, expected " +
                   std::to_string(begin));
    }
    /// How many links a row has on all levels below each, and the degree that this makes.
    void read_room(std::span<const std::byte> room) {
        const std::size_t count = room.size() / 4;
        for (std::size_t l = 0; l < count && l <= hnsw_graph::max_level + 1; ++l) {
            const auto below = at<std::int32_t>(room, l);
            const std::int32_t most = l == 1 ? 2048 : 1024;
            const std::int32_t last = l == 0 ? 0 : static_cast<std::int32_t>(room_.back());
            if (below < last || below - last > most || (l == 0 && below != 0))
                refuse("a row has " + std::to_string(below) + " links below level " + std::to_string(l) + ", and " +
                       std::to_string(last) + " below the one under it");
            room_.push_back(static_cast<std::size_t>(below));
            const auto on_level = static_cast<std::size_t>(below - last);
            degree_ = (std::max)(degree_, l == 1 ? (on_level + 1) / 2 : on_level);
        }
        if (room_.size() < 2) refuse("it does not say how many links a row has");
    }
    [[nodiscard]] std::size_t level(std::size_t row) const noexcept {
        return static_cast<std::size_t>(at<std::int32_t>(levels_, row)) - 1;
    }
    void read_links(imported_graph& graph, std::size_t row, std::size_t level) const {
        std::vector<slot_t>& links = graph.links(row, level);
        bool ended = false;
        for (std::size_t i = first_[row] + room_[level]; i < first_[row] + room_[level + 1]; ++i) {
            const auto link = at<std::int32_t>(links_, i);
            if (link == -1) {
                ended = true;
                continue;
            }
            const auto target = static_cast<std::uint32_t>(link);
            if (ended || target >= rows_ || target == row || graph.level(target) < level ||
                std::find(links.begin(), links.end(), target) != links.end())
                refuse("row " + std::to_string(row) + " links on level " + std::to_string(level) + " to row " +
                       std::to_string(link) +
                       ", which does not exist there, is itself, was linked to before, or comes after the end");
            links.push_back(target);
        }
    }

    std::string name_;
    load_limits limits_;
    byte_reader in_;
    index_kind kind_ = index_kind::flat;
    bool is_l2_ = true;
    bool mapped_ = false;
    bool trained_ = true;
    std::size_t dim_ = 0;
    std::size_t rows_ = 0;
    std::span<const std::byte> map_;
    std::span<const std::byte> vectors_;
    std::size_t lists_ = 0;
    std::span<const std::byte> centroids_;
    std::vector<list> filled_;
    std::size_t degree_ = 2;
    std::size_t beam_ = 1;
    std::vector<std::size_t> room_;
    std::vector<std::size_t> first_;
    std::span<const std::byte> levels_;
    std::span<const std::byte> links_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
