# cmake -C contrib/cmake/fuzz.cmake -S . -B build/fuzz -G Ninja
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(MAILFERRY_SANITIZE address,undefined CACHE STRING "")
set(MAILFERRY_WERROR ON CACHE BOOL "")
set(MAILFERRY_FUZZ ON CACHE BOOL "")
set(CMAKE_C_COMPILER clang-14 CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g" CACHE STRING "")
