// SPDX-License-Identifier: MIT
// A follower has what the writer has, through checkpoints, reopened directories and changes that were taken back.
#include "durable/support.hpp"

namespace {

using namespace vicinal_test;
using vicinal::durable;
using catalog = durable<flat>;
using follower = vicinal::durable_follower<flat>;

template <class Index>
bool same(const Index& a, const Index& b) {
    return saved(a.clone()) == saved(b.clone());  // clone: without the notes of their files
}
bool agree(const follower& f, const catalog& d) {
    return f.sequence() == d.last_sequence() && f.index()->ids() == d->ids() && f.index()->size() == d->size();
}

}  // namespace

TEST_CASE("durable follower: it takes over every change, in the order of the log") {
    const quick_directory folder;
    auto d = catalog::open(folder / "d", empty_flat, {.checkpoint_ratio = 0});
    d.add(1, vector_of(1));
    std::vector<std::string> heard;
    follower f(folder / "d", {.on_change = [&](const catalog::entry& entry) {
                   heard.push_back(std::to_string(static_cast<int>(entry.kind)) + "#" + std::to_string(entry.sequence) +
                                   text_of(entry.payload));
               }});
    CHECK(agree(f, d));
    CHECK(f.refresh() == 0);
    d.add(2, vector_of(2), {.payload = bytes_of("two")});
    d.remove(1);
    CHECK(f.index()->size() == 1);
    CHECK(f.refresh() == 2);
    CHECK(agree(f, d));
    CHECK(f.index()->get(2) == vector_of(2));
    CHECK(heard == std::vector<std::string>{"0#0", "1#1", "1#2two", "4#3"});
}

TEST_CASE("durable follower: checkpoints move the log on, whether or not it was read to its end") {
    const quick_directory folder;
    auto d = catalog::open(folder / "d", empty_flat, {.checkpoint_ratio = 0});
    follower f(folder / "d");
    const auto held = f.index();
    id next = 0;
    const auto add_next = [&] {
        ++next;
        d.add(next, vector_of(next));
    };
    for (const int unread : {0, 1, 3}) {
        for (int i = 0; i < 4; ++i) add_next();
        f.refresh();
        for (int i = 0; i < unread; ++i) add_next();
        d.checkpoint();
        CHECK(f.refresh() == static_cast<std::uint64_t>(unread));
        CHECK(agree(f, d));
        for (int i = 0; i < 2; ++i) add_next();
        d.checkpoint();
        add_next();
        d.checkpoint();  // two segments have come and gone
        add_next();
        CHECK(f.refresh() == 4);
        CHECK(agree(f, d));
    }
    CHECK(same(*f.index(), d.index()));
    CHECK(held->search(vector_of(1), 1).size() == 1);  // who holds an index of before may search it on
}

TEST_CASE("durable follower: writers that come and go are followed on") {
    const quick_directory folder;
    { auto d = catalog::open(folder / "d", empty_flat); }
    follower f(folder / "d");
    for (id i = 0; i < 5; ++i) {
        auto d = catalog::open(folder / "d");
        CHECK(f.refresh() == 0);
        if (i != 2) d.add(i, vector_of(i));
        CHECK(f.refresh() == (i != 2 ? 1 : 0));
        CHECK(agree(f, d));
    }
}

TEST_CASE("durable follower: a change that the disk refused is taken back, also where another took its number") {
    const quick_directory folder;
    const auto path = folder / "d";
    for (const bool seen : {false, true}) {
        std::filesystem::remove_all(path);
        failing_calls::arm(0, false, 0);
        {
            auto d = durable<flat, failing_calls>::open(path, empty_flat);
            d.add(1, vector_of(1));
        }
        auto failing = std::make_unique<durable<flat, failing_calls>>(durable<flat, failing_calls>::open(path));
        follower f(path);
        const auto log = last_segment(path);
        if (seen) {  // it reads the change between write and failed sync
            failing_calls::arm(0, false, 0);
            failing->add(2, vector_of(2));
            const auto bytes = read_file(log);
            REQUIRE(f.refresh() == 1);
            failing.reset();
            write_file(log, std::span(bytes).first(128));  // as the failed sync leaves it
        } else {
            failing_calls::arm(3, false, EIO);
            CHECK(refusal(vicinal::errc::io, [&] { failing->add(2, vector_of(2)); }) != "nothing");
            f.refresh();
            failing.reset();
        }
        failing_calls::arm(0, false, 0);
        auto d = catalog::open(path);
        f.refresh();
        CHECK(agree(f, d));
        d.add(3, vector_of(3));  // of the same length and number as the one that is gone
        d.add(4, vector_of(4));
        f.refresh();
        CHECK(agree(f, d));
        CHECK_FALSE(f.index()->contains(2));
    }
}

TEST_CASE("durable follower: it says what is wrong with a directory that is none, and with a damaged log it waits") {
    const quick_directory folder;
    CHECK_THAT(refusal(vicinal::errc::io, [&] { follower f(folder / "none"); }), contains("no durable index"));
    auto d = catalog::open(folder / "d", empty_flat);
    d.add(1, vector_of(1));
    follower f(folder / "d");
    auto bytes = read_file(last_segment(folder / "d"));
    d.add(2, vector_of(2));
    const auto whole = read_file(last_segment(folder / "d"));
    bytes = whole;
    bytes.resize(whole.size() - 5);
    const auto other = folder / "half";
    copy_directory(folder / "d", other);
    write_file(last_segment(other), bytes);
    follower half(other);  // a record that is being written
    CHECK(half.sequence() == 1);
    CHECK(half.refresh() == 0);
    write_file(last_segment(other), whole);
    CHECK(half.refresh() == 1);
    CHECK(f.refresh() == 1);
}
