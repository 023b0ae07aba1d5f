// SPDX-License-Identifier: MIT
// A disk that refuses one call, or all from one on: what was acknowledged is there when the directory is opened again,
// and nothing is claimed that is not so.
#include "durable/support.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc;
using tested = vicinal::durable<flat, failing_calls>;

/// What a run on a failing disk did.
struct outcome {
    model acknowledged;  ///< after the last change that was
    model possible;      ///< with the one change that was refused as not durable, if there was one
    bool opened = false;
    std::size_t refused = 0;  ///< changes that threw
    bool checkpoint_failed = false;
};

/// Opens a directory, changes it, checkpoints, and changes it further, as far as the disk lets it.
outcome run(const std::filesystem::path& path) {
    outcome done;
    try {
        auto d = tested::open(path, empty_flat, {.checkpoint_ratio = 0});
        done.opened = true;
        const auto change = [&](id key) {
            model next = done.possible;
            next[key] = vector_of(key + 100);
            try {
                d.upsert(key, vector_of(key + 100), {.payload = bytes_of("payload")});
                // Nothing is acknowledged after a failure.
                REQUIRE(done.refused == 0);
                done.acknowledged = done.possible = next;
            } catch (const vicinal::error& e) {
                REQUIRE(e.code() == errc::io);
                if (done.refused == 0) {
                    REQUIRE_THAT(e.what(), contains("not durable"));
                    done.possible = next;
                } else {
                    REQUIRE_THAT(e.what(), contains("changes are refused"));
                }
                ++done.refused;
                REQUIRE_FALSE(d.stats().failure.empty());
                REQUIRE(d.stats().synced_sequence == done.acknowledged.size());
            }
            REQUIRE(d->search(vector_of(key), 1).size() == std::min<std::size_t>(1, d->size()));  // searches go on
        };
        for (id key = 0; key < 3; ++key) change(key);
        try {
            d.checkpoint();
        } catch (const vicinal::error& e) {
            REQUIRE(e.code() == errc::io);
            done.checkpoint_failed = true;
            REQUIRE(d.stats().checkpoint_failures == 1);
        }
        for (id key = 3; key < 6; ++key) change(key);
        d.close();
        REQUIRE(done.refused == 0);
    } catch (const vicinal::error& e) {
        REQUIRE(e.code() == errc::io);
        REQUIRE((!done.opened || done.refused != 0 || failing_calls::fail_at != 0));
    }
    return done;
}

/// Opens what is there on a disk that works, and demands it.
void require_recovered(const std::filesystem::path& path, const outcome& done) {
    failing_calls::arm(0, false, 0);
    if (!done.opened) {  // what was begun is no obstacle
        auto d = tested::open(path, empty_flat);
        REQUIRE(d->empty());
        return;
    }
    auto d = tested::open(path);
    const bool as_acknowledged = equals(d.index(), done.acknowledged);
    REQUIRE((as_acknowledged || equals(d.index(), done.possible)));
    d.add(50, vector_of(50));
    REQUIRE(d.checkpoint());
    d.add(51, vector_of(51));
    d.close();
    auto again = tested::open(path);
    REQUIRE(again->size() == (as_acknowledged ? done.acknowledged : done.possible).size() + 2);
    REQUIRE(names_in(path).size() <= 5);
    for (const std::string& name : names_in(path)) REQUIRE_FALSE(name.starts_with(".vicinal-"));
}

}  // namespace

TEST_CASE("durable disk: whichever call fails, once or from then on, nothing that was acknowledged is lost") {
    const quick_directory folder;
    failing_calls::arm(0, false, 0);
    run(folder / "whole");
    const std::size_t calls = failing_calls::made;
    REQUIRE(calls > 30);
    std::map<std::string, std::size_t> failed;
    std::size_t refused = 0;
    std::size_t checkpoints = 0;
    for (std::size_t at = 1; at <= calls; ++at) {
        for (const bool broken : {false, true}) {
            for (const int code : {EIO, ENOSPC}) {
                failing_calls::half_writes = code == ENOSPC;
                failing_calls::arm(at, broken, code);
                const auto path = folder / "d";
                const outcome done = run(path);
                INFO("call " << at << " of " << calls << ", " << failing_calls::failed << ", "
                             << (broken ? "and all further ones" : "once"));
                ++failed[failing_calls::failed];
                refused += done.refused;
                checkpoints += done.checkpoint_failed && done.refused == 0 ? 1 : 0;
                require_recovered(path, done);
                std::filesystem::remove_all(path);
            }
        }
    }
    for (const char* const name :
         {"create", "write", "sync", "sync_data", "sync_directory", "replace", "open_to_append", "remove"}) {
        CAPTURE(name);
        CHECK(failed[name] > 0);
    }
    CHECK(refused > 20);
    CHECK(checkpoints > 10);  // which leave the log as it was, to go on in
}

TEST_CASE("durable disk: a signal that interrupts a call is no failure") {
    const quick_directory folder;
    failing_calls::arm(0, false, 0);
    run(folder / "whole");
    const std::size_t calls = failing_calls::made;
    for (std::size_t at = 1; at <= calls; ++at) {
        failing_calls::arm(at, false, EINTR);
        const auto path = folder / "d";
        const outcome done = run(path);
        INFO("call " << at << ", " << failing_calls::failed);
        if (failing_calls::failed == "replace" || failing_calls::failed == "remove") continue;  // cannot be interrupted
        REQUIRE(done.acknowledged.size() == 6);
        REQUIRE_FALSE(done.checkpoint_failed);
        std::filesystem::remove_all(path);
    }
}

TEST_CASE("durable disk: a change that the disk refused is cut off, so that nobody takes it for one that it has") {
    const quick_directory folder;
    failing_calls::arm(0, false, 0);
    const auto path = folder / "d";
    {
        auto d = tested::open(path, empty_flat);
        d.add(1, vector_of(1));
        const auto size = std::filesystem::file_size(last_segment(path));
        failing_calls::arm(2, false, EIO);  // the sync: the bytes are in the file by then
        failing_calls::fail_at = 0;
        d.add(2, vector_of(2));
        const std::size_t calls = failing_calls::made;
        const auto second = std::filesystem::file_size(last_segment(path));
        REQUIRE(second > size);
        failing_calls::arm(calls, false, EIO);
        CHECK_THAT(refusal(errc::io, [&] { d.add(3, vector_of(3)); }), contains("not durable") && contains("sync"));
        CHECK(failing_calls::failed == "sync_data");
        CHECK(std::filesystem::file_size(last_segment(path)) == second);
        CHECK_THAT(refusal(errc::io, [&] { d.sync(); }), contains("not durable"));
        CHECK_THAT(refusal(errc::io, [&] { d.checkpoint(); }), contains("not durable"));
        CHECK_THAT(refusal(errc::io, [&] { d.close(); }), contains("not durable"));
        CHECK(d->size() == 3);
    }
    CHECK(tested::open(path)->size() == 2);
}
