# cmake -C contrib/cmake/release.cmake -S . -B build/release -G Ninja
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(MAILFERRY_TESTS OFF CACHE BOOL "")
set(CMAKE_INSTALL_SYSCONFDIR /etc CACHE STRING "")
