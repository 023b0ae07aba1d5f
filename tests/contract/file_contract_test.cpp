// SPDX-License-Identifier: MIT
// What every index promises about files, with every metric and codec. Damaged files are the io tests' affair.
#include <fstream>
#include <limits>
#include <sstream>

#include "contract/index_contract.hpp"
#include "support/temporary.hpp"
#include "vicinal/io/source.hpp"

namespace {

using namespace vicinal_test;

const float infinity = std::numeric_limits<float>::infinity();

/// All that can be asked of two indexes is answered the same.
void require_same_answers(const any_index& a, const any_index& b, const dataset& queries,
                          std::span<const std::uint64_t> ids) {
    REQUIRE(a.size() == b.size());
    REQUIRE(a.dim() == b.dim());
    for (const std::uint64_t id : ids) {
        if (a.contains(id) != b.contains(id)) FAIL("only one of them holds id " << id);
        if (a.contains(id)) REQUIRE(a.get(id) == b.get(id));
    }
    const vicinal::id_set<std::uint64_t> few(ids.first(std::min<std::size_t>(3, ids.size())));
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        for (const bool all : {false, true})
            for (const std::size_t k : {1U, 10U, 1000U}) {
                asking how;
                how.everything = all;
                REQUIRE(a.search(queries[q], k, how) == b.search(queries[q], k, how));
                how.filter = few;
                REQUIRE(a.search(queries[q], k, how) == b.search(queries[q], k, how));
            }
        REQUIRE(a.search_within(queries[q], infinity) == b.search_within(queries[q], infinity));
        hits_t from_a;
        hits_t from_b;
        for (const auto& hit : a.nearest(queries[q])) from_a.push_back(hit);
        for (const auto& hit : b.nearest(queries[q])) from_b.push_back(hit);
        REQUIRE(from_a == from_b);
    }
}

void require_survives_files(const subject& s, const any_index& index, const dataset& queries,
                            std::span<const std::uint64_t> ids) {
    const bytes_t bytes = index.save();
    REQUIRE(difference(index.save(), bytes) == "none");
    const temporary_directory folder;
    index.save(folder / "index.vic");
    std::ostringstream out(std::ios::binary);
    index.save(out);
    std::ifstream file(folder / "index.vic", std::ios::binary);
    std::ostringstream contents(std::ios::binary);
    contents << file.rdbuf();
    REQUIRE(out.str() == contents.str());
    REQUIRE(out.str() == std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));

    std::istringstream in(out.str(), std::ios::binary);
    vicinal::detail::aligned_bytes aligned(bytes.size());
    std::copy(bytes.begin(), bytes.end(), aligned.bytes().begin());
    index_ptr copies[] = {s.load(std::span<const std::byte>(bytes)), s.load(folder / "index.vic"), s.load(in),
                          s.view(folder / "index.vic"), s.view(aligned.bytes())};
    const char* const names[] = {"loaded from bytes", "loaded from a path", "loaded from a stream", "viewed",
                                 "viewed in memory"};
    for (std::size_t i = 0; i < std::size(copies); ++i) {
        INFO(names[i]);
        REQUIRE(copies[i]->check().ok());
        REQUIRE(copies[i]->check().live == index.size());
        require_same_answers(index, *copies[i], queries, ids);
        REQUIRE(difference(copies[i]->save(), bytes) == "none");
        REQUIRE(copies[i]->memory().total > 0);
        copies[i]->verify();
    }
}

}  // namespace

TEST_CASE("file contract: a saved index answers as before and saves the same bytes again") {
    FOR_EVERY_INDEX(s);
    for (const std::size_t dim : {1U, 7U, 33U}) {
        const filled f(s, gaussian(150, dim));
        require_survives_files(s, *f.index, gaussian(3, dim, 8), f.ids);
    }
}

TEST_CASE("file contract: an index with removed and updated rows survives a file") {
    FOR_EVERY_INDEX(s);
    filled f(s, clustered(200, 9, 8));
    const dataset moved = gaussian(200, 9, 44);
    for (std::size_t i = 0; i < f.ids.size(); i += 5) f.index->remove(f.ids[i]);
    for (std::size_t i = 1; i < f.ids.size(); i += 7)
        if (f.index->contains(f.ids[i])) f.index->update(f.ids[i], moved[i]);
    require_survives_files(s, *f.index, gaussian(3, 9, 8), f.ids);
    for (const std::uint64_t id : f.ids) f.index->remove(id);
    require_survives_files(s, *f.index, gaussian(1, 9, 8), f.ids);
}

TEST_CASE("file contract: empty indexes survive a file whether trained or not") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(50, 6);
    const index_ptr index = s.make(6);
    const std::vector<std::uint64_t> ids{0, 1};
    require_survives_files(s, *index, gaussian(1, 6, 8), ids);
    index->train(rows.view());
    require_survives_files(s, *index, gaussian(1, 6, 8), ids);
    const index_ptr copy = s.load(std::span<const std::byte>(index->save()));
    copy->add(3, rows[0]);
    index->add(3, rows[0]);
    REQUIRE(difference(copy->save(), index->save()) == "none");
}

TEST_CASE("file contract: a loaded index can be changed like any other") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(150, 8));
    for (std::size_t i = 0; i < 150; i += 4) {
        f.index->remove(f.ids[i]);
        f.held.erase(f.ids[i]);
    }
    const index_ptr copy = s.load(std::span<const std::byte>(f.index->save()));
    const dataset more = gaussian(60, 8, 12);
    const auto ids = numbered<std::uint64_t>(60, 5000);
    REQUIRE(copy->add(std::span(ids).first(50), more.view(0, 50)) == 50);
    for (std::size_t i = 50; i < 60; ++i) copy->add(ids[i], more[i]);
    for (std::size_t i = 1; i < 150; i += 4) copy->update(f.ids[i], more[i % 60]);
    for (std::size_t i = 2; i < 150; i += 4) {
        REQUIRE(copy->remove(f.ids[i]));
        f.held.erase(f.ids[i]);
    }
    REQUIRE(copy->check().ok());
    for (auto& [id, row] : f.held) row = copy->get(id);
    for (const std::uint64_t id : ids) f.held[id] = copy->get(id);
    for (std::size_t q = 0; q < 5; ++q)
        f.expect(s).require_closest(more[q], 12, copy->search(more[q], 12, exhaustive()));
    const bytes_t bytes = copy->save();
    REQUIRE(difference(s.load(std::span<const std::byte>(bytes))->save(), bytes) == "none");
}

TEST_CASE("file contract: the same calls give the same bytes") {
    FOR_EVERY_INDEX(s);
    const auto build = [&] {
        filled f(s, gaussian(150, 8));
        for (std::size_t i = 0; i < 150; i += 3) f.index->remove(f.ids[i]);
        for (std::size_t i = 1; i < 150; i += 3) f.index->update(f.ids[i], f.rows[i - 1]);
        f.index->add(9, f.rows[0]);
        return f.index->save();
    };
    REQUIRE(difference(build(), build()) == "none");
}

TEST_CASE("file contract: several indexes and words of the caller's in one stream") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(40, 5));
    const filled g(s, gaussian(30, 5, 9), 700);
    std::stringstream stream;
    f.index->save(stream);
    g.index->save(stream);
    stream << "word";
    REQUIRE(difference(s.load(stream)->save(), f.index->save()) == "none");
    REQUIRE(stream.good());
    REQUIRE(difference(s.load(stream)->save(), g.index->save()) == "none");
    std::string word;
    stream >> word;
    REQUIRE(word == "word");
}

TEST_CASE("file contract: saving leaves the index as it was") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(80, 8));
    const hits_t before = f.index->search(f.rows[0], 20);
    static_cast<void>(f.index->save());
    REQUIRE(f.index->search(f.rows[0], 20) == before);
}

TEST_CASE("file contract: a file of another index is refused by name") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(30, 8));
    const bytes_t bytes = f.index->save();
    for (const subject* other : sorted_subjects()) {
        if (other->name() == s.name()) continue;
        INFO("loaded as " << other->name());
        std::vector<std::string> parts;
        if (other->kind != s.kind) parts = {s.kind, other->kind};
        if (other->kind == s.kind && other->metric != s.metric) parts = {s.metric, other->metric};
        require_refusal(errc::wrong_type, parts, [&] { (void)other->load(std::span<const std::byte>(bytes)); });
    }
}

TEST_CASE("file contract: a view of bytes in memory works on those bytes, and refuses what it cannot use in place") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(60, 8));
    const bytes_t bytes = f.index->save();
    vicinal::detail::aligned_bytes room(bytes.size() + 64);
    const auto at = [&](std::size_t offset) {
        std::copy(bytes.begin(), bytes.end(), room.bytes().begin() + static_cast<std::ptrdiff_t>(offset));
        return room.bytes().subspan(offset, bytes.size());
    };
    for (const std::size_t offset : {1U, 16U, 63U})
        require_refusal(errc::invalid_argument, {std::to_string(offset), "64"}, [&] { (void)s.view(at(offset)); });
    require_refusal(errc::corrupt_file, {}, [&] { (void)s.view(at(0).first(bytes.size() - 1)); });
    require_refusal(errc::corrupt_file, {}, [&] { (void)s.view(std::span<const std::byte>{}); });

    const index_ptr view = s.view(at(64));
    require_refusal(errc::read_only, {}, [&] { view->remove(f.ids[0]); });
    view->verify();
    room.bytes().back() ^= std::byte{1};  // not a copy: damage done later is seen
    require_refusal(errc::corrupt_file, {}, [&] { view->verify(); });
}

TEST_CASE("file contract: a file that does not exist is an io error that names it") {
    FOR_EVERY_INDEX(s);
    const temporary_directory folder;
    require_refusal(errc::io, {"absent.vic"}, [&] { (void)s.load(folder / "absent.vic"); });
    require_refusal(errc::io, {"absent.vic"}, [&] { (void)s.view(folder / "absent.vic"); });
    const filled f(s, gaussian(30, 8));
    require_refusal(errc::io, {"missing"}, [&] { f.index->save(folder / "missing/index.vic"); });
    REQUIRE(f.index->size() == 30);
}
