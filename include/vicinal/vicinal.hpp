// SPDX-License-Identifier: MIT
// All of vicinal that needs no Eigen: exact, inverted-file and graph indexes for similarity search over vectors. A
// program that uses one index compiles faster if it includes that index's header instead. The codec pca8, whose
// training needs Eigen, is included apart, as vicinal/codec/pca8/pca8.hpp.
#pragma once

#include "vicinal/codecs.hpp"      // IWYU pragma: export  f32, f16, bf16, sq8, sq4, pq, rabitq, two_level
#include "vicinal/concepts.hpp"    // IWYU pragma: export  what a metric and a codec must provide
#include "vicinal/flat.hpp"        // IWYU pragma: export  flat_index
#include "vicinal/hnsw.hpp"        // IWYU pragma: export  hnsw_index
#include "vicinal/io/inspect.hpp"  // IWYU pragma: export  inspect: what a file holds
#include "vicinal/ivf.hpp"         // IWYU pragma: export  ivf_index
#include "vicinal/metrics.hpp"     // IWYU pragma: export  l2, inner_product, cosine
