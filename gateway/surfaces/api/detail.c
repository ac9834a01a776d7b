/*
 * The second half of an error in Chinese. Every room says its errors in English, where they arise; here they are told again, so that no
 * room below the surfaces knows a language. tests/support/detail_check.py holds this table against the sources.
 */
#include <string.h>

#include "surfaces/api/call.h"

#define VALUES 4

/*
 * %1…%4 stand for a value, which is written as it is; #1…#4 for one of the words, which are ours and are told in Chinese too.
 * Two values never touch. Of the rows that match, the one with the longest literal counts.
 */
struct row {
	const char *en, *zh;
};

/* clang-format off */

static const struct row words[] = {
	{"null", "空值"},
	{"nothing", "空内容"},
	{"true or false", "“true”或“false”"},
	{"a number", "数字"},
	{"a text", "文字"},
	{"a list", "列表"},
	{"a list of symbols", "选项列表"},
	{"a map", "对象"},
	{"a symbol", "选项名称"},
	/* JSON */
	{"a text without closing quote", "文字缺少结尾的引号"},
	{"a backslash that begins no escape", "反斜杠后面不是有效的转义"},
	{"bytes that are not UTF-8", "有些字节不是 UTF-8"},
	{"a control character inside a text", "文字中有控制字符"},
	{"a minus sign without a number", "负号后面没有数字"},
	{"a decimal point without digits behind it", "小数点后面没有数字"},
	{"an exponent without digits", "指数没有数字"},
	{"neither a value nor a closing bracket", "这里应该是值或右括号"},
	{"nesting that is too deep", "嵌套太深"},
	{"neither a comma nor a closing brace after a member", "成员后面应该是逗号或右花括号"},
	{"neither a comma nor a closing bracket after an item", "元素后面应该是逗号或右方括号"},
	{"something other than a key in quotes", "这里应该是带引号的键名"},
	{"a key without a colon", "键名后面缺少冒号"},
	{"the end where a value should be", "内容在应该有值的地方结束了"},
	{"something after the value", "值的后面还有多余的内容"},
	{"the end inside of brackets", "内容在括号之内结束了"},
	{"half a surrogate pair", "Unicode 代理对只有一半"},
	{"a text that takes too much memory", "文字占用的内存太多"},
};

static const struct row rows[] = {
	/* values, and the same for an argument of an action */
	{"expected #1, got #2", "需要#1，收到的是#2"},
	{"%1: expected #2, got #3", "参数 %1：需要#2，收到的是#3"},
	{"expected #1, got the text \"%2\"", "需要#1，收到的是文字“%2”"},
	{"%1: expected #2, got the text \"%3\"", "参数 %1：需要#2，收到的是文字“%3”"},
	{"%1 is below the lowest allowed %2", "%1 低于允许的最小值 %2"},
	{"%1: %2 is below the lowest allowed %3", "参数 %1：%2 低于允许的最小值 %3"},
	{"%1 is above the highest allowed %2", "%1 高于允许的最大值 %2"},
	{"%1: %2 is above the highest allowed %3", "参数 %1：%2 高于允许的最大值 %3"},
	{"%1 is not a whole number of steps of %2 from %3", "从 %3 起每步 %2，不能取 %1"},
	{"%1: %2 is not a whole number of steps of %3 from %4", "参数 %1：从 %4 起每步 %3，不能取 %2"},
	{"the number is too large", "数字太大"},
	{"%1: the number is too large", "参数 %1：数字太大"},
	{"\"%1\" is not one of %2", "不能是“%1”，可以选择：%2"},
	{"%1: \"%2\" is not one of %3", "参数 %1：不能是“%2”，可以选择：%3"},
	{"a text has at most %1 bytes", "文字最多 %1 字节"},
	{"%1: a text has at most %2 bytes", "参数 %1：文字最多 %2 字节"},
	{"a list has at most %1 bytes as JSON", "列表写成 JSON 最多 %1 字节"},
	{"%1: a list has at most %2 bytes as JSON", "参数 %1：列表写成 JSON 最多 %2 字节"},
	{"out of memory", "内存不足"},

	/* what a device can take */
	{"%1 is below the lowest allowed, %2", "%1 低于允许的最小值 %2"},
	{"%1 is above the highest allowed, %2", "%1 高于允许的最大值 %2"},
	{"%1 is no whole number of steps of %2 from %3", "从 %3 起每步 %2，不能取 %1"},
	{"\"%1\" is not offered now; choose one of: %2", "现在不能选择“%1”，可以选择：%2"},
	{"the device has not yet reported \"%1\", which the command needs", "设备还没有报告“%1”，而这条命令需要它"},
	{"\"%1\" was never received", "还没有收到过“%1”"},
	{"the present state is not known", "现在的状态还不知道"},
	{"cannot be set in the device's present mode", "设备在现在的模式下不能设置这一项"},
	{"cannot be set in the device's present state", "设备在现在的状态下不能设置这一项"},
	{"the device does not offer this in its present state", "设备在现在的状态下不提供这一项"},
	{"the device does not offer %1 now", "设备现在不提供 %1"},
	{"the device has no \"%1\"", "设备没有“%1”"},
	{"%1 cannot be set", "%1 不能设置"},
	{"%1 is no action", "%1 不是动作"},
	{"the action has no argument \"%1\"", "这个动作没有参数“%1”"},
	{"argument \"%1\" has no type", "参数“%1”没有类型"},
	{"expected a list of symbols", "需要选项列表"},
	{"a symbol of the list names no bit", "列表中有一个选项没有对应的位"},
	{"below the smallest value of the parts, %1", "低于各部分的最小值 %1"},
	{"no row of the table writes this value", "配置档的表中没有对应这个值的行"},
	{"the profile's expression has no value for this", "配置档的表达式得不出这里的值"},
	{"point \"%1\" cannot take this value", "数据点“%1”不能取这个值"},
	{"point \"%1\" does not fit its message", "数据点“%1”的值放不进它的消息"},
	{"the list of \"%1\" cannot be packed", "“%1”的列表无法打包"},
	{"the list of \"%1\" does not fit its frame", "“%1”的列表放不进它的帧"},
	{"layer \"%1\" does not fit its frame", "内层“%1”放不进它的帧"},
	{"\"%1\" is outside the frame", "“%1”在帧的范围之外"},
	{"\"%1\" does not fit its frame", "“%1”的值放不进它的帧"},
	{"\"%1\" does not fit its bytes", "“%1”的值超出了它的字节数"},
	{"\"%1\" is too long for its item", "“%1”的值太长"},
	{"\"%1\" has none of the types of \"%2\"", "“%1”没有“%2”的任何一种类型"},
	{"the fixed body of \"%1\" is no text", "“%1”的固定内容不是文字"},
	{"the fixed body of \"%1\" is no hex", "“%1”的固定内容不是十六进制"},
	{"the body has no place for \"%1\"", "消息中没有“%1”的位置"},
	{"a %1 body cannot hold this", "%1 格式的消息放不下这个值"},

	/* commands and devices */
	{"The idempotency key is too long.", "请求的 Idempotency-Key 太长。"},
	{"A command names 1 to 64 capabilities, or one action.", "一条命令可以有 1 到 64 个能力，或者一个动作。"},
	{"The device sleeps; it gets this when it wakes up.", "设备正在休眠，醒来后会收到。"},
	{"It was sent; the device does not report this.", "已发送，但设备不会报告这一项。"},
	{"It was so already.", "本来就是这样。"},
	{"Out of memory.", "内存不足。"},
	{"The gateway is stopping.", "网关正在停止。"},
	{"The device was removed.", "设备已移除。"},
	{"The device changed its description.", "设备的自我描述有了变化。"},
	{"Its profile cannot be used: %1", "设备的配置档不能使用：%1"},
	{"Its profile %1 cannot be loaded: it is not installed", "设备的配置档 %1 没有安装"},
	{"Its profile %1 cannot be loaded: %2", "设备的配置档 %1 不能载入：%2"},
	{"Its address belongs to the device %1 already.", "它的地址已经属于设备 %1。"},
	{"Its address is taken by another device.", "它的地址已被另一台设备使用。"},
	{"It announced the address of the device %1 and keeps its old one.", "它报告的地址属于设备 %1，因此仍使用原来的地址。"},
	{"Its system does not describe it any more.", "它所在的系统不再描述它。"},
	{"The adapter %1 refuses it: %2.", "适配器 %1 不接受它：%2。"},
	{"This build or configuration has no adapter %1.", "这个版本或配置中没有适配器 %1。"},

	/* adoption */
	{"There is no such candidate.", "没有这台待接纳的设备。"},
	{"It is a device already.", "它已经是家里的设备。"},
	{"The home is full.", "家里的设备已经满了。"},
	{"Several profiles fit equally well: choose one of them.", "有几个配置档同样合适，请选择其中一个。"},
	{"No profile fits: name one.", "没有合适的配置档，请指定一个。"},
	{"That profile speaks over another adapter than the device.", "这个配置档使用的适配器与设备不同。"},
	{"no profile \"%1\" in the library", "没有配置档“%1”"},
	{"a profile has at most 256 KiB", "配置档最多 256 KiB"},
	{"cannot read the file: %1", "无法读取文件：%1"},
	{"the file has the id \"%1\"", "文件中的编号是“%1”"},
	{"%1 (%2) must be given.", "请填写 %1（%2）。"},
	{"There are more than 64 variables, or one is longer than 256 bytes.", "变量超过 64 个，或者其中一个超过 256 字节。"},
	{"too many variables, or too long", "变量太多，或者太长"},
	{"variable \"%1\": the profile has none of this name", "配置档没有变量“%1”"},
	{"variable \"%1\": expected 1 to 128 bytes without / + #, control characters or a leading $", "变量“%1”需要 1 到 128 字节，不能有 / + # 和控制字符，也不能以 $ 开头"},
	{"variable \"%1\": the default does not fit where the variable is used", "变量“%1”的默认值不适合它的用处"},
	{"A device id has 1 to 64 of the characters a-z 0-9 _ -.", "设备编号由 1 到 64 个字符组成，可以用 a-z、0-9、_ 和 -。"},
	{"That device id is in use.", "这个设备编号已被使用。"},
	{"The name is empty.", "名称不能为空。"},
	{"There is no such room.", "没有这个房间。"},
	{"The store cannot be written now.", "现在无法保存。"},

	/* requests */
	{"no such path", "没有这个路径"},
	{"this path takes %1", "这个路径只接受 %1"},
	{"no such id", "没有这个编号"},
	{"no such device", "没有这台设备"},
	{"no such property", "没有这个属性"},
	{"no such account", "没有这个账号"},
	{"there is such an account", "这个账号已经存在"},
	{"the password is not valid UTF-8", "密码不是有效的 UTF-8"},
	{"the password needs at least 8 characters", "密码至少需要 8 个字符"},
	{"the password may have at most 128 characters", "密码最多 128 个字符"},
	{"the password may not be the name of the account", "密码不能与账号名称相同"},
	{"the password is one of the first that an attacker tries", "这个密码太常见，攻击者会最先尝试"},
	{"only accounts have a name and a password", "只有账号才有名称和密码"},
	{"tokens are made at /api/v1/tokens", "请在 /api/v1/tokens 创建令牌"},
	{"the home has an owner", "这个家已经有主人"},
	{"the name is empty", "名称不能为空"},
	{"the device was changed meanwhile", "设备刚刚被修改过"},
	{"an id consists of a-z, 0-9, _ and -", "编号只能用 a-z、0-9、_ 和 -"},
	{"the list is too long", "列表太长"},
	{"at least one word", "至少需要一个词"},
	{"at most 128 bytes of text", "最多 128 字节的文字"},
	{"between 1 and %1", "需要在 1 到 %1 之间"},
	{"between 1 and %1 values", "需要 1 到 %1 个值"},
	{"either set, or action with its args", "需要 set，或者 action 和它的 args"},
	{"expected a duration such as 8h or 30d", "需要一段时间，例如 8h 或 30d"},
	{"expected epoch:seq as in an event's id", "需要 epoch:seq，与事件的 id 相同"},
	{"there is no such query parameter here", "这里没有这个查询参数"},
	{"no body is expected here", "这里不需要请求内容"},
	{"too many requests under way", "正在处理的请求太多"},
	{"this id is under way", "这个 id 的请求还没有结束"},
	{"subscribe takes device and after", "subscribe 只接受 device 和 after"},
	{"expected a method and a path, percent-encoded", "需要 method 和 path，path 使用百分号编码"},

	/* their bodies */
	{"missing: %1", "缺少 %1"},
	{"no such member in %1", "%1 没有这个成员"},
	{"not one of the words for %1", "不是 %1 可以用的词"},
	{"out of bounds: %1", "超出范围：%1"},
	{"may not be null", "不能为空值"},
	{"expected a text", "需要文字"},
	{"expected a number", "需要数字"},
	{"expected a whole number", "需要整数"},
	{"expected a time", "需要时间"},
	{"expected true or false", "需要 true 或 false"},
	{"expected an object", "需要对象"},
	{"expected a list", "需要列表"},
	{"the text is too long", "文字太长"},
	{"the text holds a zero character", "文字中有空字符"},
	{"found #1; expected JSON (RFC 8259)", "不是有效的 JSON：#1"},
	{"a text of %1 bytes, expected at most %2", "文字有 %1 字节，最多 %2 字节"},
	{"key \"%1\" is here a second time; expected each key once", "键“%1”出现了两次，每个键只能有一次"},
	{"key \"%1\" is here a second time, first on line %2; expected each key once", "键“%1”出现了两次，第一次在第 %2 行，每个键只能有一次"},
	{"more than %1 values, expected at most that many", "值的数量超过 %1 个"},
	{"nesting deeper than %1, expected at most that", "嵌套超过 %1 层"},
	{"needs more memory than it may take", "占用的内存超过限制"},

	/* HTTP */
	{"one Host is needed, and at most one Origin and Authorization", "需要一个 Host，Origin 和 Authorization 最多各一个"},
	{"Host names another machine; http: names adds a name to this one", "Host 是另一台机器的名称；可以在配置的 http: names 中为本机增加名称"},
	{"only 100-continue is understood", "只支持 100-continue"},
	{"the request comes from a page of another site", "请求来自其他网站的页面"},
	{"a session needs the header X-Hearth-CSRF here", "用登录会话操作时，需要请求头 X-Hearth-CSRF"},
	{"two ways to tell where the body ends", "请求内容的结尾有两种说法"},
	{"chunked is the only transfer coding that is understood", "传输编码只支持 chunked"},
	{"Content-Length is not one number", "Content-Length 不是一个数字"},
	{"no body is expected with this method", "这个方法不需要请求内容"},
	{"the body must be application/json", "请求内容必须是 application/json"},
	{"the body is larger than 1 MiB", "请求内容超过 1 MiB"},
	{"the body is larger than a login needs", "请求内容超过登录所需的大小"},
	{"the body is too large", "请求内容太大"},
	{"a chunk is not well-formed", "请求内容的分块有误"},
	{"no WebSocket here", "这里没有 WebSocket"},
	{"all WebSockets are taken", "WebSocket 连接已经用完"},
	{"the WebSocket handshake is not well-formed", "WebSocket 握手有误"},
	{"WebSocket version 13 is spoken here", "这里只支持 WebSocket 版本 13"},
	{"this path speaks WebSocket", "这个路径使用 WebSocket"},
};

/* clang-format on */

/* The place of a value in a pattern. */
struct hole {
	bool ours; /* one of the words */
	size_t index;
};

/* Takes the literal up to the next hole out of *pattern; false: it reaches to the end. */
static bool take_literal(const char **pattern, struct gw_str *ret_literal, struct hole *ret_hole)
{
	const char *p = *pattern;
	size_t len = 0;
	while (p[len] &&
	       !((p[len] == '%' || p[len] == '#') && p[len + 1] >= '1' && p[len + 1] <= '4')) {
		len++;
	}
	*ret_literal = (struct gw_str){p, len};
	if (!p[len]) {
		return false;
	}
	*ret_hole = (struct hole){p[len] == '#', (size_t)(p[len + 1] - '1')};
	*pattern = p + len + 2;
	return true;
}

static const struct row *find_word(struct gw_str s)
{
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (gw_str_is(s, words[i].en)) {
			return &words[i];
		}
	}
	return NULL;
}

/* Where the literal begins in s: behind a value at its first place, at the end of the pattern at the end of s. */
static bool find_literal(struct gw_str s, struct gw_str literal, bool behind_value, bool last,
			 size_t *ret_at)
{
	if (literal.len > s.len) {
		return false;
	}
	size_t at = 0;
	if (behind_value && last) {
		at = s.len - literal.len;
	} else if (behind_value) {
		const char *p = memmem(s.p, s.len, literal.p, literal.len);
		if (!p) {
			return false;
		}
		at = (size_t)(p - s.p);
	}
	*ret_at = at;
	return gw_str_eq(gw_str_sub(s, at, literal.len), literal) &&
	       (!last || at + literal.len == s.len);
}

static bool match(const char *pattern, struct gw_str s, struct gw_str *ret_values,
		  size_t *ret_literal)
{
	struct gw_str literal;
	struct hole hole = {0}, next = {0};
	bool behind_value = false, more = true;
	*ret_literal = 0;
	while (more) {
		size_t at;
		more = take_literal(&pattern, &literal, &next);
		if (!find_literal(s, literal, behind_value, !more, &at)) {
			return false;
		}
		struct gw_str value = gw_str_sub(s, 0, at);
		if (behind_value && hole.ours && !find_word(value)) {
			return false;
		}
		if (behind_value) {
			ret_values[hole.index] = value;
		}
		*ret_literal += literal.len;
		s = gw_str_sub(s, at + literal.len, s.len);
		hole = next;
		behind_value = true;
	}
	return true;
}

/* Values are copied, never looked at as patterns: they come from outside. */
static void write_pattern(struct gw_buf *b, const char *pattern, const struct gw_str *values)
{
	struct gw_str literal;
	struct hole hole;
	while (take_literal(&pattern, &literal, &hole)) {
		struct gw_str value = values[hole.index];
		gw_buf_add_str(b, literal);
		gw_buf_add_str(b, hole.ours ? gw_str(find_word(value)->zh) : value);
	}
	gw_buf_add_str(b, literal);
}

void gw_api_write_detail(struct gw_buf *b, const char *detail, bool chinese)
{
	const struct row *best = NULL;
	struct gw_str best_values[VALUES] = {0}, values[VALUES] = {0};
	size_t most = 0, literal;
	for (size_t i = 0; chinese && i < gw_countof(rows); i++) {
		if (match(rows[i].en, gw_str(detail), values, &literal) && literal > most) {
			best = &rows[i];
			most = literal;
			memcpy(best_values, values, sizeof(values));
		}
	}
	if (best) {
		write_pattern(b, best->zh, best_values);
	} else {
		gw_buf_puts(b, detail);
	}
}
