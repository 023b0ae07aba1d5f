// Parts of this header have headers of their own; hnsw still includes it.
#pragma once

#include "vicinal/index/common/batch.hpp"
#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/call_stats.hpp"
