gw_unit_test(discovery ROOMS discovery)
