// SPDX-License-Identifier: MIT
#include "files.hpp"

#include <cerrno>        // for errno
#include <cstring>       // for memcpy, strerror
#include <fstream>       // for ifstream, ofstream
#include <stdexcept>     // for runtime_error
#include <system_error>  // for error_code

namespace demo {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
    throw std::runtime_error(what + " " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) fail("cannot open", path);
    std::string bytes;
    char block[1 << 16];
    while (in.read(block, sizeof block), in.gcount() > 0) bytes.append(block, static_cast<std::size_t>(in.gcount()));
    if (in.bad()) fail("cannot read", path);
    return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::path temporary = path;
    temporary += ".new";
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) fail("cannot write", temporary);
    std::error_code failed;
    std::filesystem::rename(temporary, path, failed);
    if (failed) throw std::runtime_error("cannot rename " + temporary.string() + ": " + failed.message());
}

std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
    for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return seed;
}

std::size_t byte_reader::count(std::size_t size) {
    const auto n = value<std::uint64_t>();
    if (n > bytes_.size() / size) throw std::runtime_error("the file is cut short");
    return static_cast<std::size_t>(n);
}

void byte_reader::take(void* out, std::size_t size) {
    if (size > bytes_.size()) throw std::runtime_error("the file is cut short");
    if (size != 0) std::memcpy(out, bytes_.data(), size);
    bytes_.remove_prefix(size);
}

}  // namespace demo
