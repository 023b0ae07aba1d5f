// SPDX-License-Identifier: MIT
// open and make_index over the types of vicinal::compiled, of which there may be those of flat.cpp alone. It sees no
// header of an index, as programs that use the component.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "vicinal/compiled.hpp"

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::printf("failed: %s\n", what);
    std::exit(1);
}

template <class Call>
std::string refusal(Call&& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        return std::string(to_string(e.code())) + ": " + e.what();
    }
    return "nothing";
}

/// Makes an index of the type, takes it through every kind of file, and searches it.
void try_type(const std::string& type) {
    vicinal::any_index index = vicinal::make_index(type, 4);
    require(index.type() == type, "an index is of the type that was asked for");
    index.add(42, {1.0F, 0.0F, 0.0F, 0.0F});
    index.add(43, {0.0F, 1.0F, 0.0F, 0.0F});
    std::vector<std::byte> bytes;
    index.save(bytes);
    std::stringstream stream;
    index.save(stream);
    const char* const path = "compiled_types.vic";
    index.save(path);
    const vicinal::any_index opened[] = {vicinal::open(path), vicinal::open(stream), vicinal::open(bytes),
                                         vicinal::open_view(path)};
    for (const auto& one : opened) {
        require(one.type() == type, "a file is opened as what it holds");
        const auto hits = one.search({1.0F, 0.25F, 0.0F, 0.0F}, 2);
        require(hits.size() == 2 && hits[0].id == 42, "searches find what was added");
    }
    require(opened[3].memory().mapped == bytes.size(), "a view maps its file");
    std::remove(path);
}

}  // namespace

int main() {
    const std::string names = vicinal::compiled_types::names();
    std::istringstream list(names);
    int types = 0;
    for (std::string name; std::getline(list, name, ';'); ++types) try_type(name.substr(name.front() == ' ' ? 1 : 0));
    require(types == 3 || types == 9, "there are three types of each kind");
    require(vicinal::make_index("flat, cosine", 3).type() == "flat,cosine,f32", "a text is completed");
    require(types == 3 || vicinal::make_index("HNSW,cosine", 3).type() == "hnsw,cosine,sq8+f32",
            "graphs have their codec");
    require(refusal([] { (void)vicinal::make_index("flat,l2,pq", 3); }) ==
                "wrong_type: vicinal: make_index: \"flat,l2,pq\", character 9: the program has no such type; it has " +
                    names,
            "what the component does not have is refused");
    std::printf("%d types: %s\n", types, names.c_str());
}
