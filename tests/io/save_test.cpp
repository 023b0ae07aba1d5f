// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

/// file_calls on a disk that fails on request.
struct shaky_calls : file_calls {
    static inline int calls = 0;                // so far
    static inline int fail_at = -1;             // the number of the call that fails with EIO
    static inline int no_room = 0;              // what setting room aside fails with
    static inline std::uint64_t space = ~0ULL;  // bytes left before ENOSPC
    static inline std::size_t most = ~0ULL;     // bytes one write takes at most
    static inline bool interrupt = false;       // every other call is interrupted
    static inline std::vector<std::string> log;

    static void reset() {
        calls = 0;
        fail_at = -1;
        no_room = 0;
        space = most = ~0ULL;
        interrupt = false;
        log.clear();
    }
    static int before(const char* what) {
        log.emplace_back(what);
        const int number = calls++;
        if (number == fail_at) return EIO;
        return interrupt && number % 2 == 0 ? EINTR : 0;
    }
    template <class Call>
    static int after(const char* what, Call&& call) {
        if (const int failed = before(what)) return failed;
        return call();
    }

    static int look_up(const std::filesystem::path& path, file_rights& out) {
        return after("look_up", [&] { return file_calls::look_up(path, out); });
    }
    static int create(const std::filesystem::path& path, mode_t mode, handle& out) {
        return after("create", [&] { return file_calls::create(path, mode, out); });
    }
    static int hold(handle file, const std::filesystem::path& path, handle& out) {
        return after("hold", [&] { return file_calls::hold(file, path, out); });
    }
    static int give(handle file, const file_rights& old) {
        return after("give", [&] { return file_calls::give(file, old); });
    }
    static int reserve(handle file, std::uint64_t bytes) {
        return after("reserve", [&] { return no_room != 0 ? no_room : file_calls::reserve(file, bytes); });
    }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) {
        written = 0;
        return after("write", [&] {
            if (space == 0) return ENOSPC;
            const auto part = static_cast<std::size_t>(std::min<std::uint64_t>({size, most, space}));
            const int failed = file_calls::write(file, data, part, written);
            space -= written;
            return failed;
        });
    }
    static int seek(handle file, std::uint64_t offset) {
        log.emplace_back("seek");
        return calls++ == fail_at ? EIO : file_calls::seek(file, offset);
    }
    static int sync(handle file) {
        return after("sync", [&] { return file_calls::sync(file); });
    }
    static int close(handle file) {
        log.emplace_back("close");
        const int failed = file_calls::close(file);
        return calls++ == fail_at ? EIO : failed;
    }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        log.emplace_back("rename");
        return calls++ == fail_at ? EIO : file_calls::replace(from, to);
    }
    static int open_directory(const std::filesystem::path& path, handle& out) {
        return after("open_directory", [&] { return file_calls::open_directory(path, out); });
    }
    static int sync_directory(handle directory) {
        return after("sync_directory", [&] { return file_calls::sync_directory(directory); });
    }
};

bytes_t old_bytes() { return bytes_t(1000, std::byte{0x5A}); }

/// Takes `room` bytes, then fails.
class narrow : public std::streambuf {
  public:
    explicit narrow(std::size_t room) : room_(room) {}
    std::string taken;

  protected:
    int_type overflow(int_type c) override {
        if (taken.size() == room_) return traits_type::eof();
        taken += traits_type::to_char_type(c);
        return c;
    }
    int sync() override { return 0; }

  private:
    std::size_t room_;
};

/// Runs as an ordinary user while it lives, if the tests run as root.
struct unprivileged {
    unprivileged() { active = ::geteuid() != 0 || ::seteuid(65534) == 0; }
    ~unprivileged() {
        if (::getuid() == 0) (void)!::seteuid(0);
    }
    bool active;
};

mode_t mode_of(const std::filesystem::path& path) {
    struct ::stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("save: a disk that fills up at any byte is an error, the old file stays, nothing is left behind") {
    const contents from;
    const directory here;
    const auto writer = sample(from);
    spill(here / "a.vic", old_bytes());
    for (std::uint64_t space = 0; space < writer.length(); ++space) {
        shaky_calls::reset();
        shaky_calls::space = space;
        INFO("after " << space << " bytes");
        std::string message;
        REQUIRE(refused([&] { writer.save_with<shaky_calls>(here / "a.vic", {.sync = false}); }, &message) == errc::io);
        REQUIRE(slurp(here / "a.vic") == old_bytes());
        REQUIRE(here.entries() == 1);
        REQUIRE(message.find("cannot write ") != std::string::npos);
        REQUIRE(message.find((here / "a.vic").string()) != std::string::npos);
        REQUIRE(message.find("No space left on device") != std::string::npos);
    }
}

TEST_CASE("save: a disk known to be too full is refused before anything is written") {
    const contents from;
    const directory here;
    const auto writer = sample(from);
    spill(here / "a.vic", old_bytes());
    shaky_calls::reset();
    shaky_calls::no_room = ENOSPC;
    std::string message;
    REQUIRE(refused([&] { writer.save_with<shaky_calls>(here / "a.vic", {}); }, &message) == errc::io);
    CHECK(message.find("cannot make room for ") != std::string::npos);
    CHECK(message.find((here / "a.vic").string()) != std::string::npos);
    CHECK(std::ranges::count(shaky_calls::log, "write") == 0);
    CHECK(slurp(here / "a.vic") == old_bytes());
    CHECK(here.entries() == 1);

    for (const int unable : {EOPNOTSUPP, ENOSYS, EINVAL, EFBIG}) {  // says nothing about the disk
        shaky_calls::reset();
        shaky_calls::no_room = unable;
        REQUIRE(refused([&] { writer.save_with<shaky_calls>(here / "a.vic", {}); }) == std::nullopt);
        CHECK(slurp(here / "a.vic") == writer.to_bytes());
    }
}

TEST_CASE("save: a failure of any system call is an error; old or new file, whole, and nothing else") {
    const contents from;
    const directory here;
    const auto writer = sample(from);
    const auto new_bytes = writer.to_bytes();
    for (const bool sync : {true, false}) {
        int failures = 0;
        for (int call = 0;; ++call) {
            spill(here / "a.vic", old_bytes());
            shaky_calls::reset();
            shaky_calls::fail_at = call;
            const auto code = refused([&] { writer.save_with<shaky_calls>(here / "a.vic", {.sync = sync}); });
            if (shaky_calls::calls <= call) break;
            const std::string failed = shaky_calls::log[static_cast<std::size_t>(call)];
            INFO("call " << call << ": " << failed << ", sync " << sync);
            REQUIRE(here.entries() == 1);
            const auto before = std::span(shaky_calls::log).first(static_cast<std::size_t>(call));
            if (failed == "close" && std::ranges::count(before, "rename") != 0) {
                REQUIRE(code == std::nullopt);  // nothing is lost when closing the lock or a directory fails
                continue;
            }
            // Kindnesses: the writes tell whether there is room, and what is not locked is not swept away.
            if (failed == "reserve" || failed == "hold") {
                REQUIRE(code == std::nullopt);
                REQUIRE(slurp(here / "a.vic") == new_bytes);
                continue;
            }
            REQUIRE(code == errc::io);
            REQUIRE(slurp(here / "a.vic") == (failed == "sync_directory" ? new_bytes : old_bytes()));
            ++failures;
        }
        CHECK(failures == (sync ? 12 : 9));
    }
}

TEST_CASE("save: data reaches the disk before the name, the name before the return") {
    const contents from;
    const directory here;
    const auto order = [&](bool sync) {
        shaky_calls::reset();
        sample(from).save_with<shaky_calls>(here / "a.vic", {.sync = sync});
        return shaky_calls::log;
    };
    using log = std::vector<std::string>;
    CHECK(order(true) == log{"look_up", "open_directory", "create", "hold", "reserve", "write", "seek", "write",
                             "look_up", "sync", "close", "rename", "sync_directory", "close", "close"});
    CHECK(order(false) == log{"look_up", "create", "hold", "reserve", "write", "seek", "write", "look_up", "give",
                              "close", "rename", "close"});
}

TEST_CASE("save: interrupted calls and short writes are continued") {
    const contents from;
    const directory here;
    const auto writer = sample(from);
    spill(here / "a.vic", old_bytes());
    shaky_calls::reset();
    shaky_calls::interrupt = true;
    shaky_calls::most = 3;
    REQUIRE(refused([&] { writer.save_with<shaky_calls>(here / "a.vic", {}); }) == std::nullopt);
    CHECK(slurp(here / "a.vic") == writer.to_bytes());
}

TEST_CASE("save: a missing or forbidden directory and a full device are io errors") {
    const contents from;
    const directory here;
    const auto writer = sample(from);
    std::string message;
    for (const bool sync : {true, false}) {
        CHECK(refused([&] { writer.save(here / "gone/a.vic", {.sync = sync}); }, &message) == errc::io);
        CHECK(message.find("No such file or directory") != std::string::npos);
    }
    CHECK(refused([&] { writer.save(here.path()); }) == errc::io);
    CHECK(refused([&] { writer.save("/dev/full"); }) == errc::io);
    struct ::stat status {};
    REQUIRE(::stat("/dev/full", &status) == 0);
    CHECK(S_ISCHR(status.st_mode));  // and not replaced by a file
    std::ofstream full("/dev/full");
    CHECK(refused([&] { writer.write(full); }) == errc::io);

    spill(here / "a.vic", old_bytes());
    std::filesystem::permissions(here.path(), std::filesystem::perms(0555));
    {
        const unprivileged user;
        if (user.active)
            for (const bool sync : {true, false}) {
                CHECK(refused([&] { writer.save(here / "a.vic", {.sync = sync}); }, &message) == errc::io);
                CHECK(message.find("Permission denied") != std::string::npos);
            }
    }
    CHECK(slurp(here / "a.vic") == old_bytes());
    CHECK(here.entries() == 1);
}

TEST_CASE("save: the system's own limit on file size is an io error and leaves the old file") {
    const contents from;
    const directory here;
    spill(here / "a.vic", old_bytes());
    struct ::rlimit saved {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &saved) == 0);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    struct ::rlimit low = saved;
    low.rlim_cur = 300;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &low) == 0);
    const auto code = refused([&] { sample(from).save(here / "a.vic"); });
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &saved) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(code == errc::io);
    CHECK(slurp(here / "a.vic") == old_bytes());
    CHECK(here.entries() == 1);
}

TEST_CASE("save: a stream that fails at any byte is an io error, whether or not it throws") {
    const contents from;
    const auto writer = sample(from);
    for (const bool throws : {false, true})
        for (std::size_t room = 0; room <= writer.length(); ++room) {
            narrow buffer(room);
            std::ostream stream(&buffer);
            if (throws) stream.exceptions(std::ios::badbit | std::ios::failbit);
            const auto code = refused([&] { writer.write(stream); });
            INFO(room);
            REQUIRE(code == (room == writer.length() ? std::nullopt : std::optional(errc::io)));
        }
    std::ostringstream broken;
    broken.setstate(std::ios::failbit);
    CHECK(refused([&] { writer.write(broken); }) == errc::io);
}

TEST_CASE("save: a section that changes its length or contents while it is written is refused") {
    const directory here;
    int calls = 0;
    const auto writer_of = [&](auto produce) {
        section_writer writer(sample_header());
        calls = 0;
        writer.add_streamed<std::uint32_t>(links, 2, produce);
        return writer;
    };
    const auto shrinks = [](const element_writer<std::uint32_t>& sink) { sink(std::vector<std::uint32_t>{1}); };
    const auto grows = [](const element_writer<std::uint32_t>& sink) { sink(std::vector<std::uint32_t>{1, 2, 3}); };
    const auto changes = [&](const element_writer<std::uint32_t>& sink) {
        sink(std::vector<std::uint32_t>{1, static_cast<std::uint32_t>(calls++)});
    };
    std::ostringstream stream;
    CHECK(refused([&] { (void)writer_of(shrinks).to_bytes(); }) == errc::io);
    std::string message;
    CHECK(refused([&] { (void)writer_of(grows).to_bytes(); }, &message) == errc::io);
    CHECK(message.find("grew") != std::string::npos);
    CHECK(refused([&] { writer_of(shrinks).save(here / "a.vic"); }) == errc::io);
    CHECK(refused([&] { writer_of(changes).write(stream); }) == errc::io);
    CHECK(here.entries() == 0);
}

TEST_CASE("save: an exception of a producer passes through and leaves nothing behind") {
    const directory here;
    spill(here / "a.vic", old_bytes());
    section_writer writer(sample_header());
    writer.add_streamed<float>(codes, 1, [](const element_writer<float>&) { throw 7; });
    CHECK_THROWS_AS(writer.save(here / "a.vic"), int);
    CHECK(slurp(here / "a.vic") == old_bytes());
    CHECK(here.entries() == 1);
}

TEST_CASE("save: the new file has the old one's permissions, a first one follows the umask") {
    const contents from;
    const directory here;
    const mode_t saved = ::umask(027);
    sample(from).save(here / "a.vic");
    CHECK(mode_of(here / "a.vic") == 0640);
    for (const mode_t mode : {0600U, 0666U, 0444U, 0755U}) {
        REQUIRE(::chmod((here / "a.vic").c_str(), mode) == 0);
        sample(from).save(here / "a.vic");
        CHECK(mode_of(here / "a.vic") == mode);
    }
    ::umask(saved);
}

TEST_CASE("save: a link stays a link and its target is replaced") {
    const contents from;
    const directory here;
    const auto bytes = sample(from).to_bytes();
    std::filesystem::create_directory(here / "data");
    spill(here / "data/real.vic", old_bytes());
    std::filesystem::create_symlink("data/real.vic", here / "inner");
    std::filesystem::create_symlink(here / "inner", here / "outer");
    sample(from).save(here / "outer");
    CHECK(std::filesystem::is_symlink(here / "outer"));
    CHECK(std::filesystem::is_symlink(here / "inner"));
    CHECK(slurp(here / "data/real.vic") == bytes);

    std::filesystem::create_symlink("data/new.vic", here / "dangling");
    sample(from).save(here / "dangling");
    CHECK(slurp(here / "data/new.vic") == bytes);
    std::filesystem::create_symlink("loop", here / "loop");
    CHECK(refused([&] { sample(from).save(here / "loop"); }) == errc::io);
}

TEST_CASE("save: a reader of the path sees the old file or the new one, and an open map keeps the old one") {
    const contents from;
    const directory here;
    sample(from).save(here / "a.vic");
    const file_image view(map_path(here / "a.vic"), checksums::later);
    contents other;
    other.values[0] = 99.0F;
    sample(other).save(here / "a.vic");
    CHECK(is_sample(view, from));
    CHECK(is_sample(file_image(read_path(here / "a.vic")), other));
}

TEST_CASE("save: a path without a directory is in the current one") {
    const contents from;
    const directory here;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(here.path());
    const auto code = refused([&] { sample(from).save("a.vic"); });
    std::filesystem::current_path(before);
    CHECK(code == std::nullopt);
    CHECK(is_sample(file_image(read_path(here / "a.vic")), from));
}
