// SPDX-License-Identifier: MIT
// Nothing waits for a pipe's writer or a device that needs a regular file; a load, which reads pipes, does.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "io/support.hpp"
#include "support/catch.hpp"
#include "vicinal/io/index_io.hpp"

using namespace io_test;

namespace {

/// How `call` is refused, by which name; "hangs" if it takes more than five seconds.
std::string verdict(const std::function<void()>& call) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::alarm(5);
        std::string message;
        const auto code = refused(call, &message);
        message = (code ? std::string(to_string(*code)) : "let in") + ": " + message;
        ::_exit(::write(ends[1], message.data(), message.size()) < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    std::string text(1000, ' ');
    const ssize_t size = ::read(ends[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? "hangs" : text;
}

/// A socket with a name.
class named_socket {
  public:
    explicit named_socket(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        struct ::sockaddr_un address {};
        address.sun_family = AF_UNIX;
        const std::string name = path.string();
        REQUIRE(name.size() < sizeof address.sun_path);
        std::copy(name.begin(), name.end(), address.sun_path);
        REQUIRE(::bind(socket_, reinterpret_cast<const struct ::sockaddr*>(&address), sizeof address) == 0);
    }
    named_socket(const named_socket&) = delete;
    named_socket& operator=(const named_socket&) = delete;
    ~named_socket() { ::close(socket_); }

  private:
    int socket_;
};

}  // namespace

TEST_CASE("io: a pipe, a socket, a device and a directory are refused at once by what needs a file, by name") {
    const contents from;
    const directory here;
    REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
    const named_socket socket(here / "socket");
    std::filesystem::create_symlink("pipe", here / "link");
    std::filesystem::create_directory(here / "folder");
    const std::size_t before = here.entries();
    std::vector<std::filesystem::path> paths = {"/dev/null", "/dev/zero"};
    for (const char* const name : {"pipe", "socket", "link", "folder"}) paths.push_back(here / name);
    for (const auto& path : paths) {
        const std::string named = " " + path.string() + ": it is not a regular file";
        CHECK_THAT(verdict([&] { (void)map_path(path); }), vicinal_test::contains("io: vicinal: cannot map" + named));
        CHECK_THAT(verdict([&] { (void)inspect(path); }),
                   vicinal_test::contains("io: vicinal: cannot inspect" + named));
        for (const bool sync : {true, false})
            CHECK_THAT(verdict([&] { sample(from).save(path, {.sync = sync}); }),
                       vicinal_test::contains("io: vicinal: cannot save to" + named));
    }
    CHECK(here.entries() == before);
}

TEST_CASE("io: standard output that is a pipe is refused by save as any other pipe") {
    const contents from;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const std::string path = "/dev/fd/" + std::to_string(ends[1]);
    CHECK_THAT(verdict([&] { sample(from).save(path); }), vicinal_test::contains("it is not a regular file"));
    for (const int end : ends) ::close(end);
}

TEST_CASE("io: a pipe that is put in a file's place meanwhile is not waited for") {
    const directory here;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {  // until it is killed
        const std::string file = here / "file";
        const std::string pipe = here / "pipe";
        const std::string name = here / "a.vic";
        spill(file, bytes_t(300));
        if (::mkfifo(pipe.c_str(), 0600) != 0) ::_exit(1);
        ::alarm(60);
        for (;;) {
            for (const std::string& next : {file, pipe}) {
                ::unlink((name + "2").c_str());
                if (::link(next.c_str(), (name + "2").c_str()) != 0) ::_exit(1);
                std::rename((name + "2").c_str(), name.c_str());
            }
        }
    }
    const std::string seen = verdict([&] {
        int kinds[2] = {};
        for (int i = 0; i < 200000 && (i < 20000 || kinds[0] < 50 || kinds[1] < 50); ++i) {
            const auto code = refused([&] { (void)mapped_file(here / "a.vic"); });
            ++kinds[code ? 1 : 0];
        }
        if (kinds[0] < 50 || kinds[1] < 50) fail(errc::cancelled, "too few of both");
    });
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(seen == "let in: ");
}

TEST_CASE("io: a file that is open for mapping is read like any other afterwards") {
    const directory here;
    spill(here / "a.vic", bytes_t(3));
    const input_file file(here / "a.vic", "map");
    CHECK((::fcntl(file.handle(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK(file.size() == 3);
}

#if defined(F_SETLEASE)
TEST_CASE("io: another process's lease on a file is waited for") {
    const directory here;
    spill(here / "a.vic", bytes_t(3));
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGIO, SIG_IGN);
        const int file = ::open((here / "a.vic").c_str(), O_RDWR | O_CLOEXEC);
        const bool held = file >= 0 && ::fcntl(file, F_SETLEASE, F_WRLCK) == 0;
        if (::write(ends[1], held ? "y" : "n", 1) != 1) ::_exit(1);
        ::usleep(50000);
        ::fcntl(file, F_SETLEASE, F_UNLCK);
        ::_exit(0);
    }
    char held = 0;
    REQUIRE(::read(ends[0], &held, 1) == 1);
    for (const int end : ends) ::close(end);
    if (held == 'y')  // else the file system has none
        CHECK(verdict([&] { (void)mapped_file(here / "a.vic"); }) == "let in: ");
    int status = 0;
    ::waitpid(child, &status, 0);
}
#endif

TEST_CASE("io: a load waits for a pipe's writer and reads all it writes") {
    const contents from;
    const directory here;
    REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
    std::thread writer([&] {
        ::usleep(20000);
        std::ofstream out(here / "pipe", std::ios::binary);
        sample(from).write(out);
    });
    CHECK(is_sample(file_image(read_path(here / "pipe")), from));
    writer.join();
}
