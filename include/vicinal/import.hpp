// SPDX-License-Identifier: MIT
// Reads indexes of hnswlib and faiss as they are, without building them anew.
#pragma once

#include "vicinal/import/faiss.hpp"
#include "vicinal/import/hnswlib.hpp"
