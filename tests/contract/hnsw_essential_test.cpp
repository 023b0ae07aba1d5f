// SPDX-License-Identifier: MIT
// hnsw_index with the combinations that every build tests.
#include "contract/subject.hpp"
#include "vicinal/hnsw.hpp"

namespace {
const vicinal_test::essential<vicinal::hnsw_index> entered("hnsw");
}
