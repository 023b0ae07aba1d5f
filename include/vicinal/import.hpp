// Indexes of other libraries, taken over as they are: nothing is built anew.
#pragma once

#include "vicinal/import/faiss.hpp"
#include "vicinal/import/hnswlib.hpp"
