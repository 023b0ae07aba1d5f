// SPDX-License-Identifier: MIT
// Power is lost behind any operation, and the disk has, of what was not synced, nothing, all, a part, or the later part
// alone: every change that was acknowledged is there.
#include <list>
#include <optional>
#include <set>

#include "durable/support.hpp"

namespace {

using namespace vicinal_test;
using bytes_t = std::vector<std::byte>;

/// One thing that was asked of the disk, or that a caller was told.
struct operation {
    enum class kind { create, write, truncate, sync, failed_sync, sync_directory, replace, remove, acknowledged };
    kind what;
    std::size_t file = 0;  ///< of all that act on a file: its number
    std::string name{};    ///< of create, remove, and of replace: what it becomes
    std::uint64_t at = 0;  ///< of write and truncate
    bytes_t bytes{};
    std::size_t changes = 0;  ///< of acknowledged: how many
};

/// Calls that do what they are asked, and note it.
struct recording_calls : vicinal::detail::log_calls {
    using base = vicinal::detail::log_calls;
    static inline std::vector<operation> log;
    static inline std::map<handle, std::size_t> open{};          // files that are open
    static inline std::map<std::string, std::size_t> numbers{};  // by name, as the running system has them
    static inline std::map<std::size_t, std::uint64_t> sizes{};
    static inline std::map<handle, std::uint64_t> places{};  // of files that are written over
    static inline std::size_t next = 0;
    static inline bool syncs_fail = false;

    static std::string name_of(const std::filesystem::path& path) { return path.filename().string(); }
    static int create(const std::filesystem::path& path, ::mode_t mode, handle& out) {
        const int failed = base::create(path, mode, out);
        REQUIRE(failed == 0);
        open[out] = numbers[name_of(path)] = ++next;
        log.push_back({operation::kind::create, next, name_of(path)});
        return 0;
    }
    static int open_to_append(const std::filesystem::path& path, handle& out) {
        REQUIRE(base::open_to_append(path, out) == 0);
        open[out] = numbers.at(name_of(path));
        return 0;
    }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) {
        written = size;
        const std::size_t number = open.at(file);
        const auto place = places.find(file);
        std::uint64_t& at = place == places.end() ? sizes[number] : place->second;
        log.push_back({operation::kind::write, number, {}, at, bytes_t(data, data + size)});
        at += size;
        return base::write(file, data, size, written);
    }
    static int reserve(handle, std::uint64_t) { return 0; }
    static int open_to_overwrite(const std::filesystem::path& path, handle& out) {
        REQUIRE(base::open_to_overwrite(path, out) == 0);
        open[out] = numbers.at(name_of(path));
        places[out] = 0;
        return 0;
    }
    static int seek(handle file, std::uint64_t offset) {
        places.at(file) = offset;
        return base::seek(file, offset);
    }
    static int close(handle file) noexcept {
        places.erase(file);
        return base::close(file);
    }
    static int truncate(handle file, std::uint64_t bytes) {
        if (syncs_fail) return EIO;
        log.push_back({operation::kind::truncate, open.at(file), {}, bytes});
        sizes[open.at(file)] = bytes;
        return base::truncate(file, bytes);
    }
    static int sync(handle file) {
        if (syncs_fail) {
            log.push_back({operation::kind::failed_sync, open.at(file)});
            return EIO;
        }
        log.push_back({operation::kind::sync, open.at(file)});
        return 0;
    }
    static int sync_data(handle file) { return sync(file); }
    static int sync_directory(handle) {
        log.push_back({operation::kind::sync_directory});
        return 0;
    }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        REQUIRE(base::replace(from, to) == 0);
        const std::size_t number = numbers.at(name_of(from));
        numbers.erase(name_of(from));
        numbers[name_of(to)] = number;
        log.push_back({operation::kind::replace, number, name_of(to)});
        return 0;
    }
    static int remove(const std::filesystem::path& path) {
        log.push_back({operation::kind::remove, 0, name_of(path)});
        numbers.erase(name_of(path));
        return base::remove(path);
    }
};

/// What a disk has when its power fails.
enum class luck { nothing_else, everything, halves, later_alone };

/// A file's bytes on the disk and the writes that it was not told to keep.
struct stored {
    bytes_t durable;
    std::vector<const operation*> pending;
    [[nodiscard]] bytes_t after(luck how) const {
        bytes_t bytes = durable;
        for (const operation* op : pending) {
            if (how == luck::nothing_else || (how == luck::later_alone && op != pending.back())) continue;
            if (op->what == operation::kind::truncate) {
                bytes.resize(static_cast<std::size_t>(op->at));
                continue;
            }
            const std::size_t half = op->bytes.size() / 2;
            const std::size_t from = how == luck::later_alone ? half : 0;
            const std::size_t upto = how == luck::halves && op == pending.back() ? half : op->bytes.size();
            const auto at = static_cast<std::size_t>(op->at);
            if (bytes.size() < at + upto) bytes.resize(at + upto);
            std::copy(op->bytes.begin() + static_cast<std::ptrdiff_t>(from),
                      op->bytes.begin() + static_cast<std::ptrdiff_t>(upto),
                      bytes.begin() + static_cast<std::ptrdiff_t>(at + from));
        }
        return bytes;
    }
};

/// A directory as the disk has it when its power fails behind the first `count` operations.
struct image {
    std::map<std::string, bytes_t> files;
    std::size_t acknowledged = 0;
};
/// names  whether the disk has the names as the system had them, or as they were when the directory was synced last
image image_after(std::size_t count, luck how, bool names, bool ignore_syncs = false) {
    std::map<std::size_t, stored> files;
    std::map<std::string, std::size_t> now;
    std::map<std::string, std::size_t> synced;
    image made;
    for (std::size_t i = 0; i < count; ++i) {
        const operation& op = recording_calls::log[i];
        switch (op.what) {
            case operation::kind::create: now[op.name] = op.file; break;
            case operation::kind::write:
            case operation::kind::truncate: files[op.file].pending.push_back(&op); break;
            case operation::kind::sync:
                if (ignore_syncs) break;
                files[op.file].durable = files[op.file].after(luck::everything);
                files[op.file].pending.clear();
                break;
            case operation::kind::failed_sync: files[op.file].pending.clear(); break;
            case operation::kind::sync_directory: synced = now; break;
            case operation::kind::replace:
                std::erase_if(now, [&](const auto& each) { return each.second == op.file; });
                now[op.name] = op.file;
                break;
            case operation::kind::remove: now.erase(op.name); break;
            case operation::kind::acknowledged: made.acknowledged = op.changes; break;
        }
    }
    for (const auto& [name, number] : names ? now : synced) made.files[name] = files[number].after(how);
    return made;
}

/// What the index held after each change, the first of which is none.
std::vector<model> record_a_life(const std::filesystem::path& path) {
    recording_calls::log.clear();
    std::vector<model> after{model()};
    const auto acknowledge = [&] {
        recording_calls::log.push_back({operation::kind::acknowledged, 0, {}, 0, {}, after.size() - 1});
    };
    auto options = vicinal::durable_options<id>{.checkpoint_ratio = 0};
    for (int lives = 0; lives < 2; ++lives) {
        auto d = vicinal::durable<flat, recording_calls>::open(path, empty_flat, options);
        if (lives == 0) acknowledge();
        const auto change = [&](id key, std::size_t length) {
            after.push_back(after.back());
            after.back()[key] = vector_of(after.size());
            d.upsert(key, vector_of(after.size()), {.payload = bytes_of(std::string(length, 'x'))});
            acknowledge();
        };
        for (id key = 0; key < 3; ++key) change(key, 0);
        d.checkpoint();
        for (id key = 2; key < 5; ++key) change(key, 700);
        d.checkpoint();
        change(9, 3);
    }
    return after;
}

/// Says what is wrong with what an image opens as, if anything is.
std::string wrong_with(const image& made, const std::filesystem::path& path, const std::vector<model>& after) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
    for (const auto& [name, bytes] : made.files) write_file(path / name, bytes);
    try {
        auto d = vicinal::durable<flat>::open(path, empty_flat, {.checkpoint_ratio = 0});
        const std::uint64_t last = d.last_sequence();
        if (last < made.acknowledged) return "lost " + std::to_string(made.acknowledged - last) + " changes";
        if (last > made.acknowledged + 1) return "it has more changes than there were";
        return equals(d.index(), after[static_cast<std::size_t>(last)]) ? "" : "another index";
    } catch (const vicinal::error& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("durable power: after a loss behind any operation no acknowledged change is lost, and none made up") {
    const quick_directory folder;
    const auto after = record_a_life(folder / "d");
    const std::size_t count = recording_calls::log.size();
    REQUIRE(count > 100);
    std::set<std::size_t> acknowledged;
    for (std::size_t upto = 0; upto <= count; ++upto) {
        for (const luck how : {luck::nothing_else, luck::everything, luck::halves, luck::later_alone}) {
            for (const bool names : {false, true}) {
                const image made = image_after(upto, how, names);
                INFO("after " << upto << " of " << count << " operations, luck " << static_cast<int>(how) << ", names "
                              << names);
                REQUIRE(wrong_with(made, folder / "image", after) == "");
                acknowledged.insert(made.acknowledged);
            }
        }
    }
    CHECK(acknowledged.size() == after.size());

    // The model sees what syncs are for: without them, changes are lost.
    std::size_t lost = 0;
    for (std::size_t upto = 0; upto <= count; ++upto)
        lost += wrong_with(image_after(upto, luck::nothing_else, true, true), folder / "image", after).empty() ? 0 : 1;
    CHECK(lost > 50);
}

TEST_CASE(
    "durable power: what a failed sync left in the system's memory alone is written before more is acknowledged") {
    const quick_directory folder;
    const auto path = folder / "d";
    recording_calls::log.clear();
    std::vector<model> after{model()};
    const auto put = [&](auto& d, id key) {
        after.push_back(after.back());
        after.back()[key] = vector_of(key);
        d.upsert(key, vector_of(key));
    };
    const vicinal::durable_options<id> options{.checkpoint_ratio = 0};
    {
        auto d = vicinal::durable<flat, recording_calls>::open(path, empty_flat, options);
        put(d, 1);
        recording_calls::syncs_fail = true;  // nor can the segment be cut
        CHECK(refusal(vicinal::errc::io, [&] { put(d, 2); }) != "nothing");
    }
    recording_calls::syncs_fail = false;
    auto d = vicinal::durable<flat, recording_calls>::open(path, options);
    REQUIRE(d->size() == 2);  // as the system still shows it
    put(d, 3);
    recording_calls::log.push_back({operation::kind::acknowledged, 0, {}, 0, {}, 3});
    for (const luck how : {luck::nothing_else, luck::everything, luck::halves, luck::later_alone})
        CHECK(wrong_with(image_after(recording_calls::log.size(), how, true), folder / "image", after) == "");
}
