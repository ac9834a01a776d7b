/* First line a topic, then filters: the trie finds the same as matching one by one, and is empty after removal. */
#include <stdlib.h>

#include "gw/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, void *subscriber, uint32_t tag)
{
	(void)ctx, (void)subscriber, (void)tag;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_str lines = {(const char *)data, size}, rest = lines, topic, f;
	struct gw_topic_trie *t = gw_topic_trie_new();
	bool flag, good = gw_str_split(&rest, '\n', &topic) && gw_topic_is_topic(topic);
	uint64_t added = 0, want = 0;
	for (uint32_t i = 0; i < 64 && gw_str_split(&rest, '\n', &f); i++) {
		bool in = gw_topic_trie_add(t, f, t, i, &flag) == 0;
		added |= (uint64_t)in << i;
		want += in && gw_topic_matches(f, topic);
	}
	bool same = !good || gw_topic_trie_match(t, topic, ignore, NULL) == want;
	(void)gw_str_split(&lines, '\n', &f);
	for (uint32_t i = 0; i < 64 && gw_str_split(&lines, '\n', &f); i++) {
		same &= (gw_topic_trie_remove(t, f, t, i, &flag) == 0) == (added >> i & 1);
	}
	if (!same || gw_topic_trie_match(t, topic, ignore, NULL) != 0) {
		abort();
	}
	gw_topic_trie_free(t);
	return 0;
}
