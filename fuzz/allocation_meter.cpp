// SPDX-License-Identifier: MIT
// How much memory a call takes, by the hooks AddressSanitizer has for it.
#include "support.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define VICINAL_FUZZ_METER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VICINAL_FUZZ_METER
#endif
#endif

#if defined(VICINAL_FUZZ_METER)
// What sanitizer/allocator_interface.h declares; GCC has the functions without the header.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* at);
#endif

namespace vicinal_fuzz {
namespace {

bool counting = false;
std::size_t now = 0;
std::size_t most = 0;

#if defined(VICINAL_FUZZ_METER)
void on_malloc(const volatile void*, std::size_t size) {
    if (!counting) return;
    now += size;
    most = std::max(most, now);
}
void on_free(const volatile void* at) {
    if (!counting || at == nullptr) return;
    now -= std::min(now, __sanitizer_get_allocated_size(const_cast<const void*>(at)));
}
#endif

}  // namespace

allocation_meter::allocation_meter() {
#if defined(VICINAL_FUZZ_METER)
    static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    (void)installed;
#endif
    now = most = 0;
    counting = true;
}
allocation_meter::~allocation_meter() { counting = false; }
std::size_t allocation_meter::peak() const { return most; }

}  // namespace vicinal_fuzz
