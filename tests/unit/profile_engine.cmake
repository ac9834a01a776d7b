foreach(module conformance cost forms law line receive vectors write)
	gw_unit_test(${module} ROOMS profile)
endforeach()

add_executable(bench_decode ${CMAKE_SOURCE_DIR}/tests/bench/bench_decode.c)
target_compile_definitions(bench_decode PRIVATE HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(bench_decode PRIVATE hearth_flags gw_profile m)
set_target_properties(bench_decode PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)

gw_fuzz(decode ROOMS profile)
