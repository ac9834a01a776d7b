set(PROFILE_ENGINE
	as.c binding.c check.c codec_bytes.c codec_cbor.c codec_form.c codec_json.c codec_text.c codec_tree.c
	compile.c cost.c
	compile_cap.c compile_deps.c compile_msg.c compile_point.c expect.c explain.c form.c form_action.c
	form_digits.c form_select.c form_table.c layer.c law.c limits.c line.c path.c plan.c point.c receive.c
	ref.c send.c trie.c vectors.c view.c write.c)
