/* Descriptions from a broker: the first byte chooses the importer, a line is the topic, the rest the payload; then once more, removed. */
#include "gw/import.h"
#include "gw/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_str rest = {(const char *)data, size}, topic;
	if (size < 2 || !gw_str_split(&rest, '\n', &topic) || !rest.p) {
		return 0;
	}
	const struct gw_importer_class *class = gw_importer_class_at((data[0] - (size_t)'0') % 4);
	struct gw_importer *i = gw_importer_new(class);
	struct gw_library *l = NULL;
	struct gw_str payloads[] = {rest, {"", 0}};
	topic = gw_str_sub(topic, 1, topic.len);
	for (size_t k = 0; i && k < 2 && (l || gw_library_new(NULL, 0, &l) == 0); k++) {
		struct gw_import_result r = {.devices = NULL};
		(void)class->message(i, topic, payloads[k], &r,
				     NULL); /* any answer is right, but no crash */
		for (size_t d = 0; d < r.n_devices; d++) {
			struct gw_profile *p = NULL;
			struct gw_str text = gw_str(r.devices[d].profile);
			if (text.p && gw_profile_load_text(l, text, "f", GW_PROFILE_IMPORTED, &p,
							   NULL) == 0) {
				gw_profile_unref(p);
			}
		}
		gw_import_result_fini(&r);
	}
	gw_library_free(l);
	gw_importer_free(i);
	return 0;
}
