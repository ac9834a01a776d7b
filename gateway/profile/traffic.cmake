# hearth profile new: a recording of a device becomes the draft of a profile.
set(PROFILE_TRAFFIC
	import/traffic.c
	import/traffic_topic.c
	import/traffic_leaf.c
	import/traffic_words.c
	import/traffic_draft.c
	import/traffic_emit.c
	import/traffic_prove.c
	import/traffic_yaml.c)
