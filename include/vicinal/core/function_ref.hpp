// SPDX-License-Identifier: MIT
// A non-owning reference to a callable: two words, no allocation.
#pragma once

#include <concepts>     // for invocable
#include <memory>       // for addressof
#include <type_traits>  // for remove_reference_t, is_invocable_r_v
#include <utility>      // for forward

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Where a callable is, function or object, for who forgets its type.
template <class F>
[[nodiscard]] void* address_of_callable(F& callable) noexcept {
    if constexpr (std::is_function_v<F>)  // its address fits a data pointer wherever threads and files exist
        return reinterpret_cast<void*>(&callable);
    else
        return const_cast<void*>(static_cast<const void*>(std::addressof(callable)));
}

}  // namespace detail

template <class Signature>
class function_ref;

/// A reference to a callable `R(Args...)` of any type, which must outlive it. Empty when default-constructed.
template <class R, class... Args>
class function_ref<R(Args...)> {
  public:
    function_ref() = default;

    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, function_ref> && std::is_invocable_r_v<R, F&, Args...>)
        function_ref(F&& callable VICINAL_LIFETIMEBOUND)
    noexcept  // NOLINT: a lambda converts, as users write it
        : object_(detail::address_of_callable(callable)), call_([](void* object, Args... args) -> R {
              using callable_type = std::remove_reference_t<F>;
              if constexpr (std::is_function_v<callable_type>)
                  return reinterpret_cast<callable_type*>(object)(std::forward<Args>(args)...);
              else
                  return (*static_cast<callable_type*>(object))(std::forward<Args>(args)...);
          }) {}

    R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }
    [[nodiscard]] explicit operator bool() const noexcept { return call_ != nullptr; }

  private:
    void* object_ = nullptr;
    R (*call_)(void*, Args...) = nullptr;
};

VICINAL_NAMESPACE_END
