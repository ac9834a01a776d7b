#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/buf.h"
#include "gw/model.h"
#include "gw/node.h"
#include "surfaces/api/call.h"

static const char *told(struct gw_buf *b, const char *detail, bool chinese)
{
	gw_buf_reset(b);
	gw_api_write_detail(b, detail, chinese);
	assert_int_equal(gw_buf_error(b), 0);
	return b->p;
}

struct pair {
	const char *en, *zh;
};

static void check(const struct pair *pairs, size_t n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(told(&b, pairs[i].en, true), pairs[i].zh);
		assert_string_equal(told(&b, pairs[i].en, false), pairs[i].en);
	}
}

static void texts_with_and_without_values(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		/* none, one at either end, in the middle */
		{"no such path", "没有这个路径"},
		{"There is no such room.", "没有这个房间。"},
		{"this path takes GET, POST", "这个路径只接受 GET, POST"},
		{"light/level.value cannot be set", "light/level.value 不能设置"},
		{"the device does not offer fan.speed now", "设备现在不提供 fan.speed"},
		{"Its address belongs to the device desk-lamp already.",
		 "它的地址已经属于设备 desk-lamp。"},
		/* several, and in another order */
		{"35 °C is above the highest allowed, 30 °C", "35 °C 高于允许的最大值 30 °C"},
		{"21.3 is no whole number of steps of 0.5 from 16",
		 "从 16 起每步 0.5，不能取 21.3"},
		{"speed: 7 is not a whole number of steps of 5 from 0",
		 "参数 speed：从 0 起每步 5，不能取 7"},
		{"\"turbo\" is not one of auto, low, high",
		 "不能是“turbo”，可以选择：auto, low, high"},
		/* a list that was cut */
		{"\"turbo\" is not one of auto, low, …", "不能是“turbo”，可以选择：auto, low, …"},
		{"Wi-Fi address (host) must be given.", "请填写 Wi-Fi address（host）。"},
	};
	check(pairs, gw_countof(pairs));
}

static void our_own_words_are_told_too(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"expected true or false, got a number", "需要“true”或“false”，收到的是数字"},
		{"expected a number, got the text \"hot\"", "需要数字，收到的是文字“hot”"},
		{"seconds: expected a number, got null", "参数 seconds：需要数字，收到的是空值"},
		{"found something after the value; expected JSON (RFC 8259)",
		 "不是有效的 JSON：值的后面还有多余的内容"},
		/* A value is not one of them, though it looks the same. */
		{"expected a number, got the text \"a number\"",
		 "需要数字，收到的是文字“a number”"},
		/* What is no word of ours fits no row. */
		{"expected a miracle, got a number", "expected a miracle, got a number"},
		{"expected , got a number", "expected , got a number"},
	};
	check(pairs, gw_countof(pairs));
}

static void the_longest_literal_counts(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"between 1 and 500", "需要在 1 到 500 之间"},
		{"between 1 and 256 values", "需要 1 到 256 个值"},
		{"Its profile acme.plug cannot be loaded: it is not installed",
		 "设备的配置档 acme.plug 没有安装"},
		{"Its profile acme.plug cannot be loaded: not YAML",
		 "设备的配置档 acme.plug 不能载入：not YAML"},
		{"key \"a\" is here a second time; expected each key once",
		 "键“a”出现了两次，每个键只能有一次"},
		{"key \"a\" is here a second time, first on line 3; expected each key once",
		 "键“a”出现了两次，第一次在第 3 行，每个键只能有一次"},
	};
	check(pairs, gw_countof(pairs));
}

/* They come from outside, and are no patterns, no formats and no texts of ours. */
static void values_are_copied(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"the device has no \"\"", "设备没有“”"},
		{"missing: ", "缺少 "},
		{"the device has no \"%1\"", "设备没有“%1”"},
		{"the device has no \"%2 #1 %s %n %%\"", "设备没有“%2 #1 %s %n %%”"},
		{"\"%2\" is not offered now; choose one of: %1, #1",
		 "现在不能选择“%2”，可以选择：%1, #1"},
		{"the device has no \"a\"b\"", "设备没有“a\"b”"},
		{"the device has no \"灯/开关\"", "设备没有“灯/开关”"},
		{"the device has no \"\xff\xfe\"", "设备没有“\xff\xfe”"},
		{"the device has no \"no such path\"", "设备没有“no such path”"},
		{"Its profile cannot be used: no such path", "设备的配置档不能使用：no such path"},
		{"missing: missing: missing: ", "缺少 missing: missing: "},
	};
	check(pairs, gw_countof(pairs));
}

static void unknown_texts_stay(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		" ",
		"%1",
		"#1: #2",
		"no such pat",
		"no such paths",
		"No such path",
		"a no such path",
		"the device has no ",
		"the device has no \"",
		"the device has no \"x\" at all",
		"35 °C is above the highest permitted, 30 °C",
		"It burns.",
	};
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	for (size_t i = 0; i < gw_countof(texts); i++) {
		gw_buf_reset(&b);
		gw_buf_puts(&b, "");
		gw_api_write_detail(&b, texts[i], true);
		assert_string_equal(b.p ? b.p : "", texts[i]);
	}
}

/* As the model says it, not as this test believes it does. */
static void a_refusal_of_the_model(void **state)
{
	(void)state;
	static const char *const modes[] = {"auto", "low"};
	static const struct {
		struct gw_domain domain;
		struct gw_node node;
		const char *zh;
	} rows[] = {
		{{.type = GW_TYPE_BOOL},
		 {.type = GW_NODE_LIST},
		 "需要“true”或“false”，收到的是列表"},
		{{.type = GW_TYPE_INT, .res = {1, 1}, .unit = "Cel", .has_max = true, .max = 30},
		 {.type = GW_NODE_NUMBER, .number = 35},
		 "35 °C 高于允许的最大值 30 °C"},
		{{.type = GW_TYPE_ENUM, .symbols = modes, .n_symbols = gw_countof(modes)},
		 {.type = GW_NODE_TEXT, .text = {"涡轮 %1", 9}},
		 "不能是“涡轮 %1”，可以选择：auto, low"},
	};
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_value v = {.type = GW_VALUE_NONE};
		struct gw_error e = {0};
		assert_int_equal(gw_value_from_node(&rows[i].node, &rows[i].domain, &v, &e),
				 -EINVAL);
		assert_string_equal(told(&b, e.text, true), rows[i].zh);
	}
}

static void the_two_halves_are_one_sentence(void **state)
{
	(void)state;
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	gw_api_write_error(&b, GW_STATUS_NOT_FOUND, true, "no such device", "device");
	assert_string_equal(
		b.p, "{\"error\":{\"code\":\"not-found\",\"text\":\"没有找到：没有这台设备\","
		     "\"at\":\"device\"}}");
	gw_buf_reset(&b);
	gw_api_status_text(&b, GW_STATUS_INVALID, true, "the name is empty");
	assert_string_equal(b.p, "请求的内容有误：名称不能为空");
	gw_buf_reset(&b);
	gw_api_status_text(&b, GW_STATUS_INVALID, true, "");
	assert_string_equal(b.p, "请求的内容有误。");
	gw_buf_reset(&b);
	gw_api_status_text(&b, GW_STATUS_INVALID, false, "the name is empty");
	assert_string_equal(b.p, "The request is not well-formed: the name is empty");
}

/* At every cap below the length the buffer tells it, and holds no more than the cap. */
static void a_full_buffer_tells_it(void **state)
{
	(void)state;
	static const char detail[] = "21.3 is no whole number of steps of 0.5 from 16";
	static const char zh[] = "从 16 起每步 0.5，不能取 21.3";
	for (size_t cap = 1; cap < sizeof(zh) - 1; cap++) {
		struct gw_buf b = GW_BUF_INIT(cap);
		gw_api_write_detail(&b, detail, true);
		assert_int_equal(gw_buf_error(&b), -E2BIG);
		assert_true(b.len <= cap);
		gw_buf_fini(&b);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(sizeof(zh) - 1);
	assert_string_equal(told(&b, detail, true), zh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_with_and_without_values),
		cmocka_unit_test(our_own_words_are_told_too),
		cmocka_unit_test(the_longest_literal_counts),
		cmocka_unit_test(values_are_copied),
		cmocka_unit_test(unknown_texts_stay),
		cmocka_unit_test(a_refusal_of_the_model),
		cmocka_unit_test(the_two_halves_are_one_sentence),
		cmocka_unit_test(a_full_buffer_tells_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
