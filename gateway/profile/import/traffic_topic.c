/* Topics: which level names the device, whose messages they are, and what they say beside it. */
#include <ctype.h>
#include <stdio.h>

#include "gw/map.h"
#include "gw/topic.h"
#include "profile/import/traffic.h"

static const struct {
	const char *word;
	enum gw_traffic_role role;
} command_words[] = {
	{"cmnd", GW_TRAFFIC_COMMAND},	 {"cmd", GW_TRAFFIC_COMMAND},
	{"command", GW_TRAFFIC_COMMAND}, {"commands", GW_TRAFFIC_COMMAND},
	{"set", GW_TRAFFIC_COMMAND},	 {"control", GW_TRAFFIC_COMMAND},
	{"ctrl", GW_TRAFFIC_COMMAND},	 {"rpc", GW_TRAFFIC_COMMAND},
	{"get", GW_TRAFFIC_QUERY},	 {"query", GW_TRAFFIC_QUERY},
};

/* What follows them in a topic or as the text of a body asks for something and sets nothing. */
static const char *const query_words[] = {"status",   "state",	"refresh",
					  "announce", "update", "info"};

/* Words of a topic that say how, not what; also no device is called so. */
static const char *const plain_words[] = {
	"tele",		"stat",	     "state",	   "status",	   "value",	"sensor",
	"sensors",	"telemetry", "device",	   "devices",	   "data",	"event",
	"events",	"result",    "lwt",	   "availability", "online",	"config",
	"relay",	"input",     "light",	   "switch",	   "info",	"attributes",
	"bridge",	"params",    "status_sns", "status_sts",   "discovery", "homeassistant",
	"announce",	"energy",    "connected",  "response",	   "report",	"measurement",
	"measurements", "update",    "uplink",	   "properties",   "property",
};

static bool among(const char *const *words, size_t n, struct gw_str s)
{
	char folded[GW_TRAFFIC_WORD_BYTES];
	gw_traffic_fold(s, folded);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], folded) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_command_word(struct gw_str level, enum gw_traffic_role *ret_role)
{
	char folded[GW_TRAFFIC_WORD_BYTES];
	gw_traffic_fold(level, folded);
	for (size_t i = 0; i < gw_countof(command_words); i++) {
		if (strcmp(command_words[i].word, folded) == 0) {
			*ret_role = command_words[i].role;
			return true;
		}
	}
	return false;
}

/* "switch:0", "POWER1", "3" → the word without its number */
static struct gw_str without_number(struct gw_str level)
{
	while (level.len > 0 && isdigit((unsigned char)level.p[level.len - 1])) {
		level.len--;
	}
	if (level.len > 0 && strchr(":_-", level.p[level.len - 1])) {
		level.len--;
	}
	return level;
}

bool gw_traffic_is_shared(struct gw_str level)
{
	char folded[GW_TRAFFIC_WORD_BYTES];
	enum gw_traffic_role role;
	struct gw_str word = without_number(level);
	gw_traffic_fold(word, folded);
	return word.len == 0 || is_command_word(word, &role) ||
	       among(plain_words, gw_countof(plain_words), word) || gw_name_find(gw_str(folded)) ||
	       gw_name_find(level);
}

/* --- roles and paths --- */

enum gw_traffic_role gw_traffic_role(struct gw_str topic)
{
	struct gw_str rest = topic, level, before = {"", 0};
	enum gw_traffic_role role = GW_TRAFFIC_HEARD, found = GW_TRAFFIC_HEARD;
	while (gw_str_split(&rest, '/', &level)) {
		bool events =
			gw_str_is(before, "events"); /* Shelly: what it says, not what it is told */
		if (is_command_word(level, &found) && !events && role == GW_TRAFFIC_HEARD) {
			role = found;
		} else if (role == GW_TRAFFIC_COMMAND &&
			   among(query_words, gw_countof(query_words), level)) {
			role = GW_TRAFFIC_QUERY; /* cmnd/x/STATUS */
		}
		before = level;
	}
	return role;
}

const char *gw_traffic_path(struct gw_draft *d, struct gw_str topic, struct gw_str identity)
{
	static const char *const ends[] = {"state", "status", "value"};
	const char *path = "";
	struct gw_str rest = topic, level;
	enum gw_traffic_role role;
	bool behind = false;
	while (gw_str_split(&rest, '/', &level)) {
		if (!behind) {
			behind = gw_str_eq(level, identity);
			continue;
		}
		if (is_command_word(level, &role) ||
		    (!rest.p && among(ends, gw_countof(ends), level))) {
			continue;
		}
		path = gw_draft_pointer(d, path, level);
	}
	return path;
}

/* --- ids --- */

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

/* A run of 6, 8, 12 or 16 hex digits that is no word: with a digit, or in capitals. */
static bool is_id_run(struct gw_str run)
{
	bool digit = false, lower = false;
	for (size_t i = 0; i < run.len; i++) {
		digit |= isdigit((unsigned char)run.p[i]) != 0;
		lower |= islower((unsigned char)run.p[i]) != 0;
	}
	return (run.len == 6 || run.len == 8 || run.len == 12 || run.len == 16) &&
	       (digit || !lower);
}

bool gw_traffic_is_id(struct gw_str s)
{
	char hex[GW_TRAFFIC_WORD_BYTES];
	size_t n = 0, colons = 0;
	for (size_t i = 0; i < s.len && n < sizeof(hex); i++) { /* aa:bb:cc:dd:ee:ff */
		if (is_hex(s.p[i])) {
			hex[n++] = s.p[i];
		} else if (s.p[i] == ':' || s.p[i] == '-') {
			colons++;
		} else {
			n = sizeof(hex);
		}
	}
	if (n == 12 && colons == 5) {
		return true;
	}
	for (size_t i = 0; i < s.len;) { /* the last run of letters and digits */
		size_t from = i;
		while (i < s.len && isalnum((unsigned char)s.p[i])) {
			i++;
		}
		struct gw_str run = gw_str_sub(s, from, i - from);
		if (gw_str_starts(run, "0x")) {
			run = gw_str_sub(run, 2, run.len);
		}
		bool all = true;
		for (size_t k = 0; k < run.len; k++) {
			all &= is_hex(run.p[k]);
		}
		if (i == s.len && all && is_id_run(run)) {
			return true;
		}
		i++;
	}
	return false;
}

/* --- descriptions --- */

/* What an importer understands needs no profile. NULL: no description. */
static const char *describes(const struct gw_traffic_topic *topic)
{
	static const char *const ends[] = {"config", "sensors", "devices"};
	const char *slash = strrchr(topic->name.p, '/');
	bool end = slash && among(ends, gw_countof(ends), gw_str(slash + 1));
	return end || topic->retained ? topic->importer : NULL;
}

bool gw_traffic_is_of(const struct gw_traffic_topic *topic, struct gw_str identity)
{
	return !describes(topic) && gw_topic_has_level(topic->name, identity);
}

/* --- which level --- */

/* Are the topics equal but for the level at? */
static bool equal_but(struct gw_str a, struct gw_str b, size_t at)
{
	struct gw_str x, y;
	size_t i = 0;
	while (gw_str_split(&a, '/', &x)) {
		if (!gw_str_split(&b, '/', &y) || (i++ != at && !gw_str_eq(x, y))) {
			return false;
		}
	}
	return !b.p;
}

struct candidate {
	struct gw_str level;
	size_t at, topics, messages;
	unsigned rank; /* 3: looks like an id, 2: differs between devices, 1: neither */
	const char *why;
};

static bool has_peer(const struct gw_traffic *t, const struct gw_traffic_topic *of, size_t at)
{
	for (size_t i = 0; i < t->n_topics; i++) {
		struct gw_str other, own;
		if (&t->topics[i] != of && equal_but(t->topics[i].name, of->name, at) &&
		    gw_topic_level(t->topics[i].name, at, &other) &&
		    gw_topic_level(of->name, at, &own) && !gw_str_eq(own, other) &&
		    !gw_traffic_is_shared(other)) {
			return true;
		}
	}
	return false;
}

static bool has_topic(const struct gw_traffic *t, struct gw_str parent, const char *last)
{
	char name[GW_TOPIC_BYTES + 8];
	int n = snprintf(name, sizeof(name), GW_STR_FMT "/%s", GW_STR_ARG(parent), last);
	return n > 0 && (size_t)n < sizeof(name) && gw_map_find(t->by_name, gw_str(name));
}

/* What is right below it speaks of a whole device: x/availability; x with x/set, when x is a map of values. */
static bool names_device(const struct gw_traffic *t, const struct gw_traffic_topic *topic,
			 size_t at)
{
	struct gw_str rest = topic->name, level, below = {NULL, 0};
	for (size_t i = 0; i <= at && gw_str_split(&rest, '/', &level); i++) {
		below = rest;
	}
	if (below.p) {
		return gw_str_is(below, "availability") || gw_str_is(below, "LWT");
	}
	return topic->tree &&
	       (has_topic(t, topic->name, "set") || has_topic(t, topic->name, "get"));
}

static struct candidate judge(const struct gw_traffic *t, struct gw_str level, size_t at)
{
	bool id = gw_traffic_is_id(level);
	struct candidate c = {.level = level,
			      .at = at,
			      .rank = id ? 3 : 1,
			      .why = id ? "the level that looks like an id"
					: "the last level that the topics share"};
	for (size_t i = 0; i < t->n_topics; i++) {
		const struct gw_traffic_topic *topic = &t->topics[i];
		struct gw_str own;
		if (describes(topic) || !gw_topic_level(topic->name, at, &own) ||
		    !gw_str_eq(own, level)) {
			continue;
		}
		c.topics++;
		c.messages += topic->messages;
		if (c.rank == 1 && has_peer(t, topic, at)) {
			c.rank = 2;
			c.why = "the level that differs between devices";
		} else if (c.rank == 1 && names_device(t, topic, at)) {
			c.rank = 2;
			c.why = "the level that has a presence or commands of its own";
		}
	}
	return c;
}

/* Devices are told apart left of what they say; alone, a device is named by the last level that all its topics share. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->rank != b->rank) {
		return a->rank > b->rank;
	}
	if (a->rank == 1 && a->topics != b->topics) {
		return a->topics > b->topics;
	}
	if (a->at != b->at && a->rank < 3) {
		return a->rank == 2 ? a->at < b->at : a->at > b->at;
	}
	return a->messages != b->messages ? a->messages > b->messages : a->topics > b->topics;
}

/* Topics of another device are one note: the first one of it counts them all. */
static void note_other(struct gw_draft *d, const struct gw_traffic *t, size_t first, size_t at)
{
	struct gw_str level, own;
	size_t topics = 0, messages = 0;
	if (!gw_topic_level(t->topics[first].name, at, &level)) {
		level = (struct gw_str){NULL, 0};
	}
	for (size_t i = 0; i < t->n_topics; i++) {
		bool same = level.p ? gw_topic_level(t->topics[i].name, at, &own) &&
					      gw_str_eq(level, own)
				    : i == first;
		if (same && i < first) {
			return;
		}
		topics += same;
		messages += same ? t->topics[i].messages : 0;
	}
	gw_import_note(d->result, t->topics[first].name.p,
		       "of another device: not drafted (%zu topics, %zu messages)", topics,
		       messages);
}

static void note_others(struct gw_draft *d, const struct gw_traffic *t,
			const struct candidate *best)
{
	for (size_t i = 0; i < t->n_topics && d->result->n_notes < GW_IMPORT_NOTES; i++) {
		const struct gw_traffic_topic *topic = &t->topics[i];
		const char *importer = describes(topic);
		if (importer) {
			gw_import_note(d->result, topic->name.p,
				       "describes devices in the way of %s, which need no profile",
				       importer);
		} else if (!gw_topic_has_level(topic->name, best->level)) {
			note_other(d, t, i, best->at);
		}
	}
}

static bool was_judged(const struct gw_traffic *t, size_t n, struct gw_str level, size_t at)
{
	struct gw_str own;
	for (size_t i = 0; i < n; i++) {
		if (gw_topic_level(t->topics[i].name, at, &own) && gw_str_eq(own, level) &&
		    !describes(&t->topics[i])) {
			return true;
		}
	}
	return false;
}

struct gw_traffic_identity gw_traffic_identify(struct gw_draft *d, const struct gw_traffic *t)
{
	struct candidate best = {.rank = 0};
	for (size_t i = 0; i < t->n_topics; i++) {
		struct gw_str rest = t->topics[i].name, level;
		if (describes(&t->topics[i])) {
			continue;
		}
		for (size_t at = 0; gw_str_split(&rest, '/', &level); at++) {
			if (gw_traffic_is_shared(level) || !gw_draft_is_level(level) ||
			    was_judged(t, i, level, at)) {
				continue;
			}
			struct candidate c = judge(t, level, at);
			if (is_better(&c, &best)) {
				best = c;
			}
		}
	}
	note_others(d, t, &best);
	return (struct gw_traffic_identity){best.level, best.at, best.why};
}
