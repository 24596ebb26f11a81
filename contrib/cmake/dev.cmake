# cmake -C contrib/cmake/dev.cmake -S . -B build/dev -G Ninja
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(MAILFERRY_WERROR ON CACHE BOOL "")
