foreach(module alloc str number buf map error log clock json node yaml)
	gw_unit_test(${module} ROOMS base)
endforeach()
