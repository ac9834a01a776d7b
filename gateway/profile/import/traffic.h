/* Recorded traffic → a drafted profile, private to the room: the recording, what was seen of each value, and the draft in the making. */
#pragma once

#include "gw/traffic.h"
#include "profile/import/draft.h"
#include "profile/import/vocabulary.h"

enum {
	GW_TRAFFIC_WORDS = 16, /* different texts of one value that are told apart */
	GW_TRAFFIC_WORD_BYTES = 64,
	GW_TRAFFIC_REFS = 8, /* messages that carry one point */
};

/* --- the recording (traffic.c) --- */

struct gw_recorded {
	uint32_t topic; /* index */
	bool retained;
	struct gw_str payload; /* zero-terminated, in the arena */
};

struct gw_traffic_topic {
	struct gw_str name;
	size_t messages;
	bool retained;	      /* once at least */
	bool tree;	      /* its first body looks like a JSON map */
	const char *importer; /* whose descriptions have such topics, or NULL */
};

struct gw_traffic {
	struct gw_arena *arena;
	struct gw_map *by_name; /* → struct gw_traffic_topic *, inside of topics */
	struct gw_traffic_topic *topics;
	struct gw_recorded *messages;
	size_t n_topics, n_messages, bytes;
};

/* --- topics (traffic_topic.c) --- */

/* The level that tells devices of one kind apart. p NULL: nothing is left to draft. */
struct gw_traffic_identity {
	struct gw_str level;
	size_t at;	 /* counted from 0 */
	const char *why; /* for people */
};
/* Also notes the other devices and what belongs to none. */
struct gw_traffic_identity gw_traffic_identify(struct gw_draft *d, const struct gw_traffic *t);
/* Has it the identity as a level, and is it no self-description? */
bool gw_traffic_is_of(const struct gw_traffic_topic *topic, struct gw_str identity);
/* A word that says how, not what: "tele", "STATUS8", "params"; also one of the vocabulary. */
bool gw_traffic_is_shared(struct gw_str level);
/* Text that looks like the id of a thing: a MAC or its end, a long number, a UUID. */
bool gw_traffic_is_id(struct gw_str s);

enum gw_traffic_role { GW_TRAFFIC_HEARD, GW_TRAFFIC_COMMAND, GW_TRAFFIC_QUERY };
enum gw_traffic_role gw_traffic_role(struct gw_str topic);
/* "/relay/0" of "shellies/x/relay/0/command": what the topic says behind the identity, without words for commands and states. */
const char *gw_traffic_path(struct gw_draft *d, struct gw_str topic, struct gw_str identity);

/* --- values (traffic_leaf.c) --- */

/* What one value was seen to be. */
struct gw_seen {
	unsigned count, nulls, bools, numbers, texts, lists;
	unsigned numeric;	       /* of texts: also a number */
	double min, max, last, number; /* number: the first */
	unsigned decimals;
	bool flag; /* the first boolean */
	bool changed, shrank;
	const char *word[GW_TRAFFIC_WORDS];
	unsigned n_words;
	bool many; /* more words than that, or longer ones */
};
bool gw_seen_is_number(const struct gw_seen *s); /* in every message */
bool gw_seen_is_text(const struct gw_seen *s);
bool gw_seen_is_bool(const struct gw_seen *s);
bool gw_seen_like(const struct gw_seen *a, const struct gw_seen *b); /* the same kind of value */
/* b's words after a's. */
void gw_seen_merge(struct gw_seen *a, const struct gw_seen *b);

struct gw_traffic_leaf {
	const char *pointer; /* "" for the text itself */
	struct gw_seen seen;
	const char *left_out; /* why; NULL: drafted */
	struct gw_traffic_point *point;
};

enum gw_traffic_codec { GW_TRAFFIC_IN_JSON, GW_TRAFFIC_IN_TEXT, GW_TRAFFIC_IN_BYTES };

struct gw_traffic_msg {
	const char *name, *path,
		*method; /* method: the text that tells commands on one topic apart, or NULL */
	uint32_t topic;
	enum gw_traffic_role role;
	enum gw_traffic_codec codec;
	struct gw_traffic_leaf *leaf;
	size_t n_leaves, n_bodies, n_odd; /* n_odd: bodies of another kind, passed over */
	bool more;			  /* had more leaves than are drafted */
	bool fixed;			  /* a command with nothing to set */
	size_t at; /* message of the recording that stands in the tests, the last one */
	struct gw_traffic_msg *merged; /* a command that becomes the `tx` of this one */
	struct gw_node *node;
};

struct gw_traffic_draft;
/* Takes the body into what was seen of m. -ENOMEM. */
int gw_traffic_observe(struct gw_traffic_draft *d, struct gw_traffic_msg *m,
		       struct gw_str body) GW_MUST_USE;
/* A JSON body as a tree; NULL when it is no list or map. */
struct gw_node *gw_traffic_parse(struct gw_arena *a, struct gw_str body);
/* Why a value is no capability: the identity of a product, a secret, a clock. NULL: it may be one. */
const char *gw_traffic_left_out(const struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
				const struct gw_traffic_leaf *l);

/* "TempUnit": "F": the unit that a value tells for those beside it; p NULL: it tells none. name: folded. */
struct gw_str gw_traffic_unit(const char *name, const struct gw_seen *s);
/* A member of a command that names whom it is for, or numbers it. */
bool gw_traffic_is_envelope(const char *pointer);

/* --- meaning (traffic_words.c) --- */

struct gw_meaning {
	const char *cap; /* id of the model; NULL: an extension */
	enum gw_type type;
	bool event;
	struct gw_linear linear;
	bool as_num;
	struct {
		const char *word, *value; /* value NULL: true or false by flag */
		bool flag;
	} map[GW_TRAFFIC_WORDS + 1];
	unsigned n_map;
	const char *why; /* for people, or NULL */
};
/* full: topic path and pointer, the end of which names the value; unit: told by the message, may be empty. */
struct gw_meaning gw_traffic_mean(struct gw_draft *d, const char *full, struct gw_str unit,
				  const struct gw_seen *seen);
/* "UptimeSec" → "uptime_sec", into a buffer of GW_TRAFFIC_WORD_BYTES. */
void gw_traffic_fold(struct gw_str s, char *ret_word);
/* The words online and offline, or the like: a value that says whether the device is there. */
bool gw_traffic_is_presence(struct gw_draft *d, const char *full, const struct gw_seen *seen,
			    struct gw_meaning *ret_meaning);

/* --- the draft (traffic_draft.c, traffic_emit.c, traffic_prove.c) --- */

struct gw_traffic_ref {
	struct gw_traffic_msg *msg;
	const char *pointer;
};

struct gw_traffic_point {
	struct gw_traffic_point *next;
	const char *name, *full, *component,
		*address; /* address: the capability's id in its component */
	struct gw_seen seen;
	struct gw_meaning meaning;
	struct gw_traffic_ref in[GW_TRAFFIC_REFS], out[GW_TRAFFIC_REFS];
	size_t n_in, n_out;
	bool presence;
	const struct gw_traffic_point *repeats; /* the same value in another unit */
	struct gw_node *node, *cap;
};

struct gw_yaml_note {
	struct gw_yaml_note *next;
	const struct gw_node *at;
	enum {
		GW_YAML_BESIDE,
		GW_YAML_ABOVE,
		GW_YAML_END
	} place;	  /* END: inside a map, after its members */
	const char *text; /* one line */
};

struct gw_traffic_draft {
	struct gw_draft d;
	const struct gw_traffic *t;
	struct gw_traffic_identity identity;
	struct gw_traffic_msg *msgs[GW_PROFILE_MSGS];
	size_t n_msgs;
	struct gw_traffic_point *points, **tail;
	size_t n_points;
	struct gw_yaml_note *notes, **notes_tail;
	struct gw_node *root, *tests;
};
void gw_yaml_say(struct gw_traffic_draft *t, const struct gw_node *at, int place, const char *fmt,
		 ...) GW_PRINTF(4, 5);

/* Messages and points from the recording (traffic_draft.c). -ENODATA, -ENOMEM. */
int gw_traffic_collect(struct gw_traffic_draft *d) GW_MUST_USE;
/* The tree of the profile without tests (traffic_emit.c). */
int gw_traffic_emit(struct gw_traffic_draft *d) GW_MUST_USE;
/* Removes what the checker refuses, then adds the tests (traffic_prove.c). */
int gw_traffic_prove(struct gw_traffic_draft *d, struct gw_error *reterr_) GW_MUST_USE;

/*
 * YAML as profiles are written (traffic_yaml.c): block for the first two levels and for what does not fit a line, flow below; read back by
 * gw_node_parse_yaml to the same tree.
 */
void gw_yaml_write(struct gw_buf *b, const struct gw_node *root, const struct gw_yaml_note *notes);
