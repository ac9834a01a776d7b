/* Every cap on what comes from outside, in one place (security-rules.md §3, profile-language.md §16). */
#pragma once

/* profiles */
#define GW_PROFILE_BYTES     (256 * 1024)
#define GW_PROFILE_DEPTH     24
#define GW_PROFILE_NODES     65536
#define GW_PROFILE_POINTS    512
#define GW_PROFILE_CAPS	     512
#define GW_PROFILE_ROWS	     4096
#define GW_PROFILE_MSGS	     32
#define GW_PROFILE_EXTENDS   8
#define GW_PROFILE_REPEAT    64
#define GW_PROFILE_COUNT     2000
#define GW_EXPR_NODES	     64 /* operators and calls */
#define GW_EXPR_DEPTH	     16
#define GW_VAR_BYTES	     256
#define GW_VAR_CHANNEL_BYTES 128

/* bodies from peers */
#define GW_BODY_BYTES	   (64 * 1024) /* MQTT payload, WebSocket message */
#define GW_BODY_DEPTH	   16
#define GW_BODY_NODES	   10000
#define GW_BODY_TEXT_BYTES 4096
/* Worst cases of a profile in steps of some 10 ns (profile/cost.c): one capability, one message, the sampling of all laws. */
#define GW_COST_CAPABILITY 200000
#define GW_COST_MESSAGE	   1000000
#define GW_COST_SAMPLING   200000000
#define GW_DESCRIPTION_BYTES                                                                       \
	(1024 * 1024) /* self-descriptions: bridge/devices of a large Zigbee network */
#define GW_DESCRIPTION_NODES   200000
#define GW_IMPORT_POINTS       4096		 /* data points of one file that a report names */
#define GW_IMPORT_NOTES	       256		 /* of one description */
#define GW_IMPORT_PARTS	       256		 /* messages that describe one device */
#define GW_IMPORT_BYTES	       (8 * 1024 * 1024) /* of remembered parts of one source */
#define GW_TRAFFIC_MESSAGES    4096		 /* of one recording … */
#define GW_TRAFFIC_BYTES       (4 * 1024 * 1024) /* … and of its payloads */
#define GW_TRAFFIC_LEAVES      64		 /* values of one message that are drafted */
#define GW_TOPIC_BYTES	       256
#define GW_TOPIC_LEVELS	       16
#define GW_TOPIC_SUBSCRIPTIONS 65536 /* of one trie */

/* home */
#define GW_CANDIDATES	       512
#define GW_DEVICES	       4096
#define GW_NAME_CHARS	       64
#define GW_NAME_BYTES	       (GW_NAME_CHARS * 4 + 1)
#define GW_ID_BYTES	       65 /* [a-z0-9_-]{1,64} and a zero */
#define GW_ROOMS	       256
#define GW_ACCOUNTS	       64
#define GW_TOKENS	       256
#define GW_COMMANDS_PENDING    256
#define GW_COMMANDS_PER_DEVICE 16
#define GW_COMMAND_EXPIRE_MS   10000
#define GW_COMMAND_SLEEPY_MS   (60 * 60 * 1000) /* to devices that sleep */
#define GW_COMMAND_KEYS	       512		/* idempotency keys remembered … */
#define GW_COMMAND_KEY_MS      (10 * 60 * 1000) /* … for this long */
#define GW_EVENT_RING	       4096
#define GW_JOURNEY_RING	       1024
#define GW_JOURNEY_BYTES       512
#define GW_DEVICE_RATE	       20  /* updates a second … */
#define GW_DEVICE_BURST	       100 /* … after this burst, then coalesced */
#define GW_AUDIT_BYTES	       (8 * 1024 * 1024)
#define GW_AUDIT_DAYS	       90
#define GW_AUDIT_TEXT	       1024		  /* characters of one field, then clipped */
#define GW_STORE_BYTES	       (64 * 1024 * 1024) /* a larger home.db is not ours */
#define GW_STORE_BAD_FILES     3
#define GW_VALUES_KEPT	       32768 /* last values waiting for the next write */
#define GW_VALUE_BYTES	       4096

/* HTTP */
#define GW_HTTP_CONNECTIONS	64
#define GW_HTTP_PER_SOURCE	16
#define GW_HTTP_RESERVED	8
#define GW_HTTP_HEADER_BYTES	(16 * 1024)
#define GW_HTTP_LINE_BYTES	(8 * 1024)
#define GW_HTTP_HEADERS		64
#define GW_HTTP_BODY_BYTES	(1024 * 1024)
#define GW_HTTP_HEADER_MS	5000
#define GW_HTTP_BODY_MS		15000
#define GW_HTTP_IDLE_MS		60000
#define GW_WS_CLIENTS		32
#define GW_WS_QUEUE_BYTES	(256 * 1024)
#define GW_WS_FRAMES_PER_S	20
#define GW_LOGIN_PER_SOURCE_MIN 10
#define GW_LOGIN_PER_ACCOUNT_H	60
#define GW_LOGIN_SOURCES	256   /* remembered for the limit, the oldest is forgotten */
#define GW_LOGIN_PENDING	16    /* waiting to be hashed; then TOO_MANY */
#define GW_LOGIN_DELAY_MS	30000 /* a login that would wait longer is TOO_MANY */
#define GW_SESSIONS		256   /* logins; the one used longest ago ends */
#define GW_SESSIONS_PER_ACCOUNT 16
#define GW_SESSION_DAYS		30
#define GW_STEP_UP_MS		(5 * 60 * 1000)
#define GW_PASSWORD_MIN		8
#define GW_PASSWORD_MAX		128
#define GW_CLAIM_TRIES		10
#define GW_CLAIM_WINDOW_MS	(15 * 60 * 1000)
#define GW_CONTROL_CLIENTS	16
#define GW_CONTROL_LINE_BYTES	(1024 * 1024)
