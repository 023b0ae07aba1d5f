// SPDX-License-Identifier: MIT
// What a full disk, a kill and a loss of power leave of a file that is being replaced: the old index or the new one,
// whole. Set VICINAL_TEST_LONG=1 for every byte and for 2000 kills (scripts/file_campaign.sh).
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "contract/index_contract.hpp"
#include "support/temporary.hpp"
#include "vicinal/io/index_io.hpp"

namespace {

using namespace vicinal_test;

bool long_form() { return std::getenv("VICINAL_TEST_LONG") != nullptr; }

bytes_t slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
void spill(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}
std::size_t entries_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

/// A limit of this process on the size of the files it writes, while it lives: a disk that is full at that byte.
class size_limit {
  public:
    explicit size_limit(std::size_t bytes) {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &saved_) == 0);
        struct ::rlimit low = saved_;
        low.rlim_cur = bytes;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &low) == 0);
    }
    size_limit(const size_limit&) = delete;
    size_limit& operator=(const size_limit&) = delete;
    ~size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &saved_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    struct ::rlimit saved_ {};
    void (*handler_)(int) = SIG_DFL;
};

/// Takes `room` bytes, then fails.
class narrow : public std::streambuf {
  public:
    explicit narrow(std::size_t room) : room_(room) {}

  protected:
    int_type overflow(int_type c) override { return room_ == 0 ? traits_type::eof() : (--room_, c); }
    std::streamsize xsputn(const char*, std::streamsize n) override {
        const auto part = std::min(static_cast<std::size_t>(n), room_);
        room_ -= part;
        return static_cast<std::streamsize>(part);
    }
    int sync() override { return 0; }

  private:
    std::size_t room_;
};

template <class Call>
std::string outcome(Call&& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        return std::string(vicinal::to_string(e.code()));
    }
    return "done";
}

const subject& subject_named(const std::string& kind) {
    for (const subject* s : sorted_subjects())
        if (s->kind == kind) return *s;
    FAIL("no index of kind " << kind);
    return *subjects().front();
}

// ---- a file system whose power can fail
// ------------------------------------------------------------------------------

/// One thing that was asked of the system.
struct operation {
    enum class kind { create, write, sync, close, replace, sync_directory };
    kind what;
    std::size_t at = 0;  ///< of a write
    bytes_t bytes{};
};

/// file_calls that note what they do and do it only there.
struct logging_calls {
    using handle = int;
    static inline std::vector<operation> log;
    static inline std::size_t position = 0;

    static int look_up(const std::filesystem::path&, vicinal::detail::file_rights& out) noexcept {
        out.exists = out.regular = true;
        return 0;
    }
    static int create(const std::filesystem::path&, mode_t, handle& out) noexcept {
        log.push_back({operation::kind::create});
        position = 0;
        out = 7;
        return 0;
    }
    static int hold(handle, const std::filesystem::path&, handle& out) noexcept {
        out = 9;
        return 0;
    }
    static void sweep(const std::filesystem::path&, const vicinal::detail::temporary_names&, std::uint64_t) noexcept {}
    static std::string host() { return {}; }
    static int give(handle, const vicinal::detail::file_rights&) noexcept { return 0; }
    /// Unsynced zeros, as far as a loss of power is concerned.
    static int reserve(handle, std::uint64_t bytes) noexcept {
        log.push_back({operation::kind::write, 0, bytes_t(static_cast<std::size_t>(bytes))});
        return 0;
    }
    static int write(handle, const std::byte* data, std::size_t size, std::size_t& written) noexcept {
        written = std::min<std::size_t>(size, 1500);  // many writes, so that there are many places to fail
        log.push_back({operation::kind::write, position, bytes_t(data, data + written)});
        position += written;
        return 0;
    }
    static int seek(handle, std::uint64_t offset) noexcept {
        position = static_cast<std::size_t>(offset);
        return 0;
    }
    static int sync(handle) noexcept {
        log.push_back({operation::kind::sync});
        return 0;
    }
    static int close(handle which) noexcept {
        if (which == 7) log.push_back({operation::kind::close});
        return 0;
    }
    static int replace(const std::filesystem::path&, const std::filesystem::path&) noexcept {
        log.push_back({operation::kind::replace});
        return 0;
    }
    static int remove(const std::filesystem::path&) noexcept { return 0; }
    static int open_directory(const std::filesystem::path&, handle& out) noexcept {
        out = 8;
        return 0;
    }
    static int sync_directory(handle) noexcept {
        log.push_back({operation::kind::sync_directory});
        return 0;
    }
    static std::uint64_t process() noexcept { return 1; }
};

void apply(bytes_t& file, std::size_t at, std::span<const std::byte> bytes) {
    if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(at));
}

/// GCC 12 warns inside the vectors' own comparison.
struct shorter_or_less {
    bool operator()(const bytes_t& a, const bytes_t& b) const {
        if (a.size() != b.size()) return a.size() < b.size();
        return !a.empty() && std::memcmp(a.data(), b.data(), a.size()) < 0;
    }
};
using byte_sets = std::set<bytes_t, shorter_or_less>;

/// What the path may hold after the power failed behind the first `count` operations: writes that were not synced are
/// there or not, each whole or cut at a sector, in any order; a rename that was not synced happened or did not.
byte_sets states_after(const std::vector<operation>& log, std::size_t count, const bytes_t& old) {
    bytes_t durable;
    std::vector<const operation*> pending;
    bool renamed = false;
    bool rename_durable = false;
    for (std::size_t i = 0; i < count; ++i) {
        const operation& op = log[i];
        if (op.what == operation::kind::write) pending.push_back(&op);
        if (op.what == operation::kind::sync) {
            for (const operation* write : pending) apply(durable, write->at, write->bytes);
            pending.clear();
        }
        if (op.what == operation::kind::replace) renamed = true;
        if (op.what == operation::kind::sync_directory) rename_durable = renamed;
    }
    byte_sets states;
    if (!rename_durable) states.insert(old);
    if (!renamed) return states;
    states.insert(durable);  // nothing of what was pending
    bytes_t upto = durable;
    for (const operation* write : pending) {
        for (std::size_t cut = 0; cut < write->bytes.size(); cut += 512) {
            bytes_t torn = upto;
            apply(torn, write->at, std::span(write->bytes).first(cut));
            states.insert(torn);
            bytes_t alone = durable;  // the disk took a later write first
            apply(alone, write->at, std::span(write->bytes).subspan(cut));
            states.insert(alone);
        }
        apply(upto, write->at, write->bytes);
    }
    states.insert(upto);
    return states;
}

/// The operations of saving the index that `file` holds.
std::vector<operation> logged_save(const bytes_t& file, bool sync) {
    using namespace vicinal::detail;
    logging_calls::log.clear();
    const file_image image(read_span(file));
    section_writer out(image.header());
    copy_sections(image, out, {});
    out.save_with<logging_calls>("a.vic", {.sync = sync});
    return logging_calls::log;
}

template <class Work>
std::size_t microseconds_of(Work work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const auto taken = std::chrono::steady_clock::now() - begin;
    return static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
}

/// A process that saves two indexes to one path in turns until it is killed. It tells of each save by a byte in a pipe:
/// kills that went by the clock alone came before the first save where machine and disk are slow.
class saver {
  public:
    saver(const any_index& one, const any_index& other, const std::filesystem::path& path) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            ::close(ends[0]);  // so that it ends, by SIGPIPE, with a parent that is gone
            save_for_ever(one, other, path, ends[1]);
        }
        ::close(ends[1]);
        told_ = ends[0];
    }
    saver(const saver&) = delete;
    saver& operator=(const saver&) = delete;
    ~saver() {
        if (child_ > 0) kill();
        ::close(told_);
    }

    /// Waits until the process runs and has saved `count` times.
    void await_saves(std::size_t count) {
        char byte = 0;
        for (std::size_t told = 0; told <= count; ++told) REQUIRE(::read(told_, &byte, 1) == 1);
    }

    /// Returns how it ended, as waitpid() says it.
    int kill() {
        int status = 0;
        ::kill(child_, SIGKILL);
        ::waitpid(std::exchange(child_, 0), &status, 0);
        return status;
    }

  private:
    // noexcept: no exception may take the child into the tests that follow.
    [[noreturn]] static void save_for_ever(const any_index& one, const any_index& other,
                                           const std::filesystem::path& path, int tell) noexcept {
        for (const any_index* next = &one;; next = next == &one ? &other : &one) {
            if (::write(tell, "", 1) != 1) std::abort();
            next->save(path);
        }
    }

    pid_t child_ = 0;
    int told_ = -1;
};

}  // namespace

TEST_CASE("crash: a disk full at any byte is an io error; the old file is as it was, nothing is left behind") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(12, 3));
    const filled other(s, gaussian(9, 3));
    const temporary_directory folder;
    other.index->save(folder / "a.vic");
    const bytes_t old = slurp(folder / "a.vic");
    const bytes_t wanted = f.index->save();
    for (std::size_t room = 0; room < wanted.size(); room += long_form() ? 1 : 29) {
        INFO("full after " << room << " bytes");
        std::string result;
        {
            const size_limit limit(room);
            result = outcome([&] { f.index->save(folder / "a.vic"); });
        }
        REQUIRE(result == "io");
        REQUIRE(difference(slurp(folder / "a.vic"), old) == "none");
        REQUIRE(entries_in((folder / "a.vic").parent_path()) == 1);
        narrow buffer(room);
        std::ostream stream(&buffer);
        REQUIRE(outcome([&] { f.index->save(stream); }) == "io");
    }
    REQUIRE(difference(f.index->save(), wanted) == "none");  // the index does not mind
    f.index->save(folder / "a.vic");
    REQUIRE(difference(slurp(folder / "a.vic"), wanted) == "none");
}

TEST_CASE("crash: after a loss of power behind any operation the path holds the old index or the new one") {
    for (const char* const kind : {"flat", "ivf", "hnsw"}) {
        const subject& s = subject_named(kind);
        const bytes_t old = filled(s, gaussian(40, 6)).index->save();
        const bytes_t fresh = filled(s, gaussian(50, 6, 9)).index->save();
        const auto log = logged_save(fresh, true);
        std::size_t new_ones = 0;
        REQUIRE(log.size() > 6);
        for (std::size_t count = 0; count <= log.size(); ++count)
            for (const bytes_t& state : states_after(log, count, old)) {
                INFO(kind << ", after " << count << " of " << log.size() << " operations");
                const bool whole = state == old || state == fresh;
                REQUIRE(whole);
                new_ones += state == fresh ? 1 : 0;
                REQUIRE(s.load(std::span<const std::byte>(state))->check().ok());
            }
        REQUIRE(states_after(log, log.size(), old) == byte_sets{fresh});
        REQUIRE(new_ones >= 2);

        // The model sees a sync that is missing: without one, there are states that are no index.
        auto careless = log;
        std::erase_if(careless, [](const operation& op) { return op.what == operation::kind::sync; });
        std::size_t broken = 0;
        for (std::size_t count = 0; count <= careless.size(); ++count)
            for (const bytes_t& state : states_after(careless, count, old))
                broken += outcome([&] { (void)s.load(std::span<const std::byte>(state)); }) == "done" ? 0 : 1;
        REQUIRE(broken > 10);

        // Without syncs a crash of the program, which loses no write, still leaves the one or the other.
        const auto quick = logged_save(fresh, false);
        bytes_t temporary;
        bytes_t path = old;
        for (const operation& op : quick) {
            REQUIRE(op.what != operation::kind::sync);
            if (op.what == operation::kind::write) apply(temporary, op.at, op.bytes);
            if (op.what == operation::kind::replace) path = temporary;
            const bool whole = path == old || path == fresh;
            REQUIRE(whole);
        }
        REQUIRE(difference(path, fresh) == "none");
    }
}

TEST_CASE("crash: a program killed while it saves leaves the old index or the new one, the next save only one") {
    const int kills = long_form() ? 2000 : 40;
    std::size_t seen_first = 0;
    std::size_t seen_second = 0;
    int done = 0;
    for (const char* const kind : {"flat", "ivf", "hnsw"}) {
        const subject& s = subject_named(kind);
        const filled a(s, gaussian(400, 12));
        const filled b(s, gaussian(500, 12, 9));
        const bytes_t first = a.index->save();
        const bytes_t second = b.index->save();
        const temporary_directory folder;
        spill(folder / "a.vic", first);
        const auto save_microseconds = 1 + microseconds_of([&] { a.index->save(folder / "a.vic"); });
        numbers random(4);
        for (int kill = 0; kill < kills / 3 + 1; ++kill, ++done) {
            saver child(*b.index, *a.index, folder / "a.vic");
            child.await_saves(random.below(4));
            ::usleep(static_cast<useconds_t>(random.below(save_microseconds)));
            const int status = child.kill();
            REQUIRE(WIFSIGNALED(status));
            REQUIRE(WTERMSIG(status) == SIGKILL);
            const bytes_t found = slurp(folder / "a.vic");
            INFO(kind << ", kill " << kill);
            const bool whole = found == first || found == second;
            REQUIRE(whole);
            (found == first ? seen_first : seen_second) += 1;
            if (kill % 8 == 0) REQUIRE(s.load(folder / "a.vic")->check().ok());
        }
        b.index->save(folder / "a.vic");
        REQUIRE(entries_in((folder / "a.vic").parent_path()) ==
                1);  // it took away what those that were killed had left
    }
    CAPTURE(done, seen_first, seen_second);
    REQUIRE(seen_first > 0);
    REQUIRE(seen_second > 0);
}
