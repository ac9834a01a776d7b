/* The page at /: whether the gateway is well, and how to claim it. No script, no style, no input: it is the same for everybody (R1). */
#include "surfaces/http/http.h"

struct texts {
	const char *language, *title, *well, *unwell, *claimed, *claim[3], *api;
};

static const struct texts en = {
	.language = "en",
	.title = "Hearth",
	.well = "The home gateway is running.",
	.unwell =
		"The home gateway is running, but something needs attention: <code>hearth doctor</code> says what.",
	.claimed = "This home has an owner.",
	.claim =
		{"This home has no owner yet. On the machine that runs it, ask for the claim code:",
		 "Then claim it, with that code, a name and a password of your own, from any machine in the home:",
		 "The certificate is the gateway's own; its authority is the file ca.crt in the state directory."},
	.api = "Programs speak to it at <code>/api/v1</code>; the document is at <code>/api/v1/openapi.json</code>.",
};
static const struct texts zh = {
	.language = "zh-CN",
	.title = "Hearth 家庭网关",
	.well = "家庭网关正在运行。",
	.unwell = "家庭网关正在运行，但有问题需要处理：请运行 <code>hearth doctor</code> 查看。",
	.claimed = "这个家已有主人。",
	.claim = {"这个家还没有主人。请在运行网关的机器上查看认领码：",
		  "然后在家中任意一台机器上，用认领码、您的账号名和密码认领：",
		  "证书由网关自己签发，其根证书是状态目录中的 ca.crt。"},
	.api = "程序接口位于 <code>/api/v1</code>，说明文档位于 <code>/api/v1/openapi.json</code>。",
};

static void find_trouble(void *ctx, const struct gw_check *check)
{
	*(bool *)ctx |= check->state == GW_CHECK_FAIL;
}

static void write_claim(struct gw_buf *b, const struct texts *t)
{
	gw_buf_printf(b, "<p>%s</p>\n<pre>hearth claim</pre>\n<p>%s</p>\n", t->claim[0],
		      t->claim[1]);
	gw_buf_puts(b, "<pre>curl --cacert ca.crt https://&lt;gateway&gt;:8443/api/v1/claim \\\n"
		       "  -H 'Content-Type: application/json' \\\n"
		       "  -d '{\"code\":\"…\",\"account\":\"…\",\"password\":\"…\"}'</pre>\n");
	gw_buf_printf(b, "<p>%s</p>\n", t->claim[2]);
}

void gw_http_page(struct gw_gateway *g, bool chinese, struct gw_buf *b)
{
	const struct texts *t = chinese ? &zh : &en;
	bool trouble = false;
	gw_checks_each(g, find_trouble, &trouble);
	gw_buf_printf(
		b,
		"<!doctype html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title></head>\n"
		"<body>\n<h1>%s</h1>\n<p>%s</p>\n",
		t->language, t->title, t->title, trouble ? t->unwell : t->well);
	if (gw_home_claimed(g)) {
		gw_buf_printf(b, "<p>%s</p>\n<p>%s</p>\n", t->claimed, t->api);
	} else {
		write_claim(b, t);
	}
	gw_buf_printf(b, "<p>Hearth %s</p>\n</body>\n</html>\n", gw_gateway_version());
}
