// SPDX-License-Identifier: MIT
// The metrics of vicinal: l2, weighted_l2, inner_product, cosine, and hamming and jaccard between vectors of zeros and
// ones.
#pragma once

#include "vicinal/metric/cosine.hpp"         // IWYU pragma: export
#include "vicinal/metric/hamming.hpp"        // IWYU pragma: export
#include "vicinal/metric/inner_product.hpp"  // IWYU pragma: export
#include "vicinal/metric/jaccard.hpp"        // IWYU pragma: export
#include "vicinal/metric/l2.hpp"             // IWYU pragma: export
#include "vicinal/metric/weighted_l2.hpp"    // IWYU pragma: export
