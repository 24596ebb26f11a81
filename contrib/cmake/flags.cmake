# The only place with compiler flags.
add_compile_definitions(_GNU_SOURCE MAILFERRY_VERSION="${PROJECT_VERSION}")
add_compile_options(
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Wconversion
  -Wno-sign-conversion -fstack-protector-strong -fno-omit-frame-pointer)
if(MAILFERRY_WERROR)
  add_compile_options(-Werror)
endif()
if(MAILFERRY_SANITIZE)
  add_compile_options(-fsanitize=${MAILFERRY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAILFERRY_SANITIZE})
endif()
if(MAILFERRY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# Releases are optimised as a whole; object files have their own code too, so that tests link fast.
set(MAILFERRY_WHOLE "")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-flto=auto -ffat-lto-objects)
    set(MAILFERRY_WHOLE -flto=auto -O3)
  endif()
endif()
add_link_options(-Wl,-z,relro,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
