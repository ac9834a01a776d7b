/* Descriptions in files: the first line names the kind, the rest is the file. What is imported may be refused by the checker. */
#include "gw/import.h"
#include "gw/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_str rest = {(const char *)data, size}, name;
	const struct gw_file_importer *kind;
	struct gw_import_result r = {.devices = NULL};
	struct gw_library *l = NULL;
	size_t i = 0;
	if (!gw_str_split(&rest, '\n', &name) || !rest.p) {
		return 0;
	}
	while ((kind = gw_file_importer_at(i)) && !gw_str_is(name, kind->name)) {
		i++;
	}
	if (kind && gw_file_import(kind, rest, "fuzz", &r, NULL) == 0 &&
	    gw_library_new(NULL, 0, &l) == 0) {
		for (size_t d = 0; d < r.n_devices; d++) {
			struct gw_profile *p = NULL;
			struct gw_str text = gw_str(r.devices[d].profile);
			if (text.p && gw_profile_load_text(l, text, "f", GW_PROFILE_IMPORTED, &p,
							   NULL) == 0) {
				gw_profile_unref(p);
			}
		}
	}
	gw_import_result_fini(&r);
	gw_library_free(l);
	return 0;
}
