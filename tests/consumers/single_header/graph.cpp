// SPDX-License-Identifier: MIT
#include <hnsw.hpp>
#include <hnsw.hpp>  // twice, for the include guard

#ifdef EIGEN_WORLD_VERSION
#error "the graph alone must not include Eigen"
#endif
