// SPDX-License-Identifier: MIT
#include "debian.hpp"

#include <algorithm>     // for count, sort
#include <cstdio>        // for popen
#include <stdexcept>     // for runtime_error
#include <system_error>  // for error_code

#include "files.hpp"

namespace demo {
namespace {

namespace fs = std::filesystem;

std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
    return s;
}

/// Of "use::viewing, role::program, works-with::graphs" the tags that tell what a package is for: "viewing graphs".
std::string purpose(std::string_view tags) {
    std::string out;
    while (!tags.empty()) {
        const std::size_t comma = tags.find(',');
        const std::string_view tag = trim(tags.substr(0, comma));
        tags.remove_prefix(comma == std::string_view::npos ? tags.size() : comma + 1);
        for (const std::string_view facet : {"use::", "works-with::", "field::", "game::"})
            if (tag.starts_with(facet)) out.append(tag.substr(facet.size())).append(" ");
    }
    return out;
}

bool is_compressed(const fs::path& path) {
    const std::string end = path.extension().string();
    return end == ".lz4" || end == ".gz" || end == ".xz" || end == ".bz2" || end == ".zst" || end == ".lzma";
}

bool is_apt_list(const fs::path& path) {
    const std::string name = is_compressed(path) ? path.stem().string() : path.filename().string();
    return name.ends_with("_Packages") || name.ends_with("_Translation-en");
}

bool is_wanted(std::string_view name, std::string_view synopsis) {
    for (const std::string_view end : {"-dbg", "-dbgsym"})
        if (name.ends_with(end)) return false;
    for (const std::string_view word : {"transitional", "dummy package", "debug symbols", "debugging symbols"})
        if (synopsis.find(word) != std::string_view::npos) return false;
    return !synopsis.empty();
}

/// What the packages of one program share: the synopsis without its " - development files" and, if what is left is too
/// short to tell ("Perl module"), the first paragraph.
std::string family(std::string_view synopsis, std::string_view description) {
    for (const std::string_view mark : {" - ", " -- ", " (", ", "}) synopsis = synopsis.substr(0, synopsis.find(mark));
    std::string out(synopsis);
    if (std::count(synopsis.begin(), synopsis.end(), ' ') < 3) out += description.substr(0, description.find('\n'));
    return out;
}

/// True if `a` names the program better than `b` does: graphviz before libgvc6, graphviz-doc and libgraphviz-dev.
bool is_better_name(std::string_view a, std::string_view b) {
    const auto is_part = [](std::string_view name) {
        for (const std::string_view end : {"-dev", "-doc", "-data", "-common", "-bin", "-utils"})
            if (name.ends_with(end)) return true;
        return name.starts_with("lib");
    };
    if (is_part(a) != is_part(b)) return is_part(b);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

void package_reader::read(std::string_view stanzas) {
    while (!stanzas.empty()) {
        std::string name, synopsis, description, tags;
        std::string_view field;
        for (std::string_view line; !stanzas.empty() && !(line = next_line(stanzas)).empty();) {
            if (line.front() == ' ' || line.front() == '\t') {  // the field goes on
                if (field == "Description") description.append(trim(line) == "." ? "\n" : trim(line)).append(" ");
                if (field == "Tag") tags.append(line);
                continue;
            }
            const std::size_t colon = line.find(':');
            field = line.substr(0, colon);
            if (field == "Description-en") field = "Description";
            const std::string_view value = colon == std::string_view::npos ? "" : trim(line.substr(colon + 1));
            if (field == "Package") name = value;
            if (field == "Description") synopsis = value;
            if (field == "Tag") tags = value;
        }
        if (name.empty()) continue;
        package& known = packages_[name];
        if (known.synopsis.empty() || description.size() > known.description.size()) {
            known.synopsis = std::move(synopsis);
            known.description = std::move(description);
        }
        if (!tags.empty()) known.tags = purpose(tags);
    }
}

std::vector<document> package_reader::documents() const {
    std::map<std::string, std::string_view> families;  // to the name of its best package
    for (const auto& [name, about] : packages_) {
        if (!is_wanted(name, about.synopsis)) continue;
        auto& best = families[family(about.synopsis, about.description)];
        if (best.empty() || is_better_name(name, best)) best = name;
    }
    std::vector<document> out;
    for (const auto& [name, about] : packages_) {
        const auto found = families.find(family(about.synopsis, about.description));
        if (found == families.end() || found->second != name) continue;
        out.push_back({name + ": " + about.synopsis, about.description, about.tags});
    }
    return out;
}

std::vector<fs::path> debian_files() {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const fs::path status : {"/var/lib/dpkg/status"})
        if (fs::is_regular_file(status, ignored)) files.push_back(status);
    for (const auto& entry : fs::directory_iterator("/var/lib/apt/lists", ignored))
        if (entry.is_regular_file(ignored) && is_apt_list(entry.path())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::string read_debian_file(const fs::path& path) {
    if (!is_compressed(path)) return read_file(path);
#ifdef _WIN32
    throw std::runtime_error("cannot unpack " + path.string());
#else
    std::string quoted = "'";
    for (const char c : path.string()) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    std::FILE* pipe = popen(("/usr/lib/apt/apt-helper cat-file " + quoted + "'").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot unpack " + path.string());
    std::string text;
    char block[1 << 16];
    while (const std::size_t n = std::fread(block, 1, sizeof block, pipe)) text.append(block, n);
    if (pclose(pipe) != 0) throw std::runtime_error("cannot unpack " + path.string());
    return text;
#endif
}

}  // namespace demo
