// SPDX-License-Identifier: MIT
// A durable index does what its index does, and is the same again when it is opened again.
#include <sys/wait.h>
#include <unistd.h>

#include "durable/support.hpp"
#include "vicinal/codecs.hpp"

namespace {

using namespace vicinal_test;
using vicinal::change;
using vicinal::durable;
using vicinal::errc;
using catalog = durable<flat>;

enum class fruit : std::int32_t { apple = -3, pear = 70000 };

/// What replay tells of, in one line each.
struct listener {
    std::vector<std::string> heard;
    void operator()(const catalog::entry& entry) {
        std::string line = std::to_string(static_cast<int>(entry.kind)) + " #" + std::to_string(entry.sequence) + ":";
        for (const id each : entry.ids) line += " " + std::to_string(each);
        line += " x" + std::to_string(entry.vectors.rows());
        heard.push_back(line + " '" + text_of(entry.payload) + "'");
    }
};

}  // namespace

TEST_CASE("durable: every call does what that of the index does, and is made again in order with its payload") {
    const quick_directory folder;
    const auto rows = gaussian(3, dim);
    const std::vector<id> ids = {10, 11, 12};
    {
        auto d = catalog::open(folder / "d", empty_flat);
        CHECK(d.opened().created);
        d.add(1, vector_of(1), {.payload = bytes_of("one")});
        CHECK(d.add(ids, rows.view(), {.payload = bytes_of("three"), .threads = 2}) == 3);
        d.update(1, vector_of(2));
        CHECK(d.upsert(2, vector_of(3), {.payload = bytes_of("")}));
        CHECK_FALSE(d.upsert(2, vector_of(4)));
        const std::vector<id> some = {2, 10, 99};
        CHECK(d.upsert(some, rows.view()) == 1);
        CHECK(d.remove(11, {.payload = bytes_of("gone")}));
        CHECK_FALSE(d.remove(11));  // nothing changed, nothing is written
        CHECK(d.remove(some) == 3);
        CHECK(d.remove(some) == 0);
        CHECK(d.last_sequence() == 8);
        CHECK(d->size() == 2);
        CHECK(d.index().get(12) == std::vector<float>(rows[2].begin(), rows[2].end()));
    }
    listener heard;
    auto d = catalog::open(folder / "d", {.on_replay = heard});
    CHECK(heard.heard == std::vector<std::string>{"0 #0: x0 ''", "1 #1: 1 x1 'one'", "1 #2: 10 11 12 x3 'three'",
                                                  "2 #3: 1 x1 ''", "3 #4: 2 x1 ''", "3 #5: 2 x1 ''",
                                                  "3 #6: 2 10 99 x3 ''", "4 #7: 11 x0 'gone'", "4 #8: 2 10 99 x0 ''"});
    CHECK(equals(d.index(), {{1, vector_of(2)}, {12, {rows[2].begin(), rows[2].end()}}}));
    CHECK(d.opened().replayed == 8);
    CHECK(d.opened().torn_bytes == 0);
    CHECK_FALSE(d.opened().created);
    d.clear();
    CHECK(d->empty());
    d.close();
    CHECK(catalog::open(folder / "d")->empty());
}

TEST_CASE("durable: what the index refuses is in neither, and what comes next has the next number") {
    const quick_directory folder;
    auto d = catalog::open(folder / "d", empty_flat);
    d.add(1, vector_of(1));
    const auto rows = gaussian(2, dim);
    CHECK(refusal(errc::duplicate_id, [&] { d.add(1, vector_of(2)); }) != "nothing");
    CHECK(refusal(errc::not_found, [&] { d.update(5, vector_of(2)); }) != "nothing");
    CHECK(refusal(errc::dimension_mismatch, [&] { d.add(2, vector_of(2, dim + 1)); }) != "nothing");
    CHECK(refusal(errc::non_finite, [&] { d.add(2, {0, 0, NAN, 0}); }) != "nothing");
    CHECK(refusal(errc::invalid_argument, [&] { d.add(std::vector<id>{5}, rows.view()); }) != "nothing");
    CHECK(refusal(errc::duplicate_id, [&] { d.add(std::vector<id>{5, 5}, rows.view()); }) != "nothing");
    CHECK(d.add(std::vector<id>{}, vicinal::rows_view()) == 0);
    CHECK(d.last_sequence() == 1);
    d.add(2, vector_of(2));
    CHECK(d.last_sequence() == 2);
    d.close();
    CHECK(equals(catalog::open(folder / "d").index(), {{1, vector_of(1)}, {2, vector_of(2)}}));
}

TEST_CASE("durable: a directory that is open is refused, by this process and by others, and free afterwards") {
    const quick_directory folder;
    auto d = catalog::open(folder / "d", empty_flat);
    CHECK_THAT(refusal(errc::io, [&] { (void)catalog::open(folder / "d"); }),
               contains("is open already, by process " + std::to_string(::getpid())));
    const auto child = ::fork();
    if (child == 0) {
        int code = 1;
        try {
            (void)catalog::open(folder / "d");
        } catch (const vicinal::error& e) {
            code = e.code() == errc::io ? 7 : 2;
        }
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    d.close();
    (void)catalog::open(folder / "d");
}

TEST_CASE("durable: what is no durable index is refused, as is another type, and nothing is changed") {
    const quick_directory folder;
    CHECK_THAT(refusal(errc::io, [&] { (void)catalog::open(folder / "none"); }), contains("none"));
    CHECK_FALSE(std::filesystem::exists(folder / "none" / "lock"));
    { auto d = catalog::open(folder / "d", empty_flat); }
    using other = vicinal::flat_index<vicinal::cosine>;
    CHECK(refusal(errc::wrong_type, [&] { (void)durable<other>::open(folder / "d"); }) != "nothing");
    empty_flat().save(folder / "d" / "snapshot-00000000000000ff.vic");
    auto d = catalog::open(folder / "d");  // passed over, and said so
    REQUIRE(d.opened().damaged_because.size() == 1);
    CHECK_THAT(d.opened().damaged_because[0], contains("no snapshot of a durable index"));
}

TEST_CASE("durable: a checkpoint leaves one snapshot and an empty log, with the application's note") {
    const quick_directory folder;
    listener heard;
    std::vector<std::uint64_t> asked;
    const auto note = [&](std::uint64_t sequence) {
        asked.push_back(sequence);
        const std::string text = "state";
        const auto bytes = bytes_of(text);
        return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
    for (const bool in_memory : {true, false}) {
        const auto path = folder / (in_memory ? "memory" : "disk");
        asked.clear();
        heard.heard.clear();
        {
            auto d = catalog::open(path, empty_flat, {.checkpoint_in_memory = in_memory, .note = note});
            CHECK_FALSE(d.checkpoint());  // nothing has changed
            d.add(1, vector_of(1));
            d.add(2, vector_of(2));
            CHECK(d.checkpoint());
            CHECK_FALSE(d.checkpoint());
            CHECK(d.stats().log_bytes == 0);
            CHECK(d.stats().snapshot_sequence == 2);
            CHECK(names_in(path) ==
                  std::vector<std::string>{"lock", "log-0000000000000003.vlog", "snapshot-0000000000000002.vic"});
            d.add(3, vector_of(3));
        }
        CHECK(asked == std::vector<std::uint64_t>{0, 2});
        auto d = catalog::open(path, {.on_replay = heard});
        CHECK(heard.heard == std::vector<std::string>{"0 #2: x0 'state'", "1 #3: 3 x1 ''"});
        CHECK(equals(d.index(), {{1, vector_of(1)}, {2, vector_of(2)}, {3, vector_of(3)}}));
    }
}

TEST_CASE("durable: a note that is too long fails the checkpoint, and the log goes on") {
    const quick_directory folder;
    std::size_t length = 0;
    const auto note = [&](std::uint64_t) { return std::vector<std::byte>(length); };
    auto d = catalog::open(folder / "d", empty_flat, {.note = note});
    d.add(1, vector_of(1));
    length = 65513;
    CHECK(refusal(errc::invalid_argument, [&] { d.checkpoint(); }) != "nothing");
    CHECK(d.stats().checkpoint_failures == 1);
    CHECK(d.stats().checkpoint_error != "");
    d.add(2, vector_of(2));
    length = 65512;
    CHECK(d.checkpoint());
    CHECK(d.stats().checkpoint_error == "");
    d.close();
    CHECK(equals(catalog::open(folder / "d").index(), {{1, vector_of(1)}, {2, vector_of(2)}}));
}

TEST_CASE("durable: a log that has grown is checkpointed in the background") {
    const quick_directory folder;
    auto d = catalog::open(folder / "d", empty_flat, {.checkpoint_ratio = 2, .checkpoint_bytes = 4096});
    id next = 0;
    while (d.stats().checkpoints < 3 && next < 100000) ++next, d.upsert(next % 50, vector_of(next));
    CHECK(d.stats().checkpoints >= 3);
    d.close();
    CHECK(vicinal::detail::list_directory(folder / "d").snapshots.size() == 1);
    CHECK(catalog::open(folder / "d")->size() == 50);
}

TEST_CASE("durable: callbacks that would change the index are refused, a closed one refuses changes and is searched") {
    const quick_directory folder;
    catalog* self = nullptr;
    std::string said;
    const auto note = [&](std::uint64_t) {
        if (self != nullptr) said = refusal(errc::reentrant_call, [&] { self->add(99, vector_of(9)); });
        return std::vector<std::byte>();
    };
    auto d = catalog::open(folder / "d", empty_flat, {.note = note});
    self = &d;
    d.add(1, vector_of(1));
    CHECK(d.checkpoint());
    CHECK_THAT(said, contains("may search it, not change it"));
    const auto rows = gaussian(3, dim);
    const std::vector<id> ids = {2, 3, 4};
    const auto progress = [&](std::size_t, std::size_t) { said = refusal(errc::reentrant_call, [&] { d.remove(1); }); };
    said.clear();
    d.add(ids, rows.view(), {.progress = progress});
    CHECK_THAT(said, contains("may search it, not change it"));
    d.close();
    d.close();
    CHECK(refusal(errc::read_only, [&] { d.add(9, vector_of(9)); }) != "nothing");
    CHECK(refusal(errc::read_only, [&] { d.checkpoint(); }) != "nothing");
    CHECK(d->search(vector_of(1), 1).size() == 1);
}

TEST_CASE("durable: ids of every type, and vectors of other numbers") {
    const quick_directory folder;
    using enumerated = vicinal::flat_index<vicinal::l2, vicinal::f32, fruit>;
    using small = vicinal::flat_index<vicinal::l2, vicinal::i8, std::uint8_t>;
    {
        auto d = durable<enumerated>::open(folder / "e", [] { return enumerated(3); });
        d.add(fruit::apple, {1, 2, 3});
        const std::vector<fruit> both = {fruit::pear, static_cast<fruit>(5)};
        d.add(both, vicinal::matrix_view<const float>(gaussian(2, 3).values, 3));
        auto s = durable<small>::open(folder / "s", [] { return small(3); });
        s.add(std::uint8_t{255}, std::vector<std::int8_t>{-128, 0, 127});
    }
    auto d = durable<enumerated>::open(folder / "e");
    CHECK(d->get(fruit::apple) == std::vector<float>{1, 2, 3});
    CHECK(d->contains(fruit::pear));
    CHECK(d->size() == 3);
    CHECK(durable<small>::open(folder / "s")->get(255) == std::vector<float>{-128, 0, 127});
    CHECK(refusal(errc::wrong_type, [&] { (void)durable<enumerated>::open(folder / "s"); }) != "nothing");
#if defined(VICINAL_HAS_INT128)
    using wide = vicinal::flat_index<vicinal::l2, vicinal::f32, vicinal::detail::uint128>;
    const auto key = vicinal::detail::uint128{7} << 100;
    durable<wide>::open(folder / "w", [] { return wide(3); }).add(key, {1, 2, 3});
    CHECK(durable<wide>::open(folder / "w")->contains(key));
#endif
}

TEST_CASE("durable: by interval a change returns at once and is on the disk soon, or when sync() says so") {
    const quick_directory folder;
    using vicinal::sync_policy;
    {
        auto d =
            catalog::open(folder / "d", empty_flat, {.sync = sync_policy::interval, .interval = std::chrono::hours(1)});
        for (id i = 0; i < 100; ++i) d.add(i, vector_of(i));
        CHECK(d.stats().synced_sequence == 0);
        CHECK(d.stats().syncs == 0);
        d.sync();
        CHECK(d.stats().synced_sequence == 100);
        CHECK(d.stats().syncs == 1);
        copy_directory(folder / "d", folder / "as_synced");
        d.add(100, vector_of(100));
        copy_directory(folder / "d", folder / "as_killed");
    }
    CHECK(catalog::open(folder / "as_synced")->size() == 100);
    CHECK(catalog::open(folder / "as_killed")->size() == 100);
    CHECK(catalog::open(folder / "d")->size() == 101);
    auto d = catalog::open(folder / "d", {.sync = sync_policy::interval, .interval = std::chrono::milliseconds(1)});
    d.add(1000, vector_of(1));
    for (int i = 0; i < 5000 && d.stats().synced_sequence < 102; ++i) ::usleep(1000);
    CHECK(d.stats().synced_sequence == 102);
}

TEST_CASE("durable: an open that is stopped leaves all as it was, and the next one replays it") {
    const quick_directory folder;
    {
        auto d = catalog::open(folder / "d", empty_flat);
        for (id i = 0; i < 20; ++i) d.add(i, vector_of(i));
    }
    const auto before = names_in(folder / "d");
    vicinal::stop_source source;
    std::size_t told = 0;
    const auto stop_soon = [&](const catalog::entry& entry) {
        if (entry.sequence == 7) source.request_stop();
        ++told;
    };
    CHECK(refusal(errc::cancelled, [&] {
              (void)catalog::open(folder / "d", {.on_replay = stop_soon, .stop = source.get_token()});
          }) != "nothing");
    CHECK(told == 8);
    CHECK(names_in(folder / "d") == before);
    std::size_t done = 0;
    std::size_t total = 0;
    const auto progress = [&](std::size_t d, std::size_t t) {
        done = d;
        total = t;
    };
    CHECK(catalog::open(folder / "d", {.progress = progress})->size() == 20);
    CHECK(done == total);
    CHECK(total > 20 * 40);
}
