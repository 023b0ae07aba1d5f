// SPDX-License-Identifier: MIT
// What a reader makes of a log that a crash has torn, or that was damaged: the end of it is cut, nothing else is.
#include "durable/support.hpp"

namespace {

using namespace vicinal_test;
using vicinal::durable;
using vicinal::errc;
using catalog = durable<flat>;

/// A directory of changes, as a process that was killed leaves it, and what it held after each.
struct killed {
    quick_directory folder;
    std::filesystem::path path = folder / "killed";
    std::vector<model> after{model()};
    std::vector<std::uint64_t> ends{128};  ///< where the record of each ends

    explicit killed(std::size_t changes, bool together = false) {
        auto d = catalog::open(folder / "d", empty_flat,
                               {.sync = together ? vicinal::sync_policy::interval : vicinal::sync_policy::each_write,
                                .interval = std::chrono::hours(1)});
        for (id i = 0; i < changes; ++i) {
            model next = after.back();
            if (i % 5 == 4) {
                d.remove(i - 2);
                next.erase(i - 2);
            } else {
                const std::string payload(static_cast<std::size_t>(i % 4), 'p');
                d.upsert(i % 7, vector_of(i), {.payload = bytes_of(payload)});
                next[i % 7] = vector_of(i);
            }
            if (!together) ends.push_back(std::filesystem::file_size(last_segment(folder / "d")));
            // What was removed before is no change.
            if (d.last_sequence() + 1 == after.size() + 1) after.push_back(next);
            if (!together && ends[ends.size() - 2] == ends.back()) ends.pop_back();
        }
        if (together) d.sync();
        copy_directory(folder / "d", path);
    }
    [[nodiscard]] std::filesystem::path log() const { return last_segment(path); }
};

/// Opens what a log of these bytes leaves.
std::string outcome_of(const killed& from, std::span<const std::byte> log, model& found, vicinal::open_report& report) {
    const auto path = from.folder.operator/("tried");
    copy_directory(from.path, path);
    write_file(last_segment(path), log);
    return refusal([&] {
        auto d = catalog::open(path);
        report = d.opened();
        found.clear();
        for (const id each : d->ids()) found[each] = d->get(each);
        static std::size_t tried = 0;
        if (++tried % 8 != 0) return;  // it takes a dozen syncs
        d.add(1000, vector_of(1000));  // and it goes on
        d.close();
        if (!catalog::open(path)->contains(1000)) throw vicinal::error(errc::io, "what came after was lost");
    });
}

}  // namespace

TEST_CASE("durable log: cut at every byte, it holds the changes before, and goes on") {
    const killed k(12);
    const auto log = read_file(k.log());
    REQUIRE(log.size() == k.ends.back());
    model found;
    vicinal::open_report report;
    std::size_t whole = 0;
    for (std::size_t size = 128; size <= log.size(); ++size) {
        while (whole + 1 < k.ends.size() && k.ends[whole + 1] <= size) ++whole;
        INFO("cut after " << size << " bytes, " << whole << " changes");
        REQUIRE(outcome_of(k, std::span(log).first(size), found, report) == "nothing");
        REQUIRE(found == k.after[whole]);
        REQUIRE(report.torn_bytes == size - k.ends[whole]);
        REQUIRE(report.replayed == whole);
    }
    for (const std::size_t size : {0U, 1U, 127U}) {
        INFO(size);
        REQUIRE(outcome_of(k, std::span(log).first(size), found, report).starts_with("corrupt_file"));
    }
}

TEST_CASE("durable log: any byte that is changed is refused where it was on the disk, and cut off at the end") {
    const killed k(12);
    const auto log = read_file(k.log());
    const std::size_t last = k.ends[k.ends.size() - 2];
    model found;
    vicinal::open_report report;
    for (std::size_t at = 0; at < log.size(); ++at) {
        for (const std::byte change : {std::byte{0xFF}, std::byte{1}}) {
            auto changed = log;
            changed[at] ^= change;
            INFO("byte " << at << " of " << log.size());
            const std::string said = outcome_of(k, changed, found, report);
            if (at < last) {
                REQUIRE(said.starts_with("corrupt_file"));
                REQUIRE_THAT(said, contains(at < 128 ? "log-" : "at offset "));
            } else {
                REQUIRE(said == "nothing");
                REQUIRE(found == k.after[k.after.size() - 2]);
                REQUIRE(report.torn_bytes == log.size() - last);
            }
        }
    }
    // Zeros, as file systems leave them where power failed.
    for (std::size_t at = last; at < log.size(); at += 8) {
        auto torn = log;
        std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at), torn.end(), std::byte{0});
        REQUIRE(outcome_of(k, torn, found, report) == "nothing");
        REQUIRE(found == k.after[k.after.size() - (at + 8 < log.size() || torn != log ? 2 : 1)]);
    }
}

TEST_CASE("durable log: of changes that were written together, any may be missing behind the last sync") {
    const killed k(12, true);
    const auto log = read_file(k.log());
    model found;
    vicinal::open_report report;
    // The disk took a later part before an earlier one: what was never acknowledged is no damage.
    for (std::size_t at = 128; at + 8 <= log.size(); at += 8) {
        auto torn = log;
        std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(at), 8, std::byte{0x55});
        INFO("bytes " << at << " to " << at + 7);
        REQUIRE(outcome_of(k, torn, found, report) == "nothing");
        REQUIRE(report.torn_bytes > 0);
        REQUIRE(found == k.after[static_cast<std::size_t>(report.replayed)]);
    }
}

TEST_CASE("durable log: of one that was closed every byte is known to have been on the disk") {
    const killed k(12, true);
    { auto d = catalog::open(k.path); }
    const auto path = vicinal::detail::list_directory(k.path).segments.back().path;
    {
        auto d = catalog::open(k.path, {.sync = vicinal::sync_policy::interval, .interval = std::chrono::hours(1)});
        for (id i = 500; i < 505; ++i) d.add(i, vector_of(i));
    }
    const auto closed = last_segment(k.path);
    const auto log = read_file(closed);
    model found;
    vicinal::open_report report;
    const std::size_t mark = log.size() - 40;
    for (std::size_t at = 128; at < mark; ++at) {
        auto changed = log;
        changed[at] ^= std::byte{4};
        INFO("byte " << at);
        REQUIRE(outcome_of(k, changed, found, report).starts_with("corrupt_file"));
    }
    REQUIRE(outcome_of(k, std::span(log).first(mark), found, report) == "nothing");
    REQUIRE(report.torn_bytes == 0);
}

TEST_CASE("durable log: missing parts, parts of another directory and of another time are refused") {
    const quick_directory folder;
    const auto path = folder / "d";
    const auto fill = [](const std::filesystem::path& where, id first) {
        auto d = first == 0 ? catalog::open(where, empty_flat) : catalog::open(where);
        for (id i = first; i < first + 3; ++i) d.add(i, vector_of(i));
    };
    fill(path, 0);
    fill(folder / "other", 0);
    fill(folder / "other", 3);
    fill(path, 3);
    fill(path, 6);
    const auto segments = vicinal::detail::list_directory(path).segments;
    REQUIRE(segments.size() == 3);
    const auto trial = folder / "trial";
    for (std::size_t i = 0; i < segments.size(); ++i) {
        copy_directory(path, trial);
        const auto segment = trial / segments[i].path.filename();
        std::filesystem::remove(segment);
        const std::string said = refusal([&] { (void)catalog::open(trial); });
        if (i < 2) CHECK_THAT(said, contains("corrupt_file") && contains("is missing log-"));
        if (i == 2) CHECK(said == "nothing");  // nobody can know of it: a backup of before
        if (i == 2) continue;
        // In its place, one of another directory that holds as many changes.
        std::filesystem::copy(folder / "other" / segments[i].path.filename(), segment);
        CHECK_THAT(refusal([&] { (void)catalog::open(trial); }), contains("does not continue the files before it"));
    }
    copy_directory(path, trial);
    for (const auto& segment : segments) std::filesystem::remove(trial / segment.path.filename());
    CHECK_THAT(refusal([&] { (void)catalog::open(trial); }), contains("corrupt_file") && contains("is missing log-"));
    copy_directory(path, trial);
    std::filesystem::remove(trial / "snapshot-0000000000000000.vic");
    CHECK_THAT(refusal([&] { (void)catalog::open(trial, empty_flat); }), contains("no snapshot"));
}

TEST_CASE("durable log: a damaged snapshot is passed over while an older one has its log") {
    const quick_directory folder;
    const auto path = folder / "d";
    {
        auto d = catalog::open(path, empty_flat);
        for (id i = 0; i < 3; ++i) d.add(i, vector_of(i));
        copy_directory(path, folder / "before");
        d.checkpoint();
        for (id i = 3; i < 6; ++i) d.add(i, vector_of(i));
    }
    const auto snapshot = path / "snapshot-0000000000000003.vic";
    auto bytes = read_file(snapshot);
    bytes[300] ^= std::byte{1};
    write_file(snapshot, bytes);
    CHECK_THAT(refusal([&] { (void)catalog::open(path); }), contains("corrupt_file") && contains("snapshot-"));
    for (const char* const name : {"snapshot-0000000000000000.vic", "log-0000000000000001.vlog"})
        std::filesystem::copy(folder / "before" / name, path / name);
    auto d = catalog::open(path);  // as after a crash between the new snapshot and the removal of the old one
    CHECK(d.opened().snapshot_sequence == 0);
    CHECK(d.opened().damaged == std::vector<std::filesystem::path>{snapshot});
    CHECK(d->size() == 6);
    CHECK(d.last_sequence() == 6);
    d.add(7, vector_of(7));
    CHECK(d.checkpoint());
    CHECK(names_in(path).size() == 3);
    d.close();
    CHECK(catalog::open(path)->size() == 7);
}

TEST_CASE("durable log: an empty segment that came back after it had been given up is passed over") {
    const quick_directory folder;
    const auto path = folder / "d";
    std::filesystem::path first;
    {
        auto d = catalog::open(path, empty_flat);
        for (id i = 0; i < 5; ++i) d.add(i, vector_of(i));
        first = last_segment(path);
    }
    auto bytes = read_file(first);
    vicinal::detail::segment_header header =
        vicinal::detail::decode_segment_header(std::span(bytes).first<128>(), "the log");
    header.previous = header.identity;
    header.identity = 77;
    header.first = 3;
    write_file(path / "log-0000000000000003.vlog", vicinal::detail::encode_segment_header(header));
    auto d = catalog::open(path);
    CHECK(d->size() == 5);
    CHECK_FALSE(std::filesystem::exists(path / "log-0000000000000003.vlog"));
}

TEST_CASE("durable log: the bytes are those of docs/format.md") {
    using namespace vicinal::detail;
    segment_header header;
    header.index = header_of<std::uint16_t>(vicinal::index_kind::flat, "l2", "f32", 2);
    header.first = 7;
    header.identity = 0x1122334455667788;
    header.previous = 0x99;
    std::string text;
    const auto put = [&](std::span<const std::byte> bytes) {
        for (const std::byte b : bytes) {
            text += "0123456789ABCDEF"[static_cast<unsigned>(b) >> 4U];
            text += "0123456789ABCDEF"[static_cast<unsigned>(b) & 15U];
        }
    };
    put(encode_segment_header(header));
    CHECK(text ==
          "89564C470D0A1A0A010000000100000007000000000000000200000000000000"
          "8877665544332211100000000000000099000000000000006C32000000000000"
          "0000000000000000000000000000000000000000000000006633320000000000"
          "00000000000000000000000000000000000000000000000000000000BC9D1E68");
    const std::vector<std::uint16_t> ids = {5, 300};
    const std::vector<float> rows = {1, 2, -1, 0.5F};
    auto record =
        encode_record<std::uint16_t>(record_kind::add_rows, 2, ids, matrix_view<const float>(rows, 2), bytes_of("abc"));
    seal_record(record, 7, 6, header.crc);
    text.clear();
    put(record);
    CHECK(text ==
          "176F1D9B05000000480000000000000007000000000000000600000000000000"
          "020000000300000005002C01000000000000803F00000040000080BF0000003F"
          "6162630000000000");
}
