gw_unit_test(import ROOMS profile)
gw_unit_test(ha_template ROOMS profile)
gw_fuzz(import ROOMS profile)
