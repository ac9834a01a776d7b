gw_unit_test(discovery ROOMS discovery)
gw_fuzz(discovery ROOMS discovery)
