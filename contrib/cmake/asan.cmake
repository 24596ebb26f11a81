# cmake -C contrib/cmake/asan.cmake -S . -B build/asan -G Ninja
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(MAILFERRY_SANITIZE address,undefined CACHE STRING "")
set(MAILFERRY_WERROR ON CACHE BOOL "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g" CACHE STRING "")
