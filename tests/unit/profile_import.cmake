gw_unit_test(import ROOMS profile)
gw_fuzz(import ROOMS profile)
