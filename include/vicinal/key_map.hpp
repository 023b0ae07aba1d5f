// SPDX-License-Identifier: MIT
// Ids for keys that are no numbers: names, uuids.
#pragma once

#include <algorithm>      // for max, min, pop_heap, push_heap
#include <array>          // for array
#include <chrono>         // for steady_clock
#include <concepts>       // for invocable
#include <cstddef>        // for byte, size_t
#include <cstdint>        // for uint8_t, uint32_t, uint64_t, uintptr_t
#include <cstring>        // for memcpy
#include <filesystem>     // for path
#include <functional>     // for greater
#include <iosfwd>         // for istream, ostream
#include <optional>       // for optional
#include <span>           // for span
#include <string>         // for string, to_string
#include <string_view>    // for string_view
#include <type_traits>    // for is_same_v
#include <unordered_map>  // for unordered_map
#include <utility>        // for forward, move
#include <vector>         // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/io/source.hpp"
#include "vicinal/io/writer.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

/// 16 bytes, as uuids have them.
using uuid = std::array<std::byte, 16>;

namespace detail {

/// What a key_map asks of a type of key: how it is passed, its bytes, and how it reads in a message.
template <class Key>
struct key_traits;

template <>
struct key_traits<std::string> {
    using view = std::string_view;
    static constexpr std::size_t width = 0;  ///< bytes of each key; 0 if they differ
    [[nodiscard]] static std::string name() { return "string"; }
    [[nodiscard]] static std::span<const std::byte> bytes(view key) noexcept { return std::as_bytes(std::span(key)); }
    [[nodiscard]] static std::string of(std::span<const std::byte> bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    [[nodiscard]] static std::string text(view key) { return "\"" + std::string(key) + "\""; }
};

template <class Byte, std::size_t Width>
requires((std::is_same_v<Byte, std::byte> || std::is_same_v<Byte, std::uint8_t>)&&Width >= 1 && Width <= 256)  //
    struct key_traits<std::array<Byte, Width>> {
    using key = std::array<Byte, Width>;
    using view = const key&;
    static constexpr std::size_t width = Width;
    [[nodiscard]] static std::string name() { return "bytes" + std::to_string(Width); }
    [[nodiscard]] static std::span<const std::byte> bytes(view key) noexcept { return std::as_bytes(std::span(key)); }
    [[nodiscard]] static key of(std::span<const std::byte> bytes) {
        key made;
        for (std::size_t i = 0; i < Width; ++i) made[i] = static_cast<Byte>(bytes[i]);
        return made;
    }
    /// Hexadecimal digits, of 16 bytes in the groups of a uuid.
    [[nodiscard]] static std::string text(view key) {
        std::string text;
        for (std::size_t i = 0; i < Width; ++i) {
            if (Width == 16 && (i == 4 || i == 6 || i == 8 || i == 10)) text += '-';
            const auto byte = static_cast<unsigned>(key[i]);
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
        return text;
    }
};

template <class Key>
concept map_key = requires {
    key_traits<Key>::width;
};

/// Hashes bytes, eight at a time, from a seed of its own, so that nobody can choose keys that come out alike.
template <class Key>
struct key_hash {
    using is_transparent = void;
    std::uint64_t seed = 0;

    [[nodiscard]] std::size_t operator()(typename key_traits<Key>::view key) const noexcept {
        const std::span<const std::byte> bytes = key_traits<Key>::bytes(key);
        std::uint64_t hash = mix(seed ^ bytes.size());
        for (std::size_t i = 0; i < bytes.size(); i += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + i, (std::min)(bytes.size() - i, sizeof word));
            hash = mix(hash ^ word);
        }
        return static_cast<std::size_t>(hash);
    }
};
template <class Key>
struct key_equal {
    using is_transparent = void;
    using view = typename key_traits<Key>::view;
    [[nodiscard]] bool operator()(view a, view b) const noexcept { return a == b; }
};

}  // namespace detail

/// Ids for keys that are no integers: std::string, uuid, or another std::array of bytes. The keys of an index get ids
/// from 0 on, the lowest that is free, so that ids stay as small as there are keys; the index knows the ids only. Keep
/// both in step by giving `add` and `remove` what changes the index:
///
///     vicinal::key_map<> keys;                                              // of std::string
///     keys.add("intro.md", [&](auto id) { index.add(id, vector); });        // none of both, if the index refuses
///     for (const auto& [id, distance] : index.search(query, 10)) use(keys.key_of(id), distance);
///     keys.remove("intro.md", [&](auto id) { index.remove(id); });
///
/// docs/calls.md says how files of both are kept in step.
///
/// Key  std::string (passed as std::string_view), uuid, or a std::array of up to 256 std::byte or std::uint8_t
/// Id   the ids' type, that of the index
///
/// Threads: as containers of the standard library, it may be read by any number of threads at once, and changed by one
/// while none reads. Exceptions: a call that throws leaves it as it was.
template <detail::map_key Key = std::string, identifier Id = std::uint64_t>
class key_map {
    using traits = detail::key_traits<Key>;

  public:
    using key_type = Key;
    using id_type = Id;
    using key_view = typename traits::view;

    key_map() = default;
    key_map(key_map&&) noexcept = default;
    key_map& operator=(key_map&&) noexcept = default;
    key_map(const key_map&) = delete;
    key_map& operator=(const key_map&) = delete;
    ~key_map() = default;

    [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
    [[nodiscard]] bool empty() const noexcept { return ids_.empty(); }
    [[nodiscard]] bool contains(key_view key) const { return ids_.find(key) != ids_.end(); }
    /// The id of `key`, if it has one. O(1).
    [[nodiscard]] std::optional<Id> find(key_view key) const {
        const auto found = ids_.find(key);
        return found == ids_.end() ? std::nullopt : std::optional<Id>(found->second);
    }
    /// The id of `key`.  throws  error{not_found}, naming the key and how many there are
    [[nodiscard]] Id id_of(key_view key) const {
        const auto found = ids_.find(key);
        if (found == ids_.end())
            detail::fail(errc::not_found,
                         "key_map: there is no key " + traits::text(key) + " among " + std::to_string(size()));
        return found->second;
    }
    /// The key of `id`, good until it is removed. O(1).  throws  error{not_found}, naming the id
    [[nodiscard]] const Key& key_of(Id id) const {
        const Key* const key = contains_id(id) ? keys_[number_of(id)] : nullptr;
        if (key == nullptr)
            detail::fail(errc::not_found, "key_map: no key has id " + detail::text_of(id) + ", there are " +
                                              std::to_string(size()) + " keys");
        return *key;
    }
    [[nodiscard]] bool contains_id(Id id) const noexcept {
        return number_of(id) < keys_.size() && keys_[number_of(id)] != nullptr;
    }
    /// All keys, in the order of their ids.
    [[nodiscard]] std::vector<Key> keys() const {
        std::vector<Key> all;
        all.reserve(size());
        for (const Key* const key : keys_)
            if (key != nullptr) all.push_back(*key);
        return all;
    }

    /// Gives `key` the lowest free id, and returns it. Amortised O(1), O(log) where ids were given back.
    /// throws  error{duplicate_id}, naming the key and the id it has; error{capacity} if Id has no more values
    Id add(key_view key) {
        if (const auto found = ids_.find(key); found != ids_.end())
            detail::fail(errc::duplicate_id, "key_map: key " + traits::text(key) + " has id " +
                                                 detail::text_of(found->second) + " already");
        const std::size_t number = free_.empty() ? keys_.size() : free_.front();
        const Id id = id_at(number);
        if (free_.empty()) make_room();
        const Key* const own = &ids_.emplace(Key(key), id).first->first;
        if (free_.empty()) {
            keys_.push_back(own);
        } else {
            std::pop_heap(free_.begin(), free_.end(), std::greater<>());
            free_.pop_back();
            keys_[number] = own;
        }
        return id;
    }
    /// Does that and calls put(id), which puts a vector into an index. If it throws, the key is gone again.
    template <std::invocable<Id> Put>
    Id add(key_view key, Put&& put) {
        const Id id = add(key);
        try {
            std::forward<Put>(put)(id);
        } catch (...) {
            forget(number_of(id));
            throw;
        }
        return id;
    }
    /// Gives ids to all of these keys or to none, and returns them in their order.
    /// throws  as above
    std::vector<Id> add(std::span<const Key> keys) {
        std::vector<Id> added;
        added.reserve(keys.size());
        try {
            for (const Key& key : keys) added.push_back(add(key_view(key)));
        } catch (...) {
            forget(added);
            throw;
        }
        return added;
    }
    /// Does that and calls put(ids), which puts a batch into an index. If it throws, the keys are gone again.
    template <std::invocable<std::span<const Id>> Put>
    std::vector<Id> add(std::span<const Key> keys, Put&& put) {
        std::vector<Id> added = add(keys);
        try {
            std::forward<Put>(put)(std::span<const Id>(added));
        } catch (...) {
            forget(added);
            throw;
        }
        return added;
    }

    /// Removes `key`, whose id is free then; returns whether it was there.
    bool remove(key_view key) {
        return remove(key, [](Id) {});
    }
    /// Calls take(id), which takes the vector out of an index, and removes `key`. If that throws, the key stays.
    /// Returns whether it was there.
    template <std::invocable<Id> Take>
    bool remove(key_view key, Take&& take) {
        const auto found = ids_.find(key);
        if (found == ids_.end()) return false;
        const Id id = found->second;
        std::forward<Take>(take)(id);
        forget(number_of(id));
        return true;
    }
    void clear() noexcept {
        ids_.clear();
        keys_.clear();
        free_.clear();
    }
    /// Makes room for `count` keys in all.
    void reserve(std::size_t count) {
        ids_.reserve(count);
        keys_.reserve(count);
        free_.reserve(keys_.capacity());
    }

    /// Writes the keys to `path` atomically, as an index does; options.note is of no use. The same keys and ids give
    /// the same bytes.
    /// throws  error: io, cancelled; the old file is then as before
    void save(const std::filesystem::path& path, const save_options& options = {}) const {
        writer().save(path, options);
    }
    /// Writes the same bytes to a binary stream, before or behind an index if you like.
    void save(std::ostream& stream, const save_options& options = {}) const { writer().write(stream, options); }
    void save(std::vector<std::byte>& bytes, const save_options& options = {}) const {
        bytes = writer().to_bytes(options);
    }
    /// Reads keys. Every byte is checked before it is used, so the file may come from a stranger.
    /// throws  error: io, corrupt_file, unsupported_version, wrong_type (a file of something else, of other keys or
    ///         ids), limit_exceeded, cancelled
    [[nodiscard]] static key_map load(const std::filesystem::path& path, const load_limits& limits = {}) {
        return key_map(detail::file_image(detail::read_path(path, limits), detail::checksums::now, limits));
    }
    [[nodiscard]] static key_map load(std::istream& stream, const load_limits& limits = {}) {
        return key_map(detail::file_image(detail::read_stream(stream, limits), detail::checksums::now, limits));
    }
    [[nodiscard]] static key_map load(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return key_map(detail::file_image(detail::read_span(bytes, limits), detail::checksums::now, limits));
    }

  private:
    [[nodiscard]] static std::size_t number_of(Id id) noexcept {
        const auto number = static_cast<std::uint64_t>(id);
        const bool same = static_cast<Id>(number) == id && (!detail::is_signed_id<Id> || id >= Id{});
        return same && number < detail::max_slots ? static_cast<std::size_t>(number) : detail::max_slots;
    }
    [[nodiscard]] static Id id_at(std::size_t number) {
        const Id id = static_cast<Id>(number);
        if (number >= detail::max_slots || number_of(id) != number)
            detail::fail(errc::capacity, "key_map: a key would have id " + std::to_string(number) + ", which ids of " +
                                             std::to_string(8 * sizeof(Id)) + " bits do not reach");
        return id;
    }
    /// Room for one more key, and for all to be given back: removal allocates nothing.
    void make_room() {
        if (keys_.size() == keys_.capacity()) keys_.reserve((std::max)(std::size_t{16}, 2 * keys_.size()));
        free_.reserve(keys_.capacity());
    }
    void forget(std::size_t number) noexcept {
        ids_.erase(ids_.find(key_view(*keys_[number])));
        keys_[number] = nullptr;
        free_.push_back(static_cast<std::uint32_t>(number));
        std::push_heap(free_.begin(), free_.end(), std::greater<>());
    }
    void forget(const std::vector<Id>& ids) noexcept {
        for (const Id id : ids) forget(number_of(id));
    }

    // ---- files: docs/format.md

    [[nodiscard]] static detail::file_header header(std::size_t rows) {
        detail::file_header made = detail::header_of<Id>(index_kind::keys, "keys", traits::name(), 1);
        made.rows = rows;
        return made;
    }
    /// Names the sections, which refer to this object.
    [[nodiscard]] detail::section_writer writer() const {
        std::size_t rows = keys_.size();
        while (rows != 0 && keys_[rows - 1] == nullptr) --rows;
        std::vector<std::uint64_t> ends(rows);
        std::vector<std::byte> there(rows);
        std::uint64_t end = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            there[i] = keys_[i] == nullptr ? std::byte{0} : std::byte{1};
            if (keys_[i] != nullptr) end += traits::bytes(*keys_[i]).size();
            ends[i] = end;
        }
        detail::section_writer out(header(rows));
        out.add_bytes(detail::section_type("KSET"), std::move(there));
        out.template add_streamed<std::uint64_t>(
            detail::section_type("KEND"), rows,
            [ends = std::move(ends)](const auto& sink) { sink(std::span<const std::uint64_t>(ends)); });
        out.template add_streamed<std::byte>(detail::section_type("KEYS"), end, [this](const auto& sink) {
            for (const Key* const key : keys_)
                if (key != nullptr) sink(traits::bytes(*key));
        });
        return out;
    }
    explicit key_map(const detail::file_image& file) {
        detail::require_type(file.header(), header(0), file.name());
        const std::uint64_t rows = file.header().rows;
        const auto there = file.array<std::byte>(detail::section_type("KSET"), rows);
        const auto ends = file.array<std::uint64_t>(detail::section_type("KEND"), rows);
        const auto bytes = file.array<std::byte>(detail::section_type("KEYS"));
        const auto refuse = [&](std::size_t i, const char* what) {
            detail::fail_corrupt(file.name(), "key " + std::to_string(i) + " of " + std::to_string(rows) + " " + what);
        };
        reserve(there.size());
        std::uint64_t begin = 0;
        for (std::size_t i = 0; i < there.size(); ++i) {
            if (ends[i] < begin || ends[i] > bytes.size()) refuse(i, "ends outside of the keys' bytes");
            const auto key = bytes.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(ends[i] - begin));
            take(i, there[i], key, refuse);
            begin = ends[i];
        }
        if (begin != bytes.size() || (!there.empty() && there.back() == std::byte{0}))
            detail::fail_corrupt(file.name(), "its last key is not where its keys end");
    }
    template <class Refuse>
    void take(std::size_t i, std::byte there, std::span<const std::byte> bytes, const Refuse& refuse) {
        if (there == std::byte{0}) {
            if (!bytes.empty()) refuse(i, "has bytes, though there is none");
            keys_.push_back(nullptr);
            free_.push_back(static_cast<std::uint32_t>(i));  // in ascending order, which is a heap
            return;
        }
        if (there != std::byte{1}) refuse(i, "is neither there nor not there");
        if (traits::width != 0 && bytes.size() != traits::width) refuse(i, "has another number of bytes than its type");
        const auto [at, fresh] = ids_.emplace(traits::of(bytes), id_at(i));
        if (!fresh) refuse(i, "is there twice");
        keys_.push_back(&at->first);
    }

    [[nodiscard]] static std::uint64_t new_seed() noexcept {
        const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
        const int here = 0;
        return detail::mix(static_cast<std::uint64_t>(now) ^ reinterpret_cast<std::uintptr_t>(&here));
    }

    using table = std::unordered_map<Key, Id, detail::key_hash<Key>, detail::key_equal<Key>>;
    table ids_ = table(0, detail::key_hash<Key>{new_seed()});
    std::vector<const Key*> keys_;     // by id; null of an id that is free
    std::vector<std::uint32_t> free_;  // free ids, a heap of which the lowest is first; as much room as keys_ has
};

VICINAL_NAMESPACE_END
