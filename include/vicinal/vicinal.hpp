// SPDX-License-Identifier: MIT
// All of vicinal: exact, inverted-file and graph indexes for similarity search over vectors. A program that uses one
// index compiles faster if it includes that index's header instead, and flat.hpp and hnsw.hpp do not need Eigen.
#pragma once

#include "vicinal/codec/pca8/pca8.hpp"  // IWYU pragma: export  pca8
#include "vicinal/codecs.hpp"           // IWYU pragma: export  f32, f16, bf16, sq8, sq4, pq, rabitq, two_level
#include "vicinal/concepts.hpp"         // IWYU pragma: export  what a metric and a codec must provide
#include "vicinal/flat.hpp"             // IWYU pragma: export  flat_index
#include "vicinal/hnsw.hpp"             // IWYU pragma: export  hnsw_index
#include "vicinal/io/inspect.hpp"       // IWYU pragma: export  inspect: what a file holds
#include "vicinal/ivf.hpp"              // IWYU pragma: export  ivf_index
#include "vicinal/metrics.hpp"          // IWYU pragma: export  l2, inner_product, cosine
