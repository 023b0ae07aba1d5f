// SPDX-License-Identifier: MIT
// All public headers and the calls of three types of index, which are compiled with the warnings that people turn on.
#include "vicinal/calibrate.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/compiled.hpp"
#include "vicinal/dispatch.hpp"
#include "vicinal/durable.hpp"
#include "vicinal/import.hpp"
#include "vicinal/index_types.hpp"
#include "vicinal/prometheus.hpp"
#include "vicinal/vicinal.hpp"

using my_types =
    vicinal::index_types<vicinal::hnsw_index<vicinal::cosine>,
                         vicinal::ivf_index<vicinal::l2, vicinal::two_level<vicinal::pq, vicinal::f32>>,
                         vicinal::flat_index<vicinal::l2, vicinal::two_level<vicinal::pca8, vicinal::f32>>>;

vicinal::any_index opened(const char* path);
vicinal::any_index opened(const char* path) { return vicinal::open<my_types>(path); }

template class vicinal::flat_index<vicinal::l2>;  // some compilers then make members that nobody calls
template class vicinal::hnsw_index<vicinal::cosine>;
template class vicinal::durable<vicinal::flat_index<vicinal::l2>>;
template class vicinal::durable_follower<vicinal::flat_index<vicinal::l2>>;
