# The programs of tests/bench/run; the target bench makes them.
foreach(program relay load link)
	add_executable(bench_${program} EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/${program}.c)
	target_link_libraries(bench_${program} PRIVATE hearth_flags PkgConfig::MOSQ)
	set_target_properties(bench_${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()
target_link_libraries(bench_link PRIVATE gw_link)
add_custom_target(bench DEPENDS bench_relay bench_load bench_link)
