// SPDX-License-Identifier: MIT
// VICINAL_TEST_SANITIZED is defined under a sanitizer that keeps memory of its own: what the system gives then says
// little.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VICINAL_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define VICINAL_TEST_SANITIZED
#endif
#endif
