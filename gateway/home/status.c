/* The one table of outcomes. MQTT reasons are those that a PUBACK may carry (MQTT 5 §3.4.2.1); CoAP 4.09 and 4.22 are RFC 8132, 4.29 RFC 8516. */
#include "gw/status.h"

#include <stddef.h>
#include <string.h>

static const struct gw_status_row rows[GW_STATUS_COUNT] = {
	[GW_STATUS_DONE] = {"done", 200, 204, 0x00, 0, "Done.", "已完成。"},
	[GW_STATUS_UNCONFIRMED] = {"unconfirmed", 202, 204, 0x00, 6,
				   "Sent, but the device did not confirm it.",
				   "已发送，但设备没有确认。"},
	[GW_STATUS_ACCEPTED] = {"accepted", 202, 204, 0x00, 0, "Accepted; the result follows.",
				"已接受，结果稍后给出。"},
	[GW_STATUS_REFUSED] = {"refused", 422, 422, 0x83, 9, "The device cannot do this.",
			       "设备不支持这个操作或数值。"},
	[GW_STATUS_DENIED] = {"denied", 403, 403, 0x87, 4, "You have no right to do this.",
			      "您没有权限执行此操作。"},
	[GW_STATUS_UNAUTHENTICATED] = {"unauthenticated", 401, 401, 0x87, 4, "Please log in.",
				       "请先登录。"},
	[GW_STATUS_STEP_UP] = {"step-up", 403, 403, 0x87, 4,
			       "Please enter your password again to do this.",
			       "此操作需要重新输入密码。"},
	[GW_STATUS_UNREACHABLE] = {"unreachable", 503, 503, 0x80, 5,
				   "The device cannot be reached.", "无法连接设备。"},
	[GW_STATUS_TIMEOUT] = {"timeout", 504, 504, 0x80, 5, "The device did not answer in time.",
			       "设备没有及时响应。"},
	[GW_STATUS_EXPIRED] = {"expired", 504, 504, 0x80, 5,
			       "Too much time had passed, so it was not carried out.",
			       "等待时间过长，操作没有执行。"},
	[GW_STATUS_NOT_FOUND] = {"not-found", 404, 404, 0x90, 3, "There is no such thing here.",
				 "没有找到。"},
	[GW_STATUS_CONFLICT] = {"conflict", 409, 409, 0x83, 7,
				"It exists already or was changed meanwhile.",
				"已经存在，或者刚刚被修改过。"},
	[GW_STATUS_INVALID] = {"invalid", 400, 400, 0x99, 9, "The request is not well-formed.",
			       "请求的内容有误。"},
	[GW_STATUS_TOO_MANY] = {"too-many", 429, 429, 0x97, 1,
				"Too many requests; please try again later.",
				"请求太多，请稍后再试。"},
	[GW_STATUS_UNCLAIMED] = {"unclaimed", 403, 403, 0x87, 4,
				 "This home has no owner yet; claim it first.",
				 "这个家还没有主人，请先认领。"},
	[GW_STATUS_READ_ONLY] =
		{"read-only", 503, 503, 0x83, 1,
		 "Nothing can be saved at the moment; see the store in `hearth doctor`.",
		 "现在无法保存，请运行 hearth doctor 查看存储状态。"},
	[GW_STATUS_FAILED] = {"failed", 500, 500, 0x80, 1, "Something went wrong inside Hearth.",
			      "Hearth 内部出错。"},
};

const struct gw_status_row *gw_status_row(enum gw_status s)
{
	return &rows[(unsigned)s < GW_STATUS_COUNT ? s : GW_STATUS_FAILED];
}

enum gw_status gw_status_find(const char *name)
{
	for (size_t i = 0; name && i < GW_STATUS_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return (enum gw_status)i;
		}
	}
	return GW_STATUS_COUNT;
}
