// SPDX-License-Identifier: MIT
// make_faiss_samples DIRECTORY: the faiss files of tests/import/samples, written by faiss 1.7.3 itself. Compile it by
// hand where faiss is installed:
//   g++ -std=c++20 -O1 -fopenmp -Iinclude -Itests tests/import/make_faiss_samples.cpp -lfaiss -llapack -lblas
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <string>

#include "support/data.hpp"

namespace {

std::string to;
void write(const faiss::Index& index, const std::string& name) {
    faiss::write_index(&index, (to + "/faiss_" + name + ".bin").c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    to = argv[1];
    const auto rows = vicinal_test::clustered(argc > 2 ? std::stoul(argv[2]) : 60, 4, 5);
    const float* data = rows.values.data();
    const auto n = static_cast<faiss::Index::idx_t>(rows.rows());
    std::vector<faiss::Index::idx_t> ids;
    for (faiss::Index::idx_t i = 0; i < n; ++i) ids.push_back(1000 + 3 * i);

    for (const auto& [name, metric] : {std::pair(std::string("l2"), faiss::METRIC_L2),
                                       std::pair(std::string("inner_product"), faiss::METRIC_INNER_PRODUCT)}) {
        faiss::IndexFlat flat(4, metric);
        flat.add(n, data);
        write(flat, "flat_" + name);

        faiss::IndexFlat quantizer(4, metric);
        faiss::IndexIVFFlat ivf(&quantizer, 4, 6, metric);
        ivf.cp.min_points_per_centroid = 1;
        ivf.train(n, data);
        ivf.add_with_ids(n, data, ids.data());
        write(ivf, "ivf_" + name);

        faiss::IndexHNSWFlat hnsw(4, 4, metric);
        hnsw.hnsw.efConstruction = 30;
        hnsw.add(n, data);
        write(hnsw, "hnsw_" + name);
    }

    faiss::IndexFlat flat(4, faiss::METRIC_L2);
    faiss::IndexIDMap named(&flat);
    named.add_with_ids(n, data, ids.data());
    write(named, "map_flat_l2");
    faiss::IndexHNSWFlat hnsw(4, 4, faiss::METRIC_L2);
    faiss::IndexIDMap2 both_ways(&hnsw);
    both_ways.add_with_ids(n, data, ids.data());
    write(both_ways, "map2_hnsw_l2");

    // Few lists of many hold rows: faiss writes their lengths in its other way. And one with a direct map.
    faiss::IndexFlat many(4, faiss::METRIC_L2);
    faiss::IndexIVFFlat sparse(&many, 4, std::min<std::size_t>(20, rows.rows()), faiss::METRIC_L2);
    sparse.cp.min_points_per_centroid = 1;
    sparse.train(n, data);
    sparse.add(4, data);
    sparse.make_direct_map(true);
    write(sparse, "ivf_sparse_l2");

    faiss::IndexHNSWFlat empty(4, 4, faiss::METRIC_L2);
    write(empty, "hnsw_empty_l2");
    if (rows.rows() < 16) return 0;
    faiss::IndexFlat coarse(4, faiss::METRIC_L2);
    faiss::IndexIVFPQ compressed(&coarse, 4, 2, 2, 4);
    compressed.cp.min_points_per_centroid = 1;
    compressed.pq.cp.min_points_per_centroid = 1;
    compressed.train(n, data);
    compressed.add(n, data);
    write(compressed, "ivfpq_l2");
}
