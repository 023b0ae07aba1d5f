// SPDX-License-Identifier: MIT
// make_samples DIRECTORY [ROWS]: the hnswlib files of tests/import/samples, and with 11 ROWS those of
// fuzz/corpus/import, written by hnswlib itself. Compile it by hand where hnswlib is installed: g++ -std=c++20 -O1
// -Iinclude -Itests tests/import/make_samples.cpp -lpthread
#include <hnswlib/hnswlib.h>

#include <string>

#include "support/data.hpp"

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const auto rows = vicinal_test::clustered(argc > 2 ? std::stoul(argv[2]) : 60, 4, 5);
    hnswlib::L2Space l2(4);
    hnswlib::InnerProductSpace product(4);
    for (const std::string name : {"l2", "inner_product"}) {
        hnswlib::SpaceInterface<float>* space = &l2;
        if (name != "l2") space = &product;
        hnswlib::HierarchicalNSW<float> index(space, 80, 4, 30, 7);
        for (std::size_t r = 0; r < rows.rows(); ++r) index.addPoint(rows[r].data(), 1000 + 3 * r);
        index.markDelete(1000);
        index.markDelete(1030);
        index.saveIndex(std::string(argv[1]) + "/hnswlib_" + name + ".bin");
    }
}
